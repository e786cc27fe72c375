"""Whether validation rows are of another scale than training rows, as where only one of the two was scaled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case
from unstuck.measure.data import Data

APART = 5.0
"""Factor, median over columns, between the spreads. Pixels from 0 to 16 beside those from 0 to 1 differ by 16; two
draws of the same rows by little."""
STANDARDISED = 0.3
"""Largest median, over columns, of |mean| and of |log spread| of training rows that were standardised."""
SHIFTED = 3.0
"""Median, over columns, of how far the mean of validation rows lies from standardised training rows', in spreads."""
ENOUGH = 10
"""Rows under which a spread says nothing."""


@dataclass(frozen=True)
class HeldScale:
    """Attributes:
    apart: factor, median over columns, between the spread of the rows handed to fit as validation data and that of
        training rows, 1 or more; 1 where they are not compared: token ids, several inputs, too few rows.
    shift: median over columns of the distance of the means in spreads of training rows, where those are standardised;
        else 0.
    """

    apart: float = 1.0
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
        sizes = _spreads(train), _spreads(held)
        varied = (sizes[0] > 0) & (sizes[1] > 0)
        if not varied.any():
            return cls()
        apart = np.exp(np.median(np.abs(np.log(sizes[1][varied] / sizes[0][varied]))))
        mean, spread = train.mean(axis=0)[varied], train.std(axis=0)[varied]
        standardised = max(np.median(np.abs(mean)), np.median(np.abs(np.log(spread)))) < STANDARDISED
        # A few extreme rows must not stand for all: none counts for more than twice what is called shifted.
        away = np.clip((held[:, varied] - mean) / spread, -2 * SHIFTED, 2 * SHIFTED)
        shift = np.median(np.abs(away.mean(axis=0)))
        return cls(float(apart), float(shift) if standardised else 0.0)

    @property
    def differs(self) -> bool:
        return self.apart >= APART or self.shift >= SHIFTED


def _spreads(rows: np.ndarray) -> np.ndarray:
    """Of each column the distance of the percentiles 5 and 95, which a few outliers leave alone; else its deviation."""
    low, high = np.percentile(rows, (5, 95), axis=0)
    found: np.ndarray = np.where(high > low, high - low, rows.std(axis=0))
    return found
