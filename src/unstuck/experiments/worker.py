"""A worker process that replays fits and trains experiments, on a backend of its own, and can be killed.

The parent asks over pipes with pickled messages; both ends are this package, nothing else is read.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import struct
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from unstuck.experiments.outcome import Job, Outcome
from unstuck.record.altered import tensorflow_left_alone
from unstuck.record.refit import Request

CACHE_BYTES = 512 * 2**20
MEMORY_SHARE = 0.7
"""Of the machine's memory, for one worker; beyond it a trial is lost, not the machine."""
NEVER_SHOWN = ("IPython", "charset_normalizer")
"""What Keras and NumPy import if it is there, for a notebook or for Fortran, and do without if it is not."""
LIBRARIES = ("tensorflow", "sklearn", "pandas")
"""What Keras takes along on the backends that need none of it."""


class WorkerLost(Exception):
    """The worker died, ran out of time or refused; the message says which."""


class Worker:
    """The parent's end. Starts its process on first use; use as a context manager.

    Args:
        backend: Keras backend of the process.
        paths: entries for its `sys.path`, so that the person's own modules are found.
    """

    def __init__(self, backend: str, paths: Sequence[str] = ()) -> None:
        self.backend = backend
        self._paths = tuple(paths)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Number of the process, None before it is started."""
        return self._process.pid if self._process else None

    def probe(self, folder: Path, fit: int, held: tuple[np.ndarray, ...], *, seconds: float) -> str:
        return str(self._ask(("probe", str(folder), fit, held), seconds))

    def record(self, folder: Path, request: Request, *, seconds: float) -> str:
        """Fit a copy of a model and record it in `folder`; see `record/refit.py`."""
        return str(self._ask(("record", str(folder), request), seconds))

    def train(self, jobs: Sequence[Job], *, seconds: float, native: bool = False) -> list[Outcome]:
        """Outcomes in the order of `jobs`.

        Raises:
            WorkerLost: on time-out, crash, or when Keras refuses the model.
        """
        return self._ask(("train", list(jobs), native), seconds)  # type: ignore[no-any-return]

    def _start(self) -> subprocess.Popen[bytes]:
        environment = dict(
            os.environ,
            KERAS_BACKEND=self.backend,
            TF_CPP_MIN_LOG_LEVEL="3",
            PYTHONWARNINGS="ignore",
            JAX_COMPILATION_CACHE_DIR=str(_compile_cache()),
            JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0",
            JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES="-1",
            MPLBACKEND="Agg",
        )
        return subprocess.Popen(
            [sys.executable, "-m", "unstuck.experiments.worker", os.pathsep.join(self._paths), str(_memory_limit())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )

    def _ask(self, request: tuple[Any, ...], seconds: float) -> Any:
        if self._process is None or self._process.poll() is not None:
            self._process = self._start()
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            _send(process.stdin, request)
            kind, answer = _receive(process.stdout, time.monotonic() + seconds)
        except (BrokenPipeError, EOFError) as error:
            self.close()
            raise WorkerLost("the worker process died (out of memory, or a crash in the backend)") from error
        except TimeoutError as error:
            self.close()
            raise WorkerLost(f"no answer within {seconds:.0f} s") from error
        except KeyboardInterrupt:
            self.close()
            raise
        if kind == "error":
            raise WorkerLost(str(answer))
        return answer

    def close(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()


def _compile_cache() -> Path:
    """The folder of compiled programs, kept below `CACHE_BYTES`: the least recently used half goes when it is full.

    JAX bounds it too, but takes one lock for every program it looks up, on which workers wait for each other.
    """
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "unstuck" / "jax"
    with contextlib.suppress(OSError):
        files = sorted((file.stat().st_atime, file.stat().st_size, file) for file in folder.glob("*"))
        if sum(size for _, size, _ in files) > CACHE_BYTES:
            for _, _, file in files[: len(files) // 2]:
                file.unlink(missing_ok=True)
    return folder


def _memory_limit() -> int:
    """Bytes that a worker may take: `MEMORY_SHARE` of the machine's memory; 0 where that is not known."""
    try:
        return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * MEMORY_SHARE)
    except (AttributeError, ValueError, OSError):
        return 0


def _limit_memory(limit: int) -> None:
    """Let an allocation beyond the limit fail, which ends this worker only, rather than the machine swap."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        if limit:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _send(pipe: BinaryIO | Any, message: object) -> None:
    data = pickle.dumps(message, protocol=5)
    pipe.write(struct.pack("<Q", len(data)) + data)
    pipe.flush()


def _receive(pipe: Any, until: float | None = None) -> Any:
    (size,) = struct.unpack("<Q", _read(pipe, 8, until))
    return pickle.loads(_read(pipe, size, until))


def _read(pipe: Any, size: int, until: float | None) -> bytes:
    parts: list[bytes] = []
    while size:
        if until is not None:
            left = until - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise TimeoutError
        part = os.read(pipe.fileno(), min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _serve(requests: Any, answers: Any) -> None:
    while True:
        try:
            request = _receive(requests)
        except EOFError:
            return
        try:
            with tensorflow_left_alone():
                answer: tuple[str, Any] = ("done", _handle(request))
        except Exception as error:
            trace = traceback.format_exc(limit=-4)
            first = (str(error) or "no message").splitlines()[0]
            answer = ("error", f"{type(error).__name__}: {first}")
            if os.environ.get("UNSTUCK_DEBUG"):
                answer = ("error", trace)
        _send(answers, answer)


def _handle(request: tuple[Any, ...]) -> Any:
    if request[0] == "probe":
        from unstuck.record.probe import probe_fit

        return probe_fit(Path(request[1]), request[2], request[3])
    if request[0] == "record":
        from unstuck.record.refit import record_fit

        return record_fit(Path(request[1]), request[2])
    from unstuck.experiments.engine import run_batched
    from unstuck.experiments.native import run_native

    return (run_native if request[2] else run_batched)(request[1])


def _import_keras() -> None:
    """Import Keras without the libraries that it only takes along: they cost seconds.

    Whoever needs one of them later, a custom layer say, imports it as usual.
    """
    hidden = NEVER_SHOWN if os.environ["KERAS_BACKEND"] == "tensorflow" else (*NEVER_SHOWN, *LIBRARIES)
    names = [name for name in hidden if name not in sys.modules]
    modules: dict[str, Any] = sys.modules
    modules.update(dict.fromkeys(names))  # None makes `import` raise ImportError, which Keras expects
    try:
        import keras  # noqa: F401
    finally:
        for name in names:
            del modules[name]


if __name__ == "__main__":
    _limit_memory(int(sys.argv[2]))
    _import_keras()
    sys.path[:0] = [path for path in sys.argv[1].split(os.pathsep) if path]
    _answers = os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("w") as _null:
        os.dup2(_null.fileno(), 1)
    _serve(sys.stdin.buffer, _answers)
