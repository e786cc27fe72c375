"""The recorded process: run a script, a module or a notebook as Python would, with the recorder in place."""

from __future__ import annotations

import importlib.util
import json
import linecache
import os
import sys
import time
import traceback
import types
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from unstuck.record.imports import after_import
from unstuck.record.recorder import Recorder, environment, wrapped


def main(arguments: list[str]) -> int:
    """Run `FOLDER OPTIONS TARGET ARGS...`, OPTIONS being JSON: `samples`, `module`; return the exit status."""
    folder, options, target, *args = arguments
    chosen = json.loads(options)
    recorder = Recorder.current = Recorder(Path(folder), samples=chosen["samples"], run=Path(folder))
    path = "" if chosen["module"] else str(Path(target).resolve())
    recorder.guard(lambda: _describe(recorder, [target, *args], path), "start")
    watch_imports(recorder)
    _watch_processes(recorder)
    _prefer_installed_backend()
    _keep_warnings(recorder)
    run = _module(target) if chosen["module"] else _notebook(path) if path.endswith(".ipynb") else _script(target)
    status, code = _execute(run, target, args, recorder)
    recorder.guard(lambda: recorder.writer.meta("environment", environment()), "end")
    recorder.close(status)
    return code


def join(run: str, parent: str, samples: bool) -> None:  # noqa: FBT001
    """Begin to watch this process, one that the recorded script has started."""
    if Recorder.current is None:
        recorder = Recorder.current = Recorder(Path(run), samples=samples, run=Path(run), parent=Path(parent))
        watch_imports(recorder)
        _watch_processes(recorder)


def _describe(recorder: Recorder, command: list[str], path: str) -> None:
    recorder.writer.meta("command", command)
    recorder.writer.meta("started", time.time())
    recorder.writer.meta("script", path or command[0])
    recorder.writer.meta("cwd", str(Path.cwd()))
    if path and not path.endswith(".ipynb"):
        recorder.writer.source(path)


def watch_imports(recorder: Recorder) -> None:
    """Hook Keras and scikit-learn as soon as they are imported; at once where they are already."""

    def hooked(name: str, action: Callable[[], None]) -> Callable[[], None]:
        return lambda: recorder.guard(action, name)

    def keras_arrived() -> None:
        from unstuck.record import keras_hooks

        recorder.writer.meta("keras", True)
        keras_hooks.install(recorder)

    def base_arrived() -> None:
        from unstuck.record import sklearn_hooks

        sklearn_hooks.install_base(recorder)

    def splits_arrived() -> None:
        from unstuck.record import sklearn_hooks

        sklearn_hooks.install_splits(recorder)

    after_import(
        {
            "keras": hooked("keras hooks", keras_arrived),
            "tf_keras": hooked("tf_keras", lambda: recorder.writer.meta("tf_keras", True)),
            "sklearn.base": hooked("sklearn hooks", base_arrived),
            "sklearn.model_selection": hooked("split hooks", splits_arrived),
        }
    )


def _watch_processes(recorder: Recorder) -> None:
    """Record also in processes that the script forks or that `multiprocessing` starts."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=recorder.forked)

    def spawning_arrived() -> None:
        from multiprocessing import spawn

        prepare = spawn.get_preparation_data

        def get_preparation_data(name: str) -> dict[str, Any]:
            data = prepare(name)
            data["unstuck"] = recorder.guard(recorder.invitation, "new process")
            return data

        spawn.get_preparation_data = wrapped(prepare, get_preparation_data)

    after_import({"multiprocessing.spawn": lambda: recorder.guard(spawning_arrived, "multiprocessing")})


def _prefer_installed_backend() -> None:
    """Keras defaults to TensorFlow; without it, and with nothing else asked for, importing Keras would fail."""
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    if "KERAS_BACKEND" in os.environ or (home / "keras.json").exists():
        return
    if importlib.util.find_spec("tensorflow") is None and importlib.util.find_spec("jax") is not None:
        os.environ["KERAS_BACKEND"] = "jax"


def _keep_warnings(recorder: Recorder) -> None:
    show = warnings.showwarning

    def showwarning(
        message: Any, category: Any, filename: Any, lineno: Any, file: Any = None, line: Any = None
    ) -> None:
        body = {"text": str(message)[:1000], "category": category.__name__, "file": filename, "line": lineno}
        recorder.guard(lambda: recorder.writer.event("warning", body), "warning")
        show(message, category, filename, lineno, file, line)

    warnings.showwarning = showwarning
    # Ours is the reason that windows do not open: see MPLBACKEND in record/launch.py.
    warnings.filterwarnings("ignore", message=".*is non-interactive, and thus cannot be shown")


def _main_module(**names: Any) -> dict[str, Any]:
    module = types.ModuleType("__main__")
    module.__dict__.update({"__builtins__": __builtins__, "__spec__": None, "__cached__": None} | names)
    sys.modules["__main__"] = module
    return module.__dict__


def _script(target: str) -> Callable[[Recorder], None]:
    def run(recorder: Recorder) -> None:
        path = str(Path.cwd() / target)
        sys.path[0] = str(Path(path).resolve().parent)
        namespace = _main_module(__file__=path)
        exec(compile(Path(path).read_bytes(), path, "exec", dont_inherit=True), namespace)

    return run


def _module(name: str) -> Callable[[Recorder], None]:
    """As `python -m name`: the current folder first on the path, a package by its `__main__`."""

    def run(recorder: Recorder) -> None:
        sys.path[0] = str(Path.cwd())
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
        loader: Any = spec.loader if spec else None
        if spec is None or not hasattr(loader, "get_code"):
            print(f"{sys.executable}: No module named {name}", file=sys.stderr)
            raise SystemExit(1)
        recorder.guard(partial(recorder.writer.meta, "script", spec.origin or name), "module")
        recorder.guard(partial(recorder.writer.source, spec.origin or ""), "module")
        sys.argv[0] = spec.origin or name
        namespace = _main_module(
            __file__=spec.origin, __spec__=spec, __package__=spec.parent, __loader__=loader, __cached__=spec.cached
        )
        exec(loader.get_code(spec.name), namespace)

    return run


def _notebook(path: str) -> Callable[[Recorder], None]:
    """Cell by cell in one namespace, in page order; code runs under the name of its cell."""

    def run(recorder: Recorder) -> None:
        from unstuck.record.notebook import display, read_cells

        sys.path[0] = str(Path(path).parent)
        os.chdir(Path(path).parent)  # where Jupyter would run it
        namespace = _main_module(display=display, get_ipython=lambda: None)
        left_out: list[str] = []
        cells = read_cells(Path(path))
        for cell in cells:
            recorder.guard(partial(recorder.writer.text, cell.file, cell.text), "cell")
            linecache.cache[cell.file] = (len(cell.text), None, cell.text.splitlines(keepends=True), cell.file)
            left_out += cell.left_out
        if left_out:
            note = {"text": "lines for IPython were not run: " + "; ".join(left_out)[:500]}
            recorder.guard(lambda: recorder.writer.event("note", note), "cells")
        for cell in cells:
            exec(compile(cell.text, cell.file, "exec", dont_inherit=True), namespace)

    return run


def _execute(run: Callable[[Recorder], None], target: str, args: list[str], recorder: Recorder) -> tuple[str, int]:
    """Run it; return its status in words and its exit code, as Python would give it."""
    sys.argv = [target, *args]
    try:
        run(recorder)
    except SystemExit as stop:
        code = _exit_code(stop.code)
        return ("completed" if code == 0 else f"exit {code}"), code
    except KeyboardInterrupt:
        _show_traceback()
        return "interrupted", 130
    except BaseException as error:
        recorder.guard(partial(recorder.writer.meta, "error", f"{type(error).__name__}: {str(error)[:2000]}"), "error")
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
    if sys.excepthook is sys.__excepthook__ and any(
        ".ipynb:cell " in t.tb_frame.f_code.co_filename for t in _chain(error.__traceback__)
    ):
        traceback.print_exception(error)  # the interpreter's own printer looks for lines in files only
    else:
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
