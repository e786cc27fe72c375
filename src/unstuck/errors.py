"""Errors for people: what happened, what was expected, what to do. Each has a code that `explain` knows."""

from __future__ import annotations


class UnstuckError(Exception):
    """Base of every error unstuck raises on purpose.

    Args:
        code: the stable handle, `E001` and up; `unstuck explain CODE` tells more.
        happened: what was seen, with the received value.
        expected: what would have been right.
        do: what the person can do now.
    """

    def __init__(self, code: str, happened: str, *, expected: str = "", do: str = "") -> None:
        self.code = code
        self.happened = happened
        self.expected = expected
        self.do = do
        super().__init__(" ".join(part for part in (happened, expected, do) if part))

    def __str__(self) -> str:
        return f"[{self.code}] {super().__str__()}"


class FindingsError(AssertionError):
    """A report holds findings at or above the asked severity."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines
        super().__init__(f"{len(lines)} finding{'s' if len(lines) > 1 else ''}:\n" + "\n".join(lines))


ERRORS: dict[str, str] = {
    "E001": (
        "The script does not exist or cannot be read. The path is taken from the folder you are in. Options "
        "of unstuck stand before the script; everything after it is handed to the script."
    ),
    "E002": "The path is a folder. Name the Python file to run, for example `unstuck run folder/train.py`.",
    "E003": (
        "The script is not valid Python for the interpreter that runs unstuck, so it was not started. The "
        "message names file, line and column. A notebook is run cell by cell in page order, without Jupyter: lines "
        "for IPython (`%magic`, `!command`) are left out."
    ),
    "E004": (
        "The script raised an exception or ended with a status other than 0. Its own traceback stands "
        "above. What was recorded until then is kept and judged, and the exit status is the script's."
    ),
    "E005": (
        "The run was interrupted. What was recorded until then is kept and judged; the exit status is 130. "
        "`unstuck diagnose` judges it again at any time."
    ),
    "E006": (
        "The script imported Keras but no call of `fit` was seen, so there is no training to judge. Perhaps "
        "it only defines functions, stops early without its arguments, or trains with gradients of its own: "
        "`fit` and loops over `train_on_batch` are recorded, other loops are not."
    ),
    "E007": (
        "The script never imported Keras, so there is nothing to judge. unstuck watches Keras 3 (`import "
        "keras`, or `tf.keras` with TensorFlow 2.16 and later), not Keras 2 under the name `tf_keras`. Training in a "
        "subprocess of the script is not seen."
    ),
    "E008": (
        "The script was killed by a signal. SIGKILL is often the system running out of memory, SIGSEGV a "
        "crash in native code. What was recorded until then survives and is judged; the exit status is 128 "
        "plus the signal."
    ),
    "E009": (
        "A setting is not valid. Settings come from the command line, else from environment variables such "
        "as UNSTUCK_BUDGET, else from the closest `unstuck.toml` or `[tool.unstuck]` in `pyproject.toml`, "
        "else from the defaults. `unstuck env` shows those in force and where each came from."
    ),
    "E010": (
        "The run was not found, or its id is not unique, or it has not been judged yet. Runs lie in "
        "`.unstuck/runs` of the folder where they were started; name one by its id, by the end of its id, "
        "or by its path."
    ),
    "E011": "There is no rule and no error of that name or code. `unstuck rules` lists all rules.",
    "E012": (
        "Rules about leakage compare rows before and after the split. The record holds only what was handed "
        "to `fit`, so these rules could not be checked. Run the whole script with `unstuck run`, from "
        "loading the data on, so that the split and every fitted transformer can be seen."
    ),
    "E013": (
        "unstuck itself failed. That is a fault of unstuck, not of your script. The recorded run is kept, "
        "and `unstuck diagnose -v` shows the traceback, which belongs in a report of the fault."
    ),
    "E014": (
        "A file could not be written. The run and its `report.json` are kept in the run folder, and "
        "`unstuck report` or `unstuck diagnose` can write the result elsewhere."
    ),
    "E015": "`unstuck.diagnose` was given a model that is not compiled. Call `model.compile(...)` first, as for `fit`.",
    "E016": (
        "A copy of the model could not be made or trained in a process of its own. Keras must be able to rebuild it "
        "from its configuration: give custom classes a `get_config`, or use `unstuck.Watch()` on your own `fit`."
    ),
    "E017": "An argument of `unstuck.diagnose` or `unstuck.Watch` has a value that is not understood.",
    "E018": (
        "`unstuck check` could not read a file: it is no Python, no notebook, or no text in the encoding it declares. "
        "The other files were judged. Correct it, or leave it out with `exclude` in the settings. The exit status is 2 "
        "only if no file could be read."
    ),
    "E019": (
        "A baseline lists known findings, which then neither show nor fail a build. `--write-baseline FILE` writes "
        "one that knows everything found now; `--baseline FILE` reads it. Fingerprints hold the rule, the file and "
        "what the finding is about, not the line, so that moved code stays known."
    ),
    "E020": (
        "`unstuck fix` puts exactly the edits that were tried into exactly the file that was recorded. The file has "
        "changed since then, or cannot be read, so nothing was written. Record the run again."
    ),
    "E021": "`unstuck repro` could not write a script for this finding: no experiment shows it, or rows were not kept.",
    "E022": (
        "Trials were asked to run on Ray, which is not installed or does not answer. `pip install 'unstuck[ray]'` "
        "installs it, `ray start --head` starts a cluster of one machine; without --executor trials run here."
    ),
    "E023": "A service to log to is not installed. Its extra brings it: `pip install 'unstuck[mlflow]'`.",
}
"""What `unstuck explain CODE` says. A code is never used again for something else."""
