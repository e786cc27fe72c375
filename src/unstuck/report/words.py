"""How values become words: hostile text made harmless, numbers, places, wrapping."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from unstuck.finding import Location, Run

# ECMA-48: control sequences (CSI), strings (OSC, DCS, SOS, PM, APC) and two-character escapes.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# What stays on one line: an interval, a command of ours in brackets.
_WORDS = re.compile(r"\[[^\[\]\s]{1,20}, [^\[\]\s]{1,20}\]\S*|\(unstuck [^()]{1,50}\)\S*|\S+")
_INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def clean(text: str) -> str:
    """One line without escapes, control, bidirectional or undefined characters; single blanks."""
    spaced = re.sub(r"\s+", " ", _ESCAPES.sub("", text))
    return "".join(c for c in spaced if unicodedata.category(c) not in _INVISIBLE).strip()


def visible(character: str) -> str:
    """A character of a source line, or U+FFFD for one that would not show or would move the cursor."""
    return "\ufffd" if unicodedata.category(character) in _INVISIBLE else character


def cell_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cells(text: str) -> int:
    """Width of a text in terminal cells."""
    return len(text) if text.isascii() else sum(cell_width(c) for c in text)


def elide(text: str, width: int) -> str:
    """The end of a text that is too wide, since a path tells most at its end."""
    if cells(text) <= width:
        return text
    while cells(text) > width - 1:
        text = text[1:]
    return "…" + text


def wrap(text: str, width: int, *, first: str = "", rest: str | None = None) -> list[str]:
    """Lines of at most `width` cells, the first after `first`, the others after `rest` (default: as wide)."""
    hanging = " " * cells(first) if rest is None else rest
    lines, current = [], first
    fresh = True
    for word in _pieces(clean(text), max(8, width - max(cells(first), cells(hanging)))):
        gap = "" if fresh else " "
        if not fresh and cells(current) + len(gap) + cells(word) > width:
            lines.append(current)
            current, gap = hanging, ""
        current += gap + word
        fresh = False
    return [*lines, current.rstrip()]


def _pieces(text: str, room: int) -> Iterable[str]:
    """The words of a text; one that is wider than `room` comes in pieces."""
    for word in _WORDS.findall(text):
        piece = ""
        for character in word:
            if cells(piece) + cell_width(character) > room:
                yield piece
                piece = ""
            piece += character
        yield piece


def number(value: float, *, signed: bool = False) -> str:
    """Three decimals and a true minus; a value that rounds to 0 has no sign."""
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "infinite" if value > 0 else "−infinite"
    digits = f"{abs(value):.3f}" if abs(value) < 1e5 else f"{abs(value):.3g}"
    if float(digits) == 0:
        return digits
    return ("−" if value < 0 else "+" if signed else "") + digits


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def spread(values: Sequence[float]) -> str:
    """`0.632 ± 0.000`: mean and sample standard deviation; the mean alone for a single seed."""
    if not values:
        return ""
    if len(values) == 1 or not all(math.isfinite(v) for v in values):
        return number(mean(values))
    centre = mean(values)
    deviation = math.sqrt(sum((v - centre) ** 2 for v in values) / (len(values) - 1))
    return f"{number(centre)} ± {number(deviation)}"


def duration(seconds: float) -> str:
    """`2.1 s`, `44 s`, `1 min 44 s`, `2 h 5 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count(amount: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{amount:,} {noun}" if amount == 1 else f"{amount:,} {noun}s"


def listing(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def home_of(run: Run) -> str:
    """The folder in which the run was started, known from where its record lies; empty if elsewhere."""
    parents = PurePath(run.folder).parents
    if len(parents) > 2 and (parents[1].name, parents[0].name) == (".unstuck", "runs"):
        return str(parents[2])
    return ""


def near(path: str, home: str) -> str:
    """A path as seen from the folder `home`; unchanged if it lies elsewhere."""
    if home and home != "." and PurePath(path).is_relative_to(home):
        path = str(PurePath(path).relative_to(home))
    return clean(path)


def place(location: Location, home: str = "", *, known_file: str = "") -> str:
    """`train.py:14:27` or `study.ipynb:cell 4:2:14`; without the file if it is `known_file`'s notebook."""
    cell = f"cell {location.cell}:" if location.cell is not None else ""
    spot = f"{cell}{location.line}:{location.column}"
    if cell and location.file == known_file:
        return spot
    return f"{near(location.file, home)}:{spot}"
