"""Code frames: the lines a finding points into, carets under the cause, dashes under the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from unstuck.finding import Finding, Location
from unstuck.report.words import cell_width, cells, clean, elide, place, visible, wrap

CODE_WIDTH = 110
"""Source lines may pass the page's 80 columns, up to here; most formatters stop at 79 to 110."""
_TAB = 4

Sources = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Mark:
    """A labelled span of one source line, in terminal cells from 0, end exclusive."""

    start: int
    end: int
    label: str
    primary: bool


def gutter_of(finding: Finding) -> int:
    """Width of the line numbers in the frames and the diff of a finding, so that all bars are in line."""
    spots = [s for s in (finding.location, *finding.related) if s]
    edits = finding.fix.edits if finding.fix else ()
    numbers = [s.line for s in spots] + [e.end[0] + e.text.count("\n") for e in edits]
    return max(2, *(len(str(n)) for n in numbers), 2)


def source_of(location: Location, sources: Sources) -> tuple[str, ...]:
    """The lines of the file or notebook cell; empty if they were not kept."""
    if location.cell is not None:
        return sources.get(f"{location.file}:cell {location.cell}", ())
    return sources.get(location.file, ())


def frame(finding: Finding, sources: Sources, *, home: str = "", width: int = 80) -> list[str]:
    """The code frame of a finding; an empty list if it has no location."""
    if finding.location is None:
        return []
    bar = " " * gutter_of(finding) + " |"
    lines: list[str] = []
    for spots in _places(finding):
        arrow = ":::" if lines else "-->"
        known = finding.location.file if lines else ""
        head = " " * (len(bar) - 2) + arrow + " "
        lines.append(head + elide(place(spots[0], home, known_file=known), width - len(head)))
        body = _body(spots, finding.location, source_of(spots[0], sources), len(bar) - 2, width)
        lines += [bar, *body, bar] if body else _in_words(spots, bar, width)
    return lines


def _places(finding: Finding) -> list[list[Location]]:
    """The locations, one group a file or cell, the primary one's group first."""
    groups: dict[tuple[str, int | None], list[Location]] = {}
    for spot in (finding.location, *finding.related):
        if spot is not None:
            groups.setdefault((spot.file, spot.cell), []).append(spot)
    return list(groups.values())


def _in_words(spots: list[Location], bar: str, width: int) -> list[str]:
    """The labels without a frame, when the source was not kept."""
    lines = [bar]
    for spot in spots:
        if spot.label:
            lines += wrap(spot.label, width, first=f"{bar[:-1]}= line {spot.line}: ")
    return lines


def _body(spots: list[Location], primary: Location, source: tuple[str, ...], gutter: int, width: int) -> list[str]:
    numbers = sorted({s.line for s in spots if 1 <= s.line <= len(source)})
    if not numbers:
        return []
    if len(numbers) == 1 and numbers[0] > 1 and re.search(r"\w", source[numbers[0] - 2]):
        numbers.insert(0, numbers[0] - 1)  # one line of context for a lonely line
    lines: list[str] = []
    previous = numbers[0]
    for number in numbers:
        if number - previous == 2:
            lines += _line(number - 1, source[number - 2], [], primary, gutter, width)
        elif number - previous > 2:
            lines.append("...")
        here = [s for s in spots if s.line == number]
        lines += _line(number, source[number - 1], here, primary, gutter, width)
        previous = number
    return lines


def _line(number: int, text: str, spots: list[Location], primary: Location, gutter: int, width: int) -> list[str]:
    grid, starts = layout(text)
    marks = [_mark(spot, text, starts, primary=spot is primary) for spot in spots]
    grid, marks = _window(grid, marks, CODE_WIDTH - gutter - 3)
    lines = [f"{number:>{gutter}} | {''.join(grid)}".rstrip()]
    margin = " " * gutter + " | "
    return lines + [(margin + row).rstrip() for row in annotate(marks, width - len(margin))]


def layout(text: str) -> tuple[list[str], list[int]]:
    """A source line as terminal cells (two for a wide character), and where each character starts."""
    grid: list[str] = []
    starts: list[int] = []
    for character in text.rstrip():
        starts.append(len(grid))
        if character == "\t":
            grid += [" "] * (_TAB - len(grid) % _TAB)
        elif cell_width(character) == 0 and grid:
            grid[-1] += character
        else:
            grid += [visible(character), *[""] * (cell_width(character) - 1)]
    return grid, [*starts, len(grid)]


def _mark(spot: Location, text: str, starts: list[int], *, primary: bool) -> Mark:
    first, last = _columns(spot, text.rstrip())
    final = len(starts) - 1
    start = starts[min(first - 1, final)]
    end = starts[min(last - 1, final)]
    return Mark(start, max(end, start + 1), clean(spot.label), primary)


def _columns(spot: Location, text: str) -> tuple[int, int]:
    """First and last (exclusive) column of a span; without an end: the word there, or the line."""
    column = max(1, spot.column)
    if spot.end_line is not None and spot.end_line > spot.line:
        return column, len(text) + 1
    if spot.end_column is not None:
        return column, max(column + 1, spot.end_column)
    if column == 1:
        return len(text) - len(text.lstrip()) + 1, len(text) + 1
    word = re.match(r"[\w.]+", text[column - 1 :])
    return column, column + (word.end() if word else 1)


def _window(grid: list[str], marks: list[Mark], room: int) -> tuple[list[str], list[Mark]]:
    """Clip a line that is too wide to the part that holds its first mark."""
    if len(grid) <= room:
        return grid, marks
    lead = min((m.start for m in marks), key=lambda s: s, default=0)
    begin = 0 if lead < room - 20 else min(lead - 20, len(grid) - room)
    end = begin + room
    clipped = grid[begin:end]
    if begin:
        clipped[0] = "…"
    if end < len(grid):
        clipped[-1] = "…"
    moved = [Mark(min(m.start - begin, room - 1), max(1, min(m.end - begin, room)), m.label, m.primary) for m in marks]
    return clipped, moved


def annotate(marks: list[Mark], room: int) -> list[str]:
    """The rows under a source line: underlines with one label beside, the other labels hanging below."""
    if not marks:
        return []
    edge = max(m.end for m in marks)
    row = [" "] * edge
    for mark in sorted(marks, key=lambda m: m.primary):
        row[mark.start : mark.end] = ("^" if mark.primary else "-") * (mark.end - mark.start)
    under = "".join(row)
    waiting = sorted((m for m in marks if m.label), key=lambda m: (m.start, m.end))
    beside = next((m for m in reversed(waiting) if m.end == edge), None)
    if beside and edge + 1 + cells(beside.label) <= room:
        under += f" {beside.label}"
        waiting.remove(beside)
    if not waiting:
        return [under]
    hung = [(m, _hanging_place(m, room)) for m in waiting]
    bars = [m.start for m, at in hung if at == m.start]
    rows = [under, *([_bars(bars)] if bars else [])]
    for mark, at in reversed(hung):
        left = _bars([c for c in bars if c < min(at, mark.start)]).ljust(at)[:at]
        rows += [left + line for line in wrap(mark.label, max(20, room - at))]
    return rows


def _hanging_place(mark: Mark, room: int) -> int:
    """Under the start of its mark, or further left if the label would leave the page."""
    return min(mark.start, max(0, room - min(cells(mark.label), 40)))


def _bars(columns: list[int]) -> str:
    return "".join("|" if i in columns else " " for i in range(max(columns, default=-1) + 1))
