"""Several processes of one script: the first that trains is recorded, once, and the record says so.

A process that the script starts with `multiprocessing` (as `torch.multiprocessing.spawn` does) is watched like the
script itself, into a folder of its own below the run folder, which begins with a copy of what its parent had recorded.
The first one that trains claims the run; of distributed training only rank 0 may. When the script has ended, the record
of that process takes the place of the script's own, and the others go.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import shutil
import sqlite3
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from unstuck.record.store import Reader, Writer

CLAIM, OTHERS, PREFIX = "claim", "others", "process-"
RANKS = ("RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "KERAS_DISTRIBUTION_PROCESS_ID")
"""Where torchrun, Open MPI, MPICH and Keras tell a process which of several it is."""


def declared_rank(environment: Mapping[str, str]) -> int:
    """Which process of a distributed training this is, by what its launcher has put into the environment."""
    for name in RANKS:
        if environment.get(name, "").isdecimal():
            return int(environment[name])
    with contextlib.suppress(ValueError, KeyError, TypeError):
        task = json.loads(environment.get("TF_CONFIG", "{}"))["task"]
        return 0 if task["type"] == "chief" else int(task["index"])
    return 0


def rank() -> int:
    """The same as the framework knows it, once training begins."""
    torch, jax = (getattr(sys.modules.get(name), "distributed", None) for name in ("torch", "jax"))
    if torch is not None and torch.is_available() and torch.is_initialized():
        return int(torch.get_rank())
    if jax is not None and getattr(jax, "is_initialized", bool)():
        return int(sys.modules["jax"].process_index())
    return declared_rank(os.environ)


def spread(model: Any) -> str:
    """How this training is spread over devices or processes, in words; "" when it is not."""
    import keras

    layout = keras.distribution.distribution()
    if layout is not None and layout.device_mesh.devices.size > 1:
        return f"on {layout.device_mesh.devices.size} devices by keras.distribution.{type(layout).__name__}"
    replicas = getattr(getattr(model, "distribute_strategy", None), "num_replicas_in_sync", 1)
    if replicas > 1:
        return f"on {replicas} devices by tf.distribute.{type(model.distribute_strategy).__name__}"
    torch = getattr(sys.modules.get("torch"), "distributed", None)
    if torch is not None and torch.is_available() and torch.is_initialized() and torch.get_world_size() > 1:
        return f"in {torch.get_world_size()} processes by torch.distributed"
    return ""


def claim(run: Path) -> bool:
    """Whether this process is the one whose training is recorded: the first one to ask, and of rank 0."""
    if rank() == 0:
        with contextlib.suppress(FileExistsError), (run / CLAIM).open("x") as file:
            file.write(str(os.getpid()))
            return True
    with (run / OTHERS).open("a") as file:
        file.write(f"{os.getpid()}\n")
    return False


def own_folder(parent: Path, run: Path) -> Path:
    """A folder for this process below that of the run, holding what its parent has recorded until now.

    Where another process has trained already, nothing of this one will be kept, and nothing is copied.
    """
    own = run / f"{PREFIX}{os.getpid()}"
    own.mkdir()
    if (run / CLAIM).exists():
        return own
    for path in parent.iterdir():
        if path.is_file() and path.name not in (CLAIM, OTHERS, "run.sqlite-shm"):
            shutil.copy(path, own)
    return own


class Invitation:
    """Sent to a process that `multiprocessing` starts: reading it there begins to watch.

    Args:
        arguments: of `execute.join`.
    """

    def __init__(self, arguments: tuple[Any, ...]) -> None:
        self._arguments = arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        # A path: in the environment of the script, unstuck is not installed.
        return runpy.run_path, (str(Path(__file__).with_name("boot.py")), {"JOIN": self._arguments})


def gather(run: Path) -> None:
    """The script has ended: make the record of the process that trained that of the run, and say which it was."""
    claimed = (run / CLAIM).read_text() if (run / CLAIM).exists() else ""
    others = set((run / OTHERS).read_text().split()) if (run / OTHERS).exists() else set()
    own = run / f"{PREFIX}{claimed}"
    if (own / "run.sqlite").exists():
        _adopt(run, own)
    if own.exists() or others:
        _tell(run, others, child=own.exists())
    for path in run.glob(f"{PREFIX}*"):
        shutil.rmtree(path, ignore_errors=True)
    for name in (CLAIM, OTHERS):
        (run / name).unlink(missing_ok=True)


def _adopt(run: Path, own: Path) -> None:
    reader = Reader(run)
    meta = reader.meta()
    reader.close()
    for folder in (run, own):
        _settle(folder)
    for path in sorted(own.iterdir(), key=lambda path: path.name == "run.sqlite"):  # last: then all it names is there
        path.replace(run / path.name)
    writer = Writer(run)
    for key in ("command", "script", "cwd", "started", "ended", "status", "error"):
        if key in meta:
            writer.meta(key, meta[key])
    writer.close()


def _settle(folder: Path) -> None:
    """Move what is still in the write-ahead log into the database, which then is one file and can be replaced whole."""
    with contextlib.closing(sqlite3.connect(folder / "run.sqlite")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _tell(run: Path, others: set[str], *, child: bool) -> None:
    which = "a process that the script started" if child else "the script's own process"
    rest = f"; {len(others)} more trained" if others else ""
    writer = Writer(run)
    writer.event("note", {"text": f"only the first process that trained was recorded, {which}{rest}"})
    writer.close()
