"""Start the recorded process and wait for it; `record/boot.py` is what it runs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from unstuck.record.processes import gather
from unstuck.record.store import Reader, new_folder

BOOT = Path(__file__).with_name("boot.py")


@dataclass(frozen=True)
class Recording:
    """What is known after the script has ended.

    Attributes:
        status: its exit status, -N when signal N killed it.
        fits: how many trainings were recorded.
        keras: whether Keras 3 was imported; legacy: whether `tf_keras` was, which is not watched.
        complete: whether the record was written to its end; not so when the process was killed or the disk was full.
    """

    folder: Path
    status: int
    fits: int
    keras: bool
    error: str
    legacy: bool = False
    complete: bool = True


def run_script(
    script: Path | str,
    args: tuple[str, ...] = (),
    *,
    samples: bool = True,
    root: Path | None = None,
    module: bool = False,
    python: str | None = None,
) -> Recording:
    """Run a script or notebook in a child process and record it under `root/.unstuck/runs`.

    stdin, stdout and stderr are the script's own. SIGINT and SIGTERM are passed on to the script and waited for.

    Args:
        script: its path, or the name of a module.
        args: its arguments.
        samples: whether data values are kept.
        root: where the run folder goes; the current folder when None.
        module: run `script` as `python -m` would.
        python: the interpreter of another environment, which needs Keras but not unstuck; ours when None.
    """
    folder = new_folder(root or Path.cwd())
    environment = dict(os.environ)
    environment.setdefault("MPLBACKEND", "agg")  # a window would wait for somebody to close it
    if sys.stdout.isatty():
        environment.setdefault("PYTHONUNBUFFERED", "1")
    options = json.dumps({"samples": samples, "module": module})
    command = [python or sys.executable, str(BOOT), str(folder), options, str(script), *args]
    child = subprocess.Popen(command, env=environment)
    with _passing_on(child):
        while True:
            try:
                return _recording(folder, child.wait())
            except KeyboardInterrupt:
                if not sys.stdin.isatty():  # a terminal has already interrupted the whole process group
                    child.send_signal(signal.SIGINT)


def run_unwatched(script: Path | str, args: tuple[str, ...], *, module: bool = False, python: str | None = None) -> int:
    """Run the script as it is, in one of several processes of which another is recorded; return its exit status."""
    command = [python or sys.executable, *(["-m"] if module else []), str(script), *args]
    child = subprocess.Popen(command)
    with _passing_on(child):
        return child.wait()


@contextlib.contextmanager
def _passing_on(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """SIGTERM to us ends the script, not the diagnosis of what it did."""

    def terminate(number: int, frame: FrameType | None) -> None:
        child.terminate()

    try:
        before = signal.signal(signal.SIGTERM, terminate)
    except ValueError:  # not in the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _recording(folder: Path, status: int) -> Recording:
    if not (folder / "run.sqlite").exists():
        return Recording(folder, status, 0, False, "", complete=False)
    with contextlib.suppress(OSError, sqlite3.Error):
        gather(folder)
    reader = Reader(folder)
    meta = reader.meta()
    fits = sum(1 for _ in reader.events("fit"))
    reader.close()
    interrupted = meta.get("status") == "interrupted"
    return Recording(
        folder=folder,
        status=130 if interrupted else status,
        fits=fits,
        keras=bool(meta.get("keras")),
        error=str(meta.get("error", "")),
        legacy=bool(meta.get("tf_keras")),
        complete="ended" in meta,
    )
