"""How the steps of a fit lie over the data: steps an epoch, rows a step, and how often every row was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data


@dataclass(frozen=True)
class Passes:
    """The steps of a fit.

    Attributes:
        steps: optimiser steps of each epoch that ended, or of the one that did not, (epochs,).
        asked: `steps_per_epoch`, None when it was not given.
        rows: of the data, as far as they are known: those of arrays, or of a stream's first pass.
        batch: rows a step, rounded: the batch size, or what the first pass of a stream had.
        kind: type of what fit was given: `ndarray`, `generator`, a `PyDataset` of the person's.
        stream: whether it is read batch by batch. endless: whether it has no end of its own.
    """

    steps: np.ndarray
    asked: int | None
    rows: int
    batch: int
    kind: str
    stream: bool
    endless: bool

    @classmethod
    def of(cls, case: Case) -> Self:
        body, table = case.fit.body, case.fit.losses
        if not len(table) or body.get("loop"):
            raise Missing("the steps of a call of fit")
        epochs = table[:, 0].astype(int)
        steps = np.bincount(epochs - epochs.min())[: max(1, len(case.fit.epochs))]
        data, stats = case.get(Data), body["train"]
        stream = bool(stats.get("stream"))
        batch = max(1, round(data.rows / max(int(steps[0]), 1))) if stream else int(body["batch_size"])
        asked = body["arguments"].get("steps_per_epoch")
        return cls(
            steps=steps,
            asked=None if asked is None else int(asked),
            rows=data.rows,
            batch=batch,
            kind=str(stats.get("kind", "")),
            stream=stream,
            endless=bool(stats.get("endless")),
        )

    @property
    def total(self) -> int:
        return int(self.steps.sum())
