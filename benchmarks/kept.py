"""Answers kept by what was asked and by the text of our own source: a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

HOME = Path(__file__).parents[1]


def place(group: str, text: str) -> Path:
    """Where the answer to `text` is kept; another one when a file of ours changes."""
    folder = HOME / ".unstuck" / group
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{hashlib.sha256((text + _version()).encode()).hexdigest()[:20]}.json"


@cache
def _version() -> str:
    texts = (p.read_bytes() for p in sorted((HOME / "src" / "unstuck").rglob("*.py")))
    return hashlib.sha256(b"".join(texts)).hexdigest()
