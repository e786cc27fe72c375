"""The cause and the cure of a finding as two experiments on the recorded rows, made again without any trial."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unstuck.diagnosis.judge import judge_all
from unstuck.errors import UnstuckError
from unstuck.experiments.base import as_written
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention, Together
from unstuck.finding import Finding, Report
from unstuck.measure.case import Case, Missing
from unstuck.measure.task import Task
from unstuck.record.recorded import read_run
from unstuck.rules import catalogue


@dataclass(frozen=True)
class Pair:
    """The run as written and with the tried change.

    Attributes:
        label: the change in words. held_y: canonical labels of the held-out rows, in the same order for both.
        backend: where it was recorded. classes: whether the labels are class numbers.
    """

    written: Experiment
    cured: Experiment
    label: str
    held_y: np.ndarray
    backend: str
    classes: bool


def pair_of(folder: Path, report: Report, finding: Finding) -> Pair:
    """The two experiments of a finding.

    Raises:
        UnstuckError: E021 when no change was tried for it, or the record does not hold what is needed.
    """
    run = read_run(folder)
    fit = next(f for f in run.fits if f.index == finding.fit)
    case = Case(run, fit)
    try:
        base, task = as_written(case), case.get(Task)
    except Missing as missing:
        raise _cannot(f"it needs {missing.evidence}", missing.supply) from None
    if base.custom and (Path(base.custom[0]) / f"{base.custom[1]}.pickle").exists():
        raise _cannot("the model has classes or functions of your own", "copy them and the fit into a script by hand")
    tried = {t.label for t in report.experiments if t.id in finding.experiments and t.role == "intervention"}
    wanted = next((t.label for t in report.experiments if t.id == finding.cure), None)
    known = {change.label: change for change in _changes(case)}
    change = known.get(wanted or "") or next((known[label] for label in tried if label in known), None)
    if change is None:
        raise _cannot("no change was tried for it", "`unstuck diagnose` with a larger --budget tries more")
    written, held_y = base, task.held_y
    if change.baseline is not None:
        written, held_y = change.baseline.for_seed(base, held_y, 0)
    cured, _ = change.for_seed(base, task.held_y, 0)
    return Pair(written, cured, change.label, held_y, str(fit.body["backend"]), task.is_classes)


def _changes(case: Case) -> Iterator[Intervention]:
    """Every cure that the rules name for this fit, and all pairs of them."""
    suspects = [judged.suspect for judged in judge_all(catalogue(), case) if judged.suspect is not None]
    cures = [cure for suspect in suspects for cure in suspect.cures]
    yield from cures
    yield from (Together((a, b)) for a in cures for b in cures if a is not b)


def _cannot(reason: str, do: str) -> UnstuckError:
    return UnstuckError("E021", f"this finding cannot be shown by a script: {reason}", do=do)
