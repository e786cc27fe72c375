"""The recorded rows as a table, for learners that know nothing of place, time or words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case
from unstuck.measure.data import Data
from unstuck.measure.setup import Setup
from unstuck.measure.tokens import Tokens, one_a_step

MAX_COLUMNS = 400
"""Columns of values; wider rows are projected to as many leading components."""
WHOLE = 20_000_000
"""Values of a plain table up to which its columns are kept however many they are."""
MAX_ROWS = 4_000
"""Rows that the projection is fitted to."""
CHANNELS = 16
TOKENS = 200
"""The most frequent tokens, which are counted."""
SEED = 11


@dataclass(frozen=True)
class Features:
    """Columns that learners can read.

    Attributes:
        x, held_x: (rows, columns) of the training and the held-out rows; NaN where a value is missing.
        pairs_of_ids: whether the network embeds ids of several kinds, whose pairs (a user with a film) these columns do
            not tell.
        plain: whether these are the person's own columns. Of images, sequences and tokens they are the values, and
            what does not depend on the place: moments and steps of each channel, how often a token stands in a row.
    """

    x: np.ndarray
    held_x: np.ndarray
    plain: bool
    pairs_of_ids: bool = False

    @classmethod
    def of(cls, case: Case) -> Self:
        data, setup = case.get(Data), case.find(Setup)
        embedded = setup is not None and any(layer.kind == "Embedding" for layer in setup.layers)
        tokens = embedded or bool(case.get(Tokens).vocabulary)
        x, held = _values(data)
        more = [_summary(*both, tokens=tokens) for both in zip(data.x, data.held_x, strict=True)]
        x, held = (np.concatenate([table, *(m[i] for m in more)], axis=1) for i, table in enumerate((x, held)))
        ids = sum(a[:1].size == 1 and a.dtype.kind in "iu" for a in data.x) if embedded else 0
        return cls(x, held, plain=data.tabular and not tokens, pairs_of_ids=ids > 1)


def _values(data: Data) -> tuple[np.ndarray, np.ndarray]:
    """The values themselves: infinities as missing, wide inputs projected to their leading components."""
    x, held = (np.where(np.isfinite(t), t, np.nan) for t in (data.flat, data.held_flat))
    x, held = np.clip(x, -1e30, 1e30), np.clip(held, -1e30, 1e30)
    known = ~np.isnan(x).all(axis=0)  # trees cannot bin a column without a number
    x, held = x[:, known], held[:, known]
    if x.shape[1] <= MAX_COLUMNS or (data.tabular and np.prod(x.shape) <= WHOLE):
        return x, held
    from sklearn.decomposition import TruncatedSVD

    components = TruncatedSVD(min(MAX_COLUMNS, len(x) - 1), random_state=SEED).fit(np.nan_to_num(x[:MAX_ROWS]))
    return components.transform(np.nan_to_num(x)), components.transform(np.nan_to_num(held))


def _summary(x: np.ndarray, held: np.ndarray, *, tokens: bool) -> tuple[np.ndarray, np.ndarray]:
    """What does not depend on the place in a row; no columns for a plain table."""
    if tokens:
        x, held = one_a_step(x), one_a_step(held)
    if x.ndim > 2 and x.shape[1:] == held.shape[1:]:
        return _moments(x), _moments(held)
    if tokens and x.ndim == 2 and x.shape[1] > 1:
        counted = frequent(x)
        return _counts(x, counted), _counts(held, counted)
    return np.zeros((len(x), 0)), np.zeros((len(held), 0))


def by_step(inputs: np.ndarray, tokens: np.ndarray | None) -> np.ndarray:
    """A row for each step of sequences (n, steps, ...): its values and those of its neighbours, (n * steps, columns).

    Args:
        tokens: those of which a column says whether the step is one, in rising order.
    """
    values = np.nan_to_num(inputs.reshape(*inputs.shape[:2], -1).astype(np.float64))[..., :CHANNELS]
    around = np.pad(values, ((0, 0), (1, 1), (0, 0)))
    table = np.concatenate([around[:, i : i + values.shape[1]] for i in range(3)], axis=2)
    table = table.reshape(-1, table.shape[2])
    return table if tokens is None else np.concatenate([table, _counts(inputs.reshape(-1, 1), tokens)], axis=1)


def frequent(x: np.ndarray) -> np.ndarray:
    """The most frequent values, in rising order."""
    seen, count = np.unique(np.nan_to_num(x), return_counts=True)
    return np.sort(seen[np.argsort(-count, kind="stable")[:TOKENS]])


def _moments(rows: np.ndarray) -> np.ndarray:
    """Of (n, *places, channels): moments over the places, and size of the steps along each axis of them."""
    values = np.clip(np.nan_to_num(rows[..., :CHANNELS].astype(np.float64)), -1e30, 1e30)
    places = tuple(range(1, values.ndim - 1))
    found = [values.mean(places), values.std(places), values.min(places), values.max(places)]
    for axis in places:
        steps = np.diff(values, axis=axis)
        found += [steps.mean(places), np.abs(steps).mean(places)] if steps.size else []
    return np.concatenate(found, axis=1)


def _counts(rows: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    """log(1 + how often each of the tokens, which are in rising order, stands in a row), (n, tokens)."""
    place = np.minimum(np.searchsorted(tokens, rows), len(tokens) - 1)
    known = tokens[place] == rows
    table = np.zeros((len(rows), len(tokens)))
    np.add.at(table, (np.nonzero(known)[0], place[known]), 1.0)
    return np.log1p(table)
