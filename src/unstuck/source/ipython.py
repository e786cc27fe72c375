"""The Python of a notebook cell: what only IPython understands is taken out, and lines keep their numbers."""

from __future__ import annotations

import ast
import re
import warnings

# %magic, !shell, help with ?, and `name = !shell` or `name = %magic`; a line that goes on with `% (a, b)` is none.
_MAGIC = re.compile(r"^(\s*)(?:[\w, ]+=\s*)?(?:%{1,2}[A-Za-z]|!|\?|[\w.]+\?\??\s*$)")
_OTHER_LANGUAGE = re.compile(r"^\s*%%(?!time\b|timeit\b|capture\b|prun\b)[A-Za-z]")
_SHOWS = re.compile(r"^\s*%{1,2}(matplotlib|load_ext|config|time|timeit|capture|prun|pylab)\b")
# What such a magic times is run, under a head of the same width: columns stay.
_TIMED = re.compile(r"^(\s*)(%(?:time|timeit|prun)\s+)(?![\s-]|(?:for|while|with|if|try)\b)")


def python_of(lines: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines of a cell as Python, and those of them that did something and are left out."""
    head = next((line for line in lines if line.strip()), "")
    if _OTHER_LANGUAGE.match(head):
        return ("",) * len(lines), (head,)
    if _is_python("\n".join(lines)):
        return lines, ()
    kept, left_out = [], []
    for line in lines:
        timed = _TIMED.sub(lambda found: found[1] + "if 1:".ljust(len(found[2])), line)
        magic = _MAGIC.match(timed)
        kept.append(f"{magic[1]}pass" if magic else timed)
        if magic and not _SHOWS.match(line):
            left_out.append(line.strip())
    return tuple(kept), tuple(left_out)


def _is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
