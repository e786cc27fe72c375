"""What is said of the fits themselves: which there were, the verdict on each, and facts worth knowing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from unstuck.finding import Fit, Report
from unstuck.report.selection import fit_of
from unstuck.report.words import clean, count, home_of, listing, near, wrap

_SHOWN = 8
"""Fits listed before the rest is only counted; a cross-validation makes many."""
_FINE = ("healthy", "finished")


def fit_name(index: int, report: Report) -> str:
    """`fit 2 of 3, train.py:40`."""
    order = [f.index for f in report.fits]
    name = f"fit {order.index(index) + 1 if index in order else index + 1} of {len(order)}"
    fit = fit_of(report, index)
    if fit is None or fit.location is None:
        return name
    cell = f"cell {fit.location.cell}:" if fit.location.cell is not None else ""
    return f"{name}, {near(fit.location.file, home_of(report.run))}:{cell}{fit.location.line}"


def where_found(fits: Sequence[int], report: Report) -> str:
    """The fits that share a cause: one by its place, several by their numbers."""
    if len(fits) == 1:
        return fit_name(fits[0], report)
    if len(fits) == len(report.fits):
        return f"all {len(fits)} fits"
    order = [f.index for f in report.fits]
    numbers = [str(order.index(i) + 1 if i in order else i + 1) for i in fits]
    return f"fits {listing(numbers)} of {len(order)}"


def fit_lines(report: Report, *, width: int, verbosity: int = 0) -> list[str]:
    """A line for each of several fits, and the facts of every fit that is listed; a healthy run has said enough."""
    if len(report.fits) < 2:
        telling = [f for f in report.fits if report.findings or verbosity > 0 or f.verdict not in _FINE]
        return [line for fit in telling for line in _facts(fit, width)]
    listed = [f for f in report.fits if verbosity > 0 or not f.trained_on]
    if verbosity < 1 and len(listed) > _SHOWN:
        worst = sorted(listed, key=lambda f: f.verdict in _FINE)[:_SHOWN]
        listed = [f for f in listed if f in worst]
    lines = [""]
    for fit in listed:
        said = f"{fit_name(fit.index, report)}: {fit.verdict}. {clean(fit.sentence)}"
        lines += wrap(said, width, first="  ", rest="    ")
        lines += _facts(fit, width, margin="    ")
    passing = sum(f.trained_on for f in report.fits if f not in listed)
    if passing:
        before = f"after {count(passing, 'fit')} of the same line that trained the same model (-v)"
        lines += wrap(before, width, first="  ")
    rest = Counter(f.verdict for f in report.fits if f not in listed and not f.trained_on)
    if rest:
        words = listing([f"{n} {verdict}" for verdict, n in rest.most_common()])
        lines += wrap(f"and {rest.total()} more: {words} (-v lists them)", width, first="  ")
    return lines


def _facts(fit: Fit, width: int, margin: str = "  ") -> list[str]:
    return [line for fact in fit.facts for line in wrap(fact, width, first=f"{margin}= note: ")]
