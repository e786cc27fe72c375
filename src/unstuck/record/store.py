"""The run folder: one SQLite file in WAL mode (events, steps, sources) and .npz arrays beside it.

Layout, version 1:

    run.sqlite            meta(key, value)  event(seq, at, fit, kind, body)  step(fit, epoch, step, loss, logs)
                          source(file, text)
    fit-0-data.npz        the bounded, seeded sample of what was handed to fit, and row fingerprints
    fit-0-weights-64.npz  variables after 64 optimiser steps
    flow-3.npz            rows seen by data-flow event 3
    custom.pickle(.sig)   objects that no config can rebuild, signed with this user's own key

Values in `body` are JSON. Arrays are written to a temporary name and renamed, so a killed process leaves no half file.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

VERSION = 1
COMMIT_SECONDS = 1.0
STILL_RUNNING_SECONDS = 3600.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS event(seq INTEGER PRIMARY KEY, at REAL, fit INTEGER, kind TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS step(fit INTEGER, epoch INTEGER, step INTEGER, loss REAL);
CREATE TABLE IF NOT EXISTS source(file TEXT PRIMARY KEY, text TEXT);
"""


def new_folder(root: Path) -> Path:
    """Create `root/.unstuck/runs/<date>-<four hex digits>`; `.unstuck` ignores itself in git.

    Where `root` cannot be written to, the folder is made below the system's folder for temporary files.
    """
    try:
        return _new_folder(root)
    except OSError as error:
        other = Path(tempfile.gettempdir()) / f"unstuck-{os.getuid() if hasattr(os, 'getuid') else 'runs'}"
        folder = _new_folder(other)
        print(f"unstuck: cannot write to {root} ({error.strerror}); recording to {folder}", file=sys.stderr)
        return folder


def _new_folder(root: Path) -> Path:
    home = root / ".unstuck"
    runs = home / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    ignore = home / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")
    while True:
        folder = runs / f"{datetime.now():%Y-%m-%d}-{secrets.token_hex(2)}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder


def prune(root: Path, *, runs: int, megabytes: int) -> None:
    """Remove the oldest run folders below `root` until so many are left and they take so much space.

    A run that may still be going on, one that was written to in the last hour, is left.
    """
    folders = [path.parent for path in (root / ".unstuck" / "runs").glob("*/run.sqlite")]
    found = []
    for folder in folders:
        files = [path.stat() for path in folder.iterdir() if path.is_file()]
        found.append((max(s.st_mtime for s in files), sum(s.st_size for s in files), folder))
    space = 0
    for number, (touched, size, folder) in enumerate(sorted(found, key=lambda entry: entry[0], reverse=True), 1):
        space += size
        over = number > runs or space > megabytes * 2**20
        if over and time.time() - touched > STILL_RUNNING_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _default(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist() if value.size <= 64 else f"<array {value.shape} {value.dtype}>"
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return f"<{type(value).__name__}>"


class Writer:
    """Append-only writer of one run folder; safe to call from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._database = sqlite3.connect(folder / "run.sqlite", check_same_thread=False)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)
        self._steps: list[tuple[int, int, int, float]] = []
        self._committed = time.monotonic()
        self.meta("version", VERSION)

    def meta(self, key: str, value: Any) -> None:
        with self._lock:
            self._database.execute(
                "INSERT OR REPLACE INTO meta VALUES(?, ?)", (key, json.dumps(value, default=_default))
            )
            self.commit()

    def event(self, kind: str, body: dict[str, Any], *, fit: int = -1) -> int:
        """Append an event and return its sequence number."""
        with self._lock:
            cursor = self._database.execute(
                "INSERT INTO event(at, fit, kind, body) VALUES(?, ?, ?, ?)",
                (time.time(), fit, kind, json.dumps(body, default=_default)),
            )
            self.commit()
            return int(cursor.lastrowid or 0)

    def steps(self, fit: int, epoch: int, losses: Sequence[tuple[int, float]]) -> None:
        """Append (step within the run, loss of that batch) of steps of one epoch; committed once a second."""
        with self._lock:
            self._steps.extend((fit, epoch, step, loss) for step, loss in losses)
            if time.monotonic() - self._committed >= COMMIT_SECONDS:
                self.commit()

    def source(self, file: str) -> None:
        """Keep the text of a source file as it was when it ran; unreadable files are left out."""
        try:
            text = Path(file).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        self.text(file, text)

    def text(self, file: str, text: str) -> None:
        """Keep a source text that ran under the name `file`."""
        with self._lock:
            self._database.execute("INSERT OR IGNORE INTO source VALUES(?, ?)", (file, text))

    def arrays(self, name: str, arrays: dict[str, np.ndarray]) -> None:
        """Write arrays as one file; types that NumPy itself does not know, such as bfloat16, as float32."""
        known = {key: a.astype(np.float32) if a.dtype.kind == "V" else a for key, a in arrays.items()}
        temporary = self.folder / f".{name}.{os.getpid()}.tmp.npz"
        try:
            np.savez(temporary, **known)  # type: ignore[arg-type]
            temporary.rename(self.folder / f"{name}.npz")
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def remove(self, name: str) -> None:
        """Drop arrays that are no longer worth their space."""
        (self.folder / f"{name}.npz").unlink(missing_ok=True)

    def commit(self) -> None:
        with self._lock:
            if self._steps:
                self._database.executemany("INSERT INTO step VALUES(?, ?, ?, ?)", self._steps)
                self._steps = []
            self._database.commit()
            self._committed = time.monotonic()

    def close(self) -> None:
        self.commit()
        self._database.close()


class Reader:
    """Reads a run folder, also one whose writer was killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._database = sqlite3.connect(folder / "run.sqlite")
        try:
            self._database.executescript(_SCHEMA)  # a process killed at its very start has not come to this
        except sqlite3.OperationalError:  # a folder that cannot be written to
            self._database.close()
            self._database = sqlite3.connect(f"{(folder / 'run.sqlite').resolve().as_uri()}?immutable=1", uri=True)

    def meta(self) -> dict[str, Any]:
        return {key: json.loads(value) for key, value in self._database.execute("SELECT key, value FROM meta")}

    def events(self, *kinds: str, fit: int | None = None) -> Iterator[tuple[int, int, str, dict[str, Any]]]:
        """Yield (sequence, fit, kind, body) in order, of these kinds (all when none is given)."""
        for sequence, number, kind, body in self._database.execute(
            "SELECT seq, fit, kind, body FROM event ORDER BY seq"
        ):
            if (not kinds or kind in kinds) and (fit is None or number == fit):
                yield sequence, number, kind, json.loads(body)

    def losses(self, fit: int) -> np.ndarray:
        """Per-step records of a fit, shape (steps, 3): epoch, step within the run, loss of that batch."""
        rows = self._database.execute(
            "SELECT epoch, step, loss FROM step WHERE fit = ? ORDER BY rowid", (fit,)
        ).fetchall()
        return np.array([[np.nan if v is None else v for v in row] for row in rows], dtype=float).reshape(-1, 3)

    def sources(self) -> dict[str, tuple[str, ...]]:
        return {
            file: tuple(text.replace("\r\n", "\n").split("\n"))
            for file, text in self._database.execute("SELECT file, text FROM source")
        }

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """The arrays of one file, or an empty mapping if it was never written."""
        path = self.folder / f"{name}.npz"
        if not path.exists():
            return {}
        with np.load(path, allow_pickle=False) as stored:
            return {key: stored[key] for key in stored.files}

    def names(self, prefix: str) -> list[str]:
        return sorted(path.stem for path in self.folder.glob(f"{prefix}*.npz"))

    def close(self) -> None:
        self._database.close()
