"""Run an example script in this process under the recorder and diagnose it with workers that stay open."""

from __future__ import annotations

import contextlib
import io
import time
import types
import warnings
from pathlib import Path
from typing import ClassVar

from unstuck.diagnosis import Workers, diagnose_folder
from unstuck.finding import Report
from unstuck.record.recorder import Recorder
from unstuck.record.store import Writer
from unstuck.rules.examples import prelude
from unstuck.rules.rule import Example
from unstuck.settings import Settings


def written(example: Example, folder: Path) -> Path:
    """The script of an example, in a new folder."""
    folder.mkdir(parents=True)
    script = folder / "train.py"
    script.write_text(prelude(example.data) + "\n" + example.code)
    return script


class Bench:
    """One recorder hooked into this process, moved to a new folder for each example.

    Keras is hooked once in a process, so all benches share the recorder.
    """

    _recorder: ClassVar[Recorder | None] = None

    def __init__(self) -> None:
        self.workers = Workers(())

    def diagnose(self, example: Example, folder: Path, settings: Settings) -> Report:
        self.record(written(example, folder), folder)
        return diagnose_folder(folder, settings, workers=self.workers)

    def record(self, script: Path, folder: Path) -> None:
        from unstuck.record import keras_hooks

        if Bench._recorder is None:
            Bench._recorder = Recorder(folder)
            keras_hooks.install(Bench._recorder)
        recorder = Bench._recorder
        recorder.writer, recorder.folder, recorder.fits = Writer(folder), folder, 0
        recorder._files.clear()
        recorder.writer.meta("script", str(script))
        recorder.writer.meta("cwd", str(folder))
        recorder.writer.meta("started", time.time())
        status = "completed"
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            try:
                module = types.ModuleType("__main__")
                exec(compile(script.read_text(), str(script), "exec"), module.__dict__)
            except Exception as error:
                status = f"raised {type(error).__name__}"
        recorder.close(status)
