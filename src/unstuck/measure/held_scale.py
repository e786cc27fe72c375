"""Whether validation rows are of another scale than training rows, as where only one of the two was scaled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case
from unstuck.measure.data import Data

APART = 5.0
"""Ratio of the spreads of all values. Pixels from 0 to 16 beside those from 0 to 1 differ by 16; two draws of the same
rows by little."""
STANDARDISED = 0.3
"""Largest median, over columns, of |mean| and of |log spread| of training rows that were standardised."""
SHIFTED = 3.0
"""Median, over columns, of how far the mean of validation rows lies from standardised training rows', in spreads."""
ENOUGH = 10
"""Rows under which a spread says nothing."""


@dataclass(frozen=True)
class HeldScale:
    """Attributes:
    ratio: spread of all values of the rows handed to fit as validation data over that of training rows; 1 where they
        are not compared: token ids, several inputs, too few rows.
    shift: median over columns of the distance of the means in spreads of training rows, where those are standardised;
        else 0.
    """

    ratio: float = 1.0
    shift: float = 0.0

    @classmethod
    def of(cls, case: Case) -> Self:
        data = case.get(Data)
        if data.held_kind != "validation" or min(len(data.y), len(data.held_y)) < ENOUGH or len(data.x) != 1:
            return cls()
        if "f" not in (data.x[0].dtype.kind, data.held_x[0].dtype.kind):
            return cls()  # token ids and codes have no scale
        train, held = data.flat, data.held_flat
        if train.shape[1:] != held.shape[1:] or not (np.isfinite(train).all() and np.isfinite(held).all()):
            return cls()
        varied = train.std(axis=0) > 0
        if not varied.any():
            return cls()
        mean, spread = train.mean(axis=0)[varied], train.std(axis=0)[varied]
        standardised = max(np.median(np.abs(mean)), np.median(np.abs(np.log(spread)))) < STANDARDISED
        shift = np.median(np.abs(held.mean(axis=0)[varied] - mean) / spread)
        return cls(float(held.std() / train.std()), float(shift) if standardised else 0.0)

    @property
    def differs(self) -> bool:
        return not 1 / APART < self.ratio < APART or self.shift >= SHIFTED
