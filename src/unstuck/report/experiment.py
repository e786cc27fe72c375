"""Experiments for the terminal: the table in columns and what it does not show."""

from __future__ import annotations

from collections.abc import Sequence

from unstuck.finding import Trial
from unstuck.report.trials import Row, Table, tables, winner_of
from unstuck.report.words import cells, clean, listing, spread, wrap

_GAP = 2
_WIDEST = (99, 16, 24, 7)
"""Cells a column may take; a longer text goes on in the next row. The first column gets what is left."""
_NARROWEST = 12
_INTERVAL = 16


def experiment(trials: Sequence[Trial], margin: str, *, width: int, verbosity: int = 0) -> list[str]:
    """The tables of some trials with the remarks that belong to them."""
    lines: list[str] = []
    for table in tables(trials):
        lines += ([""] if lines else []) + table_lines(table, margin, width)
    for said in [*_own_scores(trials), *(_conditions(trials) if verbosity > 0 else [])]:
        lines += wrap(said, width, first=f"{margin}= ", rest=f"{margin}  ")
    return lines


def table_lines(table: Table, margin: str, width: int) -> list[str]:
    """A head, then a row an arm: `→` before the change that worked, controls apart."""
    widths = _widths(table, width - len(margin) - _GAP)
    lines = _columns(table.heads, [widths[0] + _GAP, *widths[1:]], margin)
    for before, row in zip([None, *table.rows], table.rows, strict=False):
        if row.control and not (before and before.control):
            lines.append(f"{margin}control")
        lines += _row(row, widths, margin)
    return lines


def _row(row: Row, widths: list[int], margin: str) -> list[str]:
    lines = _columns(row.cells, widths, margin + " " * _GAP)
    if row.winner:
        lines[0] = margin + "→ " + lines[0][len(margin) + _GAP :]
    return lines


def _widths(table: Table, room: int) -> list[int]:
    """Widths of the columns; heads are wrapped only where the labels would have to be."""
    content = [max(cells(r.cells[i]) for r in table.rows) for i in range(len(table.heads))]
    heads = [cells(head) for head in table.heads]
    words = [min(max(map(cells, h.split()), default=0), w) for h, w in zip(table.heads, _WIDEST, strict=False)]
    for least in (heads, words):
        rest = [max(min(c, w), h) for c, w, h in zip(content, _WIDEST, least, strict=False)][1:]
        left = room - sum(rest) - _GAP * len(rest)
        if content[0] <= left:
            break
    if left < _NARROWEST:  # a narrow terminal: the interval goes under its difference
        rest[1] = min(rest[1], _INTERVAL)
        left = room - sum(rest) - _GAP * len(rest)
    return [max(_NARROWEST, min(max(content[0], heads[0]), left)), *rest]


def _columns(texts: Sequence[str], widths: Sequence[int], margin: str) -> list[str]:
    """Cells side by side, each wrapped in its column."""
    columns = [wrap(text, width) for text, width in zip(texts, widths, strict=True)]
    height = max(map(len, columns))
    lines = []
    for i in range(height):
        line = margin
        for column, width in zip(columns, widths, strict=True):
            text = column[i] if i < len(column) else ""
            line += text + " " * (width - cells(text) + _GAP)
        lines.append(line.rstrip())
    return lines


def _own_scores(trials: Sequence[Trial]) -> list[str]:
    """The person's own metrics, as written and with the change that worked."""
    best = winner_of(trials)
    written = next((t for t in trials if t.role == "baseline"), None)
    if best is None or written is None:
        return []
    shared = [
        name for name in best.displayed if "skill" not in name and written.displayed.get(name) and best.displayed[name]
    ]
    return [
        f"in your terms: {clean(name)} {spread(written.displayed[name])} as written, "
        f"{spread(best.displayed[name])} with the change"
        for name in shared
    ]


def _conditions(trials: Sequence[Trial]) -> list[str]:
    fixed = list(dict.fromkeys(clean(x) for t in trials for x in t.held_fixed))
    engines = list(dict.fromkeys(clean(t.engine) for t in trials if t.engine))
    lines = [f"held fixed: {listing(fixed)}"] if fixed else []
    return lines + ([f"trained with: {listing(engines)}"] if engines else [])
