"""The change a fix makes, as lines taken out and lines put in."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, zip_longest

from unstuck.finding import Edit
from unstuck.report.frame import CODE_WIDTH, Sources, layout
from unstuck.report.words import near


@dataclass(frozen=True)
class Change:
    """Neighbouring source lines that a fix replaces, with the numbers of the first old and new one."""

    file: str
    line: int
    old: tuple[str, ...]
    new_line: int
    new: tuple[str, ...]


def changes(edits: tuple[Edit, ...], sources: Sources) -> list[Change] | None:
    """The changes in source order; None if an edit lies outside the kept source or overlaps another."""
    found: list[Change] = []
    for file in dict.fromkeys(e.file for e in edits):
        if file not in sources:
            return None
        source = (*sources[file], "")  # the place after the last line, where an edit may end
        ours = sorted((e for e in edits if e.file == file), key=lambda e: (e.start, e.end))
        if not all(_inside(e, source) for e in ours):
            return None
        if any(a.end > b.start for a, b in pairwise(ours)):
            return None
        found += _in_file(file, ours, source)
    return found


def _inside(edit: Edit, source: tuple[str, ...]) -> bool:
    (line, column), (end_line, end_column) = edit.start, edit.end
    known = 1 <= line <= end_line <= len(source) and edit.start <= edit.end
    return known and 1 <= column <= len(source[line - 1]) + 1 and 1 <= end_column <= len(source[end_line - 1]) + 1


def _in_file(file: str, edits: list[Edit], source: tuple[str, ...]) -> list[Change]:
    groups: list[list[Edit]] = []
    for edit in edits:
        if groups and edit.start[0] <= groups[-1][-1].end[0]:
            groups[-1].append(edit)
        else:
            groups.append([edit])
    found: list[Change] = []
    shift = 0
    for group in groups:
        first, last = group[0].start[0], group[-1].end[0]
        old = source[first - 1 : last]
        new = _apply(group, source)
        found.append(_trimmed(Change(file, first, old, first + shift, new)))
        shift += len(new) - len(old)
    return found


def _trimmed(change: Change) -> Change:
    """The change without the lines at its ends that stay as they are."""
    old, new, skipped = change.old, change.new, 0
    while old and new and old[0] == new[0]:
        old, new, skipped = old[1:], new[1:], skipped + 1
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return Change(change.file, change.line + skipped, old, change.new_line + skipped, new)


def _apply(group: list[Edit], source: tuple[str, ...]) -> tuple[str, ...]:
    """The new text of the lines that a group of edits touches; an empty one means they are deleted."""
    text = ""
    line, column = group[0].start[0], 1
    for edit in group:
        text += _between(source, (line, column), edit.start) + edit.text
        line, column = edit.end
    text += source[line - 1][column - 1 :]
    return tuple(text.split("\n")) if text.strip() else ()


def _between(source: tuple[str, ...], start: tuple[int, int], end: tuple[int, int]) -> str:
    if start[0] == end[0]:
        return source[start[0] - 1][start[1] - 1 : end[1] - 1]
    middle = source[start[0] : end[0] - 1]
    return "\n".join([source[start[0] - 1][start[1] - 1 :], *middle, source[end[0] - 1][: end[1] - 1]])


def diff_lines(found: list[Change], gutter: int, *, home: str = "") -> list[str]:
    """`14 -     old` and `14 +     new`, `...` between distant changes, the name of a further file."""
    lines: list[str] = []
    previous: Change | None = None
    for change in found:
        if previous and previous.file != change.file:
            lines.append(f"{'':{gutter}} : {near(change.file, home)}")
        elif previous and change.line - (previous.line + len(previous.old)) > 1:
            lines.append("...")
        first = [_differ_from(a, b) for a, b in zip_longest(change.old, change.new, fillvalue="")]
        lines += [_row(change.line + i, "-", text, gutter, first[i]) for i, text in enumerate(change.old)]
        lines += [_row(change.new_line + i, "+", text, gutter, first[i]) for i, text in enumerate(change.new)]
        previous = change
    return lines


def _differ_from(old: str, new: str) -> int:
    """Where two lines begin to differ."""
    return next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))


def _row(number: int, sign: str, text: str, gutter: int, shown: int) -> str:
    """One line; too long a one is clipped to the part around character `shown`."""
    grid, _ = layout(text)
    room = CODE_WIDTH - gutter - 3
    if len(grid) > room:
        begin = max(0, min(shown - room // 3, len(grid) - room))
        head, tail = ["…"] if begin else [], ["…"] if begin + room < len(grid) else []
        grid = [*head, *grid[begin + len(head) : begin + room - len(tail)], *tail]
    return f"{number:>{gutter}} {sign} {''.join(grid)}".rstrip()
