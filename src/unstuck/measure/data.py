"""The rows that were handed to fit, and rows that were not: the held-out ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.record.recorded import numbered

HOLDOUT_SHARE = 0.25
HOLDOUT_SEED = 7
MAX_LABELS = 50
"""Different labels up to which they are taken for classes."""
MOST = 0.5
NOISY = 0.5
"""Squared noise on the inputs of a denoising autoencoder, relative to the variance of what it is to restore."""
WIDE = 8
"""Columns from which noisy inputs are told from targets that are only like them."""
TOO_FEW = 26
"""Rows up to which nothing is held out of them where the person held nothing out: a quarter would be six rows, and of
the four rows of XOR none follows from the others. Reference learners need more rows as well."""
SHOWN = 3
"""Names of columns that a sentence lists."""


@dataclass(frozen=True)
class Data:
    """The recorded sample.

    Attributes:
        x: training inputs, one array an input, each (n, ...). y: training targets as given, (n, ...).
        held_x, held_y: held-out rows; `held_kind` says where they come from: `validation` (handed to fit),
            `evaluate` (handed to evaluate afterwards), `split` (the other part of a recorded train_test_split), or
            `holdout` (nothing was held out: a seeded quarter of the training sample, so skill on it is training
            skill for the recorded weights, and honest only in trials, which never train on it; all rows when
            they are `too_few`).
        fit_rows: indices into x of the rows that trials may train on.
        rows: number of training rows in all, of which x is a sample.
        stats, held_stats: statistics over *all* rows (see `record/sample.py`).
    """

    x: tuple[np.ndarray, ...]
    y: np.ndarray
    weight: np.ndarray | None
    held_x: tuple[np.ndarray, ...]
    held_y: np.ndarray
    held_kind: str
    fit_rows: np.ndarray
    rows: int
    stats: Mapping[str, Any]
    held_stats: Mapping[str, Any]
    columns: tuple[str, ...] = ()
    other_y: tuple[np.ndarray, ...] = ()
    """Training targets of the further outputs of a model that has several; `y` is the first output's."""

    @classmethod
    def of(cls, case: Case) -> Self:
        arrays, stats = case.fit.arrays, case.fit.body["train"]
        x = _inputs(arrays, "train")
        if not x or "train-y0" not in arrays:
            kind = stats.get("kind", "nothing")
            raise Missing(
                f"the training rows (fit was given a {kind})",
                "hand arrays to fit, or record without --no-samples",
            )
        if any(a.dtype.kind not in "biuf" for a in (*x, arrays["train-y0"])):
            raise Missing("numeric training rows", "encode text before fit")
        y = arrays["train-y0"]
        held_x, held_y, kind, held_stats = _held(case, x)
        everything = np.arange(len(y))
        if held_x is None or held_y is None:
            chosen = np.random.default_rng(HOLDOUT_SEED).permutation(len(y))
            cut = max(1, round(len(y) * HOLDOUT_SHARE))
            held, everything = np.sort(chosen[:cut]), np.sort(chosen[cut:])
            if len(y) <= TOO_FEW:
                held = everything = np.arange(len(y))
            held_x, held_y, kind = tuple(a[held] for a in x), y[held], "holdout"
        return cls(
            x=x,
            y=y,
            weight=arrays.get("train-weight"),
            held_x=held_x,
            held_y=held_y,
            held_kind=kind,
            fit_rows=everything,
            rows=int(stats.get("rows") or len(y)),
            stats=stats,
            held_stats=held_stats,
            columns=tuple(stats.get("columns") or ()),
            other_y=numbered(arrays, "train-y")[1:],
        )

    @property
    def whole(self) -> bool:
        """Whether all training and held-out rows are here, not a sample of them."""
        held_rows = int(self.held_stats.get("rows") or len(self.held_y))
        return self.rows <= len(self.y) and held_rows <= len(self.held_y)

    @property
    def too_few(self) -> bool:
        """Whether there are too few rows to hold any out, so that trials are scored on the rows they train on."""
        return self.held_kind == "holdout" and len(self.y) <= TOO_FEW

    @property
    def flat(self) -> np.ndarray:
        """Training features as one float table, (n, features); inputs side by side."""
        return flatten(self.x)

    @property
    def finite_y(self) -> np.ndarray:
        """The finite ones among all training targets, (k,) float64."""
        y = self.y.astype(np.float64)
        return y[np.isfinite(y)]

    @property
    def restores_inputs(self) -> bool:
        """Whether the targets are the inputs, as in an autoencoder, or these before noise was put on them."""
        y = self.y.reshape(len(self.y), -1)
        width = y.shape[1]
        if any(a[:1].size == width and np.array_equal(a.reshape(len(a), -1), y) for a in self.x):
            return True
        if width < WIDE or width != sum(a[:1].size for a in self.x):
            return False
        x = self.flat
        error, spread = float(np.nanmean((x - y) ** 2)), float(np.nanvar(y, axis=0).mean())
        return error < NOISY * spread

    @property
    def held_flat(self) -> np.ndarray:
        return flatten(self.held_x)

    def column(self, number: int) -> str:
        """What column `number` of the table is called, `column 3` where it has no name."""
        return self.columns[number] if number < len(self.columns) else f"column {number}"

    @property
    def tabular(self) -> bool:
        """Whether the inputs are plain columns (rank 2), not images, sequences or token ids."""
        return all(a.ndim <= 2 for a in self.x)


def shortened(names: Sequence[str]) -> str:
    """The first names, and how many there are besides.

    >>> shortened(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def flatten(inputs: tuple[np.ndarray, ...]) -> np.ndarray:
    return np.concatenate([a.reshape(len(a), -1).astype(np.float64) for a in inputs], axis=1)


def _inputs(arrays: Mapping[str, np.ndarray], role: str) -> tuple[np.ndarray, ...]:
    return numbered(arrays, f"{role}-x")


def _held(
    case: Case, x: tuple[np.ndarray, ...]
) -> tuple[tuple[np.ndarray, ...] | None, np.ndarray | None, str, Mapping[str, Any]]:
    own = case.fit.arrays
    if "held-y0" in own:
        return _inputs(own, "held"), own["held-y0"], "validation", case.fit.body["held"]
    train_hash = own.get("train-hash", np.zeros(0, np.uint64))
    for event in case.fit.evaluations:
        arrays = case.run.arrays(f"evaluate-{event.sequence}")
        if "held-y0" not in arrays:
            continue
        same = np.isin(arrays.get("held-hash", np.zeros(0, np.uint64)), train_hash).mean() if len(train_hash) else 0.0
        if same < 0.5 and [a.shape[1:] for a in _inputs(arrays, "held")] == [a.shape[1:] for a in x]:
            return _inputs(arrays, "held"), arrays["held-y0"], "evaluate", event.body["data"]
    for event in case.run.events:
        if event.kind == "flow" and event.body.get("operation") == "split":
            found = _other_part(case, event.sequence, train_hash, x)
            if found:
                return found[0], found[1], "split", {}
    return None, None, "holdout", {}


def _other_part(
    case: Case, sequence: int, train_hash: np.ndarray, x: tuple[np.ndarray, ...]
) -> tuple[tuple[np.ndarray, ...], np.ndarray] | None:
    """The part of a recorded split that the training rows are not from, if its arrays were kept."""
    arrays = case.run.arrays(f"flow-{sequence}")
    if len(x) != 1 or "other-x" not in arrays or "other-y" not in arrays:
        return None
    seen = np.isin(train_hash, arrays.get("part0-hash", np.zeros(0, np.uint64)))
    fits = arrays["other-x"].shape[1:] == x[0].shape[1:] and len(seen) and seen.mean() > 0.5
    fits = fits and _of_one_kind(case.fit.arrays["train-y0"], arrays["other-y"])
    return ((arrays["other-x"],), arrays["other-y"]) if fits else None


def _of_one_kind(y: np.ndarray, other: np.ndarray) -> bool:
    """Whether the labels of a split can be those of this fit, not what these were made from, or scaled from.

    Where one of them is one-hot and the other is not, this is not known, and they are taken for the same.
    """
    if y.shape[1:] not in (other.shape[1:], (1,)) or y.dtype.kind not in "biuf" or other.dtype.kind not in "biuf":
        return True
    known = np.unique(y[np.isfinite(y)])
    if not len(known) or not len(other):
        return True
    if len(known) <= MAX_LABELS:
        return bool(np.isin(other, known).mean() >= MOST)
    room = known[-1] - known[0]  # the later part of a series may lie beyond the earlier one
    return bool(((other >= known[0] - room) & (other <= known[-1] + room)).mean() >= MOST)
