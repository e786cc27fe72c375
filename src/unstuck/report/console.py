"""The terminal and the disk, for the command line: how to speak, what to look like, where to write."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from unstuck.errors import UnstuckError
from unstuck.report.words import clean, elide

PAGE = 80
"""The widest a report gets, however wide the terminal is."""
_LEAST = 60


def complain(error: UnstuckError) -> None:
    """One line on stderr: what was seen; what was expected; what to do."""
    said = "; ".join(clean(part) for part in (error.happened, error.expected, error.do) if part)
    say(f"unstuck: error[{error.code}]: {said}\n", sys.stderr)


def say(text: str, stream: TextIO | None = None) -> None:
    """Write a text; characters that the stream cannot encode become question marks."""
    stream = stream or sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        UnstuckError: E014 if the place cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.exists() and not path.is_file():  # /dev/stderr, a pipe
            path.write_text(text, encoding="utf-8", errors="replace")
            return
        partial.write_text(text, encoding="utf-8", errors="replace")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True) if partial.parent.is_dir() else None
        raise UnstuckError(
            "E014",
            f"{path} cannot be written ({error.strerror or error})",
            expected="expected a file in a folder that exists and is yours",
            do="name another file",
        ) from None


def look(stream: TextIO) -> tuple[int, bool]:
    """Columns to use and whether to colour, by the terminal, NO_COLOR, FORCE_COLOR, TERM and COLUMNS."""
    if not (stream.isatty() or os.environ.get("FORCE_COLOR") or os.environ.get("COLUMNS")):
        return PAGE, False
    from rich.console import Console

    terminal = Console(file=stream)
    color = terminal.is_terminal and terminal.color_system is not None and not terminal.no_color
    return max(_LEAST, min(PAGE, terminal.width)), color


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Give a function that shows what is being done on one line of stderr, if that is a terminal."""
    stream = sys.stderr
    if quiet or not stream.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda _: None
        return
    try:
        yield lambda text: say(f"\r\x1b[2K{elide(clean(text), PAGE - 1)}", stream)
    finally:
        say("\r\x1b[2K", stream)


def relative(path: Path) -> str:
    """A path as seen from the current folder."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def environment(start: Path) -> str:
    """Versions, backend and settings with their origins, a line each; nothing heavy is imported for it."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from unstuck.settings import resolve

    def installed(name: str) -> str:
        for package in (name, f"{name}-cpu"):  # tensorflow-cpu is TensorFlow too
            try:
                return version(package)
            except PackageNotFoundError:
                continue
        return "not installed"

    rows = [("unstuck", installed("unstuck")), ("python", f"{platform.python_version()} ({sys.executable})")]
    rows += [(name, installed(name)) for name in ("keras", "jax", "tensorflow", "torch", "numpy", "scikit-learn")]
    rows.append(("backend", os.environ.get("KERAS_BACKEND", "as keras.json says (default: tensorflow)")))
    rows += [
        (name.replace("_", "-"), f"{_plain(value)}  ({clean(origin)})")
        for name, (value, origin) in resolve(start, {}).items()
    ]
    return "".join(f"{name:<13} {value}\n" for name, value in rows)


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_plain(part)}" for key, part in value.items()) or "none"
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
