"""Fits of one call in a loop: the same network on the same rows, again and again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from unstuck.measure.case import Case
from unstuck.record.recorded import RecordedFit


@dataclass(frozen=True)
class Repeats:
    """The fits of the run that the same line of code made, with the same layers, on the same training rows.

    Attributes:
        count: how many there are, this one included; position: number of this one among them, from 1.
        anew: whether each began with other weights than the one before ended with, at step 0 of its optimiser.
        first, last: loss of the first and of the last few steps of each.
    """

    count: int
    position: int
    anew: bool
    first: tuple[float, ...]
    last: tuple[float, ...]

    @classmethod
    def of(cls, case: Case) -> Self:
        own = _identity(case.fit)
        alike = [fit for fit in case.run.fits if _identity(fit) == own]
        restarts = [_iterations(fit) == 0 for fit in alike[1:]]
        ends = [fit.losses[:, 2] for fit in alike if len(fit.losses)]
        return cls(
            count=len(alike),
            position=1 + next(i for i, fit in enumerate(alike) if fit.index == case.fit.index),
            anew=bool(restarts) and all(restarts) and not _continued(alike),
            first=tuple(float(losses[:3].mean()) for losses in ends),
            last=tuple(float(losses[-3:].mean()) for losses in ends),
        )


def gone_on(fits: Sequence[RecordedFit]) -> frozenset[int]:
    """Numbers of the fits whose model the same line trained on: an epoch of a loop that calls fit for each."""

    def goes_on(before: RecordedFit, fit: RecordedFit) -> bool:
        same = before.body.get("model_id") == fit.body.get("model_id") and _identity(before)[:3] == _identity(fit)[:3]
        return same and _iterations(fit) >= _iterations(before) + len(before.losses) > 0

    return frozenset(a.index for n, a in enumerate(fits) for b in fits[n + 1 :] if goes_on(a, b))


def _identity(fit: RecordedFit) -> tuple[Any, ...]:
    site, model = fit.body.get("site") or {}, fit.body["model"]
    layers = tuple((layer["kind"], layer.get("params")) for layer in model["layers"])
    rows = fit.arrays.get("train-hash", np.zeros(0, np.uint64))
    return site.get("file"), site.get("line"), layers, rows.tobytes()


def written(fit: RecordedFit) -> str:
    """What a fit is as the source has it: its line, layers and settings, whatever the rows."""
    site, model = fit.body.get("site") or {}, fit.body["model"]
    layers = [[layer["kind"], layer.get("params"), layer.get("config")] for layer in model["layers"]]
    asked = [fit.body.get(key) for key in ("epochs", "batch_size", "class_weight", "callbacks")]
    known = [site.get("file"), site.get("line"), layers, model.get("compile"), model.get("optimizer"), asked]
    return json.dumps(_nameless(known), default=str, sort_keys=True)


def _nameless(value: Any) -> Any:
    """Without names, which Keras counts up: `adam`, `adam_1`."""
    if isinstance(value, dict):
        return {k: _nameless(v) for k, v in value.items() if k not in ("name", "shared_object_id")}
    return [_nameless(v) for v in value] if isinstance(value, (list, tuple)) else value


def _iterations(fit: RecordedFit) -> int:
    """Steps the optimiser had taken before the fit; one that was described after its first step had taken none."""
    count = int((fit.body["model"].get("optimizer") or {}).get("iterations") or 0)
    return count - (fit.steps[0] if fit.steps and count else 0)


def _continued(fits: list[RecordedFit]) -> bool:
    """Whether a model took part in two of the fits: its loss goes on where it was, whatever its optimiser does."""
    models = [fit.body.get("model_id") for fit in fits]
    # The id of a model that was thrown away may be given to the next one, which then starts at the loss of the first.
    starts = [float(fit.losses[:3, 2].mean()) for fit in fits if len(fit.losses)]
    ends = [float(fit.losses[-3:, 2].mean()) for fit in fits if len(fit.losses)]
    same = len(set(models)) < len(models) and len(starts) == len(fits)
    return same and any(abs(s - e) < abs(s - starts[0]) for s, e in zip(starts[1:], ends, strict=False))
