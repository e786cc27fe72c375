"""Columns of a table on the scale of the middle half of their rows, which a few extreme values leave alone."""

from __future__ import annotations

import numpy as np

SQUASHED = 0.02
"""Spread of the middle half of the rows, over the standard deviation of all of them, below which a few extreme values
have set the scale: 1 for normal numbers, 0.05 for a lognormal with sigma 2."""
FENCE = 5.0
"""Values are cut off so many standard deviations from the median, as the middle half of the rows has them."""
NORMAL_IQR = 1.349
"""Interquartile range of a normal distribution, in standard deviations."""
ROWS = 2_000
"""So many rows, evenly spaced, or up to twice as many, show the quartiles well enough."""


def quartile_scale(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median, and interquartile range as the standard deviation of a normal distribution, of each column's numbers.

    Args:
        table: shape (rows, columns).

    Returns:
        Two arrays of shape (columns,); of a column without a number both are 0.

    >>> quartile_scale(np.array([[0.0], [1.349], [2.698], [-9999.0], [9999.0]]))[1]
    array([2.])
    """
    rows = table[:: max(1, len(table) // ROWS)].astype(np.float64)
    finite = np.isfinite(rows)
    if finite.all():
        low, middle, high = np.percentile(rows, (25, 50, 75), axis=0)
    else:  # a column at a time, which takes much longer
        values = np.where(finite, rows, np.where(finite.any(axis=0), np.nan, 0.0))
        low, middle, high = np.nanpercentile(values, (25, 50, 75), axis=0)
    return middle, (high - low) / NORMAL_IQR


def squashed(table: np.ndarray) -> np.ndarray:
    """Of each column the spread of its middle half over its standard deviation; inf where either is 0."""
    return _over_deviation(table, quartile_scale(table)[1])


def _over_deviation(table: np.ndarray, spread: np.ndarray) -> np.ndarray:
    whole = bool(np.isfinite(table).all())
    deviation = table.std(axis=0) if whole else np.ma.masked_invalid(table).std(axis=0).filled(0.0)
    varies = (spread > 0) & (deviation > 0)
    found: np.ndarray = np.where(varies, spread / np.where(varies, deviation, 1.0), np.inf)
    return found


def cut(table: np.ndarray, centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Columns scaled by `centre` and `spread`, with what is beyond the fence cut off.

    Args:
        table: shape (rows, columns).
        centre, spread: shape (columns,), as of `quartile_scale`; columns whose spread is 0 stay as they are.
    """
    wanted = spread > 0
    scaled = np.clip((table - centre) / np.where(wanted, spread, 1.0), -FENCE, FENCE)
    kept: np.ndarray = np.where(wanted, scaled, table).astype(table.dtype)
    return kept


def evened(table: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """The tables with the columns that are squashed in the first one cut off, so that rows have distances in them."""
    centre, spread = quartile_scale(table)
    columns = _over_deviation(table, spread) < SQUASHED
    if not columns.any():
        return [table, *others]
    return [cut(other, centre, np.where(columns, spread, 0.0)) for other in (table, *others)]
