"""Run the person's script as Python would, with the recorder in place.

`run_script` is the parent side. `python -m unstuck.record.launch FOLDER SAMPLES SCRIPT ARGS...` is the child.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
import types
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from unstuck.record.store import Reader, new_folder


@dataclass(frozen=True)
class Recording:
    """What is known after the script has ended. `status` is its exit status, -N when signal N killed it."""

    folder: Path
    status: int
    fits: int
    keras: bool
    error: str


def run_script(
    script: Path, args: tuple[str, ...] = (), *, samples: bool = True, root: Path | None = None
) -> Recording:
    """Run `script` in a child process and record it under `root/.unstuck/runs` (default: the current folder).

    stdin, stdout and stderr are the script's own. An interrupt is passed on to the script and waited for.
    """
    folder = new_folder(root or Path.cwd())
    environment = dict(os.environ)
    environment.setdefault("PYTHONUNBUFFERED", "1") if sys.stdout.isatty() else None
    command = [
        sys.executable,
        "-m",
        "unstuck.record.launch",
        str(folder),
        str(int(samples)),
        str(script),
        *args,
    ]
    child = subprocess.Popen(command, env=environment)
    while True:
        try:
            status = child.wait()
            break
        except KeyboardInterrupt:
            if not sys.stdin.isatty():  # a terminal has already interrupted the whole process group
                child.send_signal(signal.SIGINT)
    return _recording(folder, status)


def _recording(folder: Path, status: int) -> Recording:
    if not (folder / "run.sqlite").exists():
        return Recording(folder, status, 0, False, "")
    reader = Reader(folder)
    meta = reader.meta()
    fits = sum(1 for _ in reader.events("fit"))
    reader.close()
    interrupted = meta.get("status") == "interrupted"
    return Recording(folder, 130 if interrupted else status, fits, bool(meta.get("keras")), str(meta.get("error", "")))


def _main(folder: Path, script: str, args: list[str], *, samples: bool) -> int:
    from unstuck.record import sklearn_hooks
    from unstuck.record.imports import after_import
    from unstuck.record.recorder import Recorder, environment

    recorder = Recorder.current = Recorder(folder, samples=samples)
    recorder.writer.meta("command", [script, *args])
    recorder.writer.meta("started", time.time())
    recorder.writer.meta("script", str(Path(script).resolve()))
    recorder.writer.meta("cwd", str(Path.cwd()))
    recorder.writer.source(str(Path(script).resolve()))
    after_import(
        {
            "keras": lambda: recorder.guard(lambda: _keras_arrived(recorder), "keras hooks"),
            "sklearn.base": lambda: recorder.guard(lambda: sklearn_hooks.install_base(recorder), "sklearn hooks"),
            "sklearn.model_selection": lambda: recorder.guard(
                lambda: sklearn_hooks.install_splits(recorder), "split hooks"
            ),
        }
    )
    _prefer_installed_backend()
    _keep_warnings(recorder)
    status, code = _execute(script, args, recorder)
    recorder.writer.meta("environment", environment())
    recorder.close(status)
    return code


def _keras_arrived(recorder: Any) -> None:
    from unstuck.record import keras_hooks

    recorder.writer.meta("keras", True)
    keras_hooks.install(recorder)


def _prefer_installed_backend() -> None:
    """Keras defaults to TensorFlow; without it, and with nothing else asked for, importing Keras would fail."""
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    if "KERAS_BACKEND" in os.environ or (home / "keras.json").exists():
        return
    if importlib.util.find_spec("tensorflow") is None and importlib.util.find_spec("jax") is not None:
        os.environ["KERAS_BACKEND"] = "jax"


def _keep_warnings(recorder: Any) -> None:
    show = warnings.showwarning

    def showwarning(
        message: Any, category: Any, filename: Any, lineno: Any, file: Any = None, line: Any = None
    ) -> None:
        body = {"text": str(message)[:1000], "category": category.__name__, "file": filename, "line": lineno}
        recorder.guard(lambda: recorder.writer.event("warning", body), "warning")
        show(message, category, filename, lineno, file, line)

    warnings.showwarning = showwarning


def _execute(script: str, args: list[str], recorder: Any) -> tuple[str, int]:
    """Run the script as `__main__`; return its status in words and its exit code, as Python would give it."""
    path = str(Path(script).resolve())
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=script, __builtins__=__builtins__, __spec__=None, __cached__=None)
    sys.modules["__main__"] = module
    sys.argv = [script, *args]
    sys.path[0] = str(Path(path).parent)
    try:
        code = compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
        exec(code, module.__dict__)
    except SystemExit as stop:
        code_number = _exit_code(stop.code)
        return ("completed" if code_number == 0 else f"exit {code_number}"), code_number
    except KeyboardInterrupt:
        _show_traceback()
        return "interrupted", 130
    except BaseException as error:
        recorder.guard(partial(recorder.writer.meta, "error", f"{type(error).__name__}: {error}"), "error")
        _show_traceback()
        return f"raised {type(error).__name__}", 1
    return "completed", 0


def _exit_code(code: Any) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code
    print(code, file=sys.stderr)
    return 1


def _show_traceback() -> None:
    """Print the traceback as plain Python would: without the frames of this package."""
    kind, error, _ = sys.exc_info()
    ours = str(Path(__file__).parent)
    if error is None or kind is None:
        return
    _drop_frames(error, ours, set())
    sys.excepthook(kind, error, error.__traceback__)


def _drop_frames(error: BaseException, ours: str, seen: set[int]) -> None:
    if id(error) in seen:
        return
    seen.add(id(error))
    kept = [t for t in _chain(error.__traceback__) if not t.tb_frame.f_code.co_filename.startswith(ours)]
    rebuilt = None
    for entry in reversed(kept):
        rebuilt = types.TracebackType(rebuilt, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    error.__traceback__ = rebuilt
    for other in (error.__cause__, error.__context__):
        if other is not None:
            _drop_frames(other, ours, seen)


def _chain(trace: types.TracebackType | None) -> list[types.TracebackType]:
    found = []
    while trace is not None:
        found.append(trace)
        trace = trace.tb_next
    return found


if __name__ == "__main__":
    _folder, _samples, _script, *_args = sys.argv[1:]
    sys.exit(_main(Path(_folder), _script, _args, samples=bool(int(_samples))))
