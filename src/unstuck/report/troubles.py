"""What can go wrong with a script before, while and after it runs, in words."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from unstuck.errors import UnstuckError
from unstuck.report.console import relative

if TYPE_CHECKING:
    from unstuck.record.launch import Recording

MAX_ERROR = 200
"""Characters of the script's own error that are repeated."""


def check_script(script: Path) -> None:
    """Refuse what could not run, before anything is started."""
    do = "give the path of a Python script"
    if script.is_dir():
        raise UnstuckError("E002", f"{script} is a folder", expected="expected a Python script", do=do)
    try:
        source = script.read_bytes()
    except OSError as error:
        reason = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
        raise UnstuckError("E001", f"{script} {reason}", expected="expected a Python script", do=do) from None
    if script.suffix == ".ipynb":
        _check_notebook(script, source)
        return
    _check_syntax(script, source)


def _check_notebook(script: Path, source: bytes) -> None:
    try:
        content = json.loads(source)
        fine = isinstance(content, dict) and ("cells" in content or "worksheets" in content)
    except ValueError:
        fine = False
    if not fine:
        raise UnstuckError(
            "E003",
            f"{script} is no notebook: it holds no JSON with cells",
            expected="expected a Jupyter notebook",
            do="open it in Jupyter and save it again",
        )


def check_python(python: str | None) -> None:
    """Refuse an interpreter that is not there."""
    if python is not None and shutil.which(python) is None:
        raise UnstuckError(
            "E001",
            f"--python {python} is no program that can be run",
            expected="expected the Python of an environment with Keras",
            do="give its path, for example .venv/bin/python",
        )


def _check_syntax(script: Path, source: bytes) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, str(script), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line, column = getattr(error, "lineno", None) or 1, getattr(error, "offset", None) or 1
        said = getattr(error, "msg", None) or str(error)
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise UnstuckError(
            "E003",
            f"{script}:{line}:{column}: {said}",
            expected=f"expected a script that compiles with Python {version}",
            do="correct it; nothing was run",
        ) from None


def exit_status(status: int) -> int:
    """The script's status as a shell gives it: 128 + N for signal N, 130 for an interrupt."""
    return 128 - status if status < 0 else status


def after(script: Path | str, recording: Recording) -> UnstuckError | None:
    """What is to be said of a run that did not end well or that left nothing to judge."""
    fits, status = recording.fits, recording.status
    when = f"after {fits} fit{'s' if fits > 1 else ''}" if fits else "before the first fit"
    kept = f"the record is kept in {relative(recording.folder)}"
    do = f"{kept}; the diagnosis of what was recorded follows" if fits else f"nothing to judge; {kept}"
    done = "expected it to finish"
    if status in (130, -signal.SIGINT):
        return UnstuckError("E005", f"{script} was interrupted {when}", expected=done, do=do)
    if status < 0:
        return UnstuckError("E008", f"{script} was killed by {_signal_name(-status)} {when}", expected=done, do=do)
    if status:
        how = f"raised {_short(recording.error)}" if recording.error else f"ended with status {status}"
        return UnstuckError("E004", f"{script} {how} {when}", expected=done, do=do)
    if not recording.complete:
        return UnstuckError(
            "E014",
            f"the record of {script} is not complete: writing to {relative(recording.folder)} failed, or the script "
            "left by os._exit",
            expected="expected room for some megabytes, and an end that Python sees",
            do="training was not disturbed; what was written before is judged",
        )
    if fits:
        return None
    nothing = f"nothing could be recorded; {kept}"
    if recording.legacy and not recording.keras:
        return UnstuckError(
            "E007",
            f"{script} trains with tf_keras, which is Keras 2",
            expected="unstuck watches Keras 3: `import keras`, or `tf.keras` with TensorFlow 2.16 and later",
            do="unset TF_USE_LEGACY_KERAS, or import keras instead of tf_keras; nothing was watched",
        )
    if not recording.keras:
        return UnstuckError("E007", f"{script} uses no Keras", expected="expected it to import keras", do=nothing)
    return UnstuckError("E006", f"{script} never calls fit", expected="expected a call of model.fit", do=nothing)


def _short(error: str) -> str:
    """The first line of an exception, which may print all the data it was given; the traceback above has the rest."""
    line = error.split("\n", maxsplit=1)[0]
    return line if len(line) <= MAX_ERROR else f"{line[:MAX_ERROR]}..."


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
