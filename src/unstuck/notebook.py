"""`%load_ext unstuck`, then `%%unstuck` on a cell that trains: the report stands under the cell.

From loading on, data flow and layers are recorded, so that a split in an earlier cell is seen; a fit is recorded and
judged only under `%%unstuck`.
"""

from __future__ import annotations

import argparse
import linecache
import os
import shlex
import time
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from unstuck.diagnosis import diagnose_folder
from unstuck.errors import UnstuckError
from unstuck.finding import Report
from unstuck.record.execute import watch_imports
from unstuck.record.recorder import Recorder
from unstuck.record.store import new_folder
from unstuck.report.as_json import encoded
from unstuck.settings import Settings
from unstuck.settings import load as settings_in_force


def begin(shell: Any) -> None:
    """Register the magic and begin to record in this kernel."""
    shell.register_magic_function(Live(shell).cell, "cell", "unstuck")


class Live:
    """One kernel being recorded.

    Args:
        shell: the IPython shell.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._recorder = Recorder(new_folder(Path.cwd()))
        self._recorder.depth = 1  # as inside another fit: nothing but data flow is recorded
        self._names: dict[str, str] = {}
        self._seen = set(linecache.cache)
        self._recorder.writer.meta("cwd", str(Path.cwd()))
        self._recorder.writer.meta("started", time.time())
        watch_imports(self._recorder)
        shell.events.register("post_run_cell", self._remember)

    def _remember(self, _: object) -> None:
        """Keep the text of the cells that were compiled since; IPython puts it where tracebacks look for it."""
        number = self._shell.execution_count - 1  # IPython has counted on before it runs a cell
        for name in [n for n in linecache.cache if n not in self._seen]:
            self._seen.add(name)
            entry = linecache.cache[name]
            if len(entry) > 2 and not Path(name).exists():
                text = "".join(entry[2])
                self._names[name] = f"In [{number}]"
                self._recorder.guard(partial(self._recorder.writer.text, name, text), "cell")

    def cell(self, line: str, cell: str) -> Report | None:
        """Run the cell, then judge the fits it called. Options: `--experiments`, `--budget`, `--seeds`."""
        try:
            settings = _settings(line)
        except UnstuckError as error:
            print(f"unstuck: {error}")
            return None
        recorder, first = self._recorder, self._recorder.fits
        recorder.depth = 0
        try:
            self._shell.run_cell(f"# %%unstuck\n{cell}")  # the line of the magic counts in the notebook
        finally:
            recorder.depth = 1
        recorder.guard(partial(recorder.writer.meta, "status", "completed"), "end of cell")
        if recorder.fits == first:
            print("unstuck: this cell called no fit of a Keras model, so there is nothing to judge")
            return None
        return self._renamed(diagnose_folder(recorder.folder, settings, since=first))

    def _renamed(self, report: Report) -> Report:
        """The report with cells named as the notebook shows them: `In [4]`."""
        text = encoded(report).decode()
        for name, shown in self._names.items():
            for form in (name, os.path.relpath(name)):
                text = text.replace(encoded(form).decode(), encoded(shown).decode())
        return msgspec.json.decode(text, type=Report)


def _settings(line: str) -> Settings:
    parser = argparse.ArgumentParser("%%unstuck", add_help=False, exit_on_error=False)
    parser.add_argument("--experiments", choices=("off", "auto", "all"))
    parser.add_argument("--budget")
    parser.add_argument("--seeds", type=int)
    try:
        options, rest = parser.parse_known_args(shlex.split(line))
    except (argparse.ArgumentError, ValueError) as error:
        raise UnstuckError("E009", str(error), do="--experiments off|auto|all, --budget TIME, --seeds N") from None
    if rest:
        raise UnstuckError(
            "E009", f"%%unstuck does not know {rest[0]!r}", expected="--experiments, --budget, --seeds", do="remove it"
        )
    return settings_in_force(Path.cwd(), **vars(options))
