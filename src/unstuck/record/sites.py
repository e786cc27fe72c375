"""Where in the user's source something happened: file, line and column of the innermost user frame."""

from __future__ import annotations

import itertools
import linecache
import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any

Site = dict[str, Any]
"""JSON form of a span: file, line, column, end_line, end_column; columns from 1, end exclusive."""

_OURS = str(Path(__file__).resolve().parent.parent)
_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")} - {None})


@lru_cache(maxsize=4096)
def is_user_file(file: str) -> bool:
    """Whether a code object's file belongs to the person, not to a library, the interpreter or unstuck."""
    if file.startswith("<") and not file.startswith("<ipython-input"):
        return False
    if "site-packages" in file or "dist-packages" in file or file.startswith(_OURS):
        return False
    return not file.startswith(_LIBRARIES)


def _column(file: str, line: int | None, offset: int | None) -> int | None:
    """Column in characters, from 1, of a UTF-8 byte offset into a line, as code objects count."""
    if line is None or offset is None:
        return None
    text = linecache.getline(file, line)
    return len(text.encode()[:offset].decode(errors="replace")) + 1 if text else offset + 1


def user_frame(start: FrameType | None) -> FrameType | None:
    frame = start
    while frame is not None and not is_user_file(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def user_site(depth: int = 1) -> Site | None:
    """The span of the call in the innermost user frame above the caller, or None outside user code."""
    frame = user_frame(sys._getframe(depth))
    if frame is None:
        return None
    code = frame.f_code
    positions = next(itertools.islice(code.co_positions(), max(frame.f_lasti, 0) // 2, None), None)
    line, end_line, column, end_column = positions or (None, None, None, None)
    return {
        "file": code.co_filename,
        "line": line or frame.f_lineno,
        "column": _column(code.co_filename, line, column) or 1,
        "end_line": end_line or line or frame.f_lineno,
        "end_column": _column(code.co_filename, end_line, end_column),
        "function": code.co_name,
    }
