"""Whether the rows that gave the test score had chosen the model, and what the choice was worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.setup import Setup
from unstuck.measure.skill import reading_activation
from unstuck.measure.task import Task
from unstuck.record.recorded import RecordedFit

CHOOSERS = {
    "EarlyStopping": "early stopping",
    "ModelCheckpoint": "the best checkpoint",
    "ReduceLROnPlateau": "the learning rate schedule",
}
HALVES, SEED = 200, 59


@dataclass(frozen=True)
class Reuse:
    """Test rows that validated.

    Attributes:
        tested: rows handed to `evaluate` after the fit; shared: of them the validation rows of the fit.
        chosen_by: what the validation rows decided, in words; empty when nothing.
        optimism: skill that picking the best of several fits by these rows adds by luck; None with one fit.
        error: its standard error. site: of the evaluate call.
    """

    tested: int
    shared: int
    chosen_by: tuple[str, ...]
    optimism: float | None
    error: float
    site: Mapping[str, Any] | None

    @classmethod
    def of(cls, case: Case) -> Self:
        own = case.fit.arrays
        if "held-hash" not in own:
            raise Missing("validation rows", "hand validation_data to fit")
        best, shared, site = 0, 0, None
        for event in case.fit.evaluations:
            tested = case.run.arrays(f"evaluate-{event.sequence}").get("held-hash", np.zeros(0, np.uint64))
            same = int((np.isin(tested, own["held-hash"]) & ~np.isin(tested, own.get("train-hash", tested[:0]))).sum())
            if same >= shared and len(tested):
                best, shared, site = len(tested), same, event.body.get("site")
        chosen = [CHOOSERS[name] for name in case.fit.body.get("callbacks", ()) if name in CHOOSERS]
        rivals = _rivals(case)
        if len(rivals) > 1:
            chosen.append(f"the best of {len(rivals)} fits")
        optimism, error = _optimism(case, rivals) if len(rivals) > 1 else (None, 0.0)
        return cls(best, shared, tuple(dict.fromkeys(chosen)), optimism, error, site)


def _rivals(case: Case) -> list[RecordedFit]:
    """Fits of this run with the same training and validation rows: attempts at one task, this one among them."""
    own = case.fit.arrays
    return [
        fit
        for fit in case.run.fits
        if all(np.array_equal(fit.arrays.get(k, ()), own.get(k, ())) for k in ("held-hash", "train-hash"))
    ]


def _optimism(case: Case, rivals: list[RecordedFit]) -> tuple[float | None, float]:
    """Mean advantage, over halves of the rows, of the best fit on the half that picked it over the other half.

    Of a picked half the luck is larger than of all rows, by about the root of 2, which is taken off.
    """
    task, data, setup = case.find(Task), case.find(Data), case.find(Setup)
    if task is None or data is None or setup is None or len(task.held_y) != len(data.held_y):
        return None, 0.0
    activation = reading_activation(setup)
    answers = [task.read(fit.probe_arrays["held-outputs"], activation) for fit in rivals if fit.probe_arrays]
    count = min((len(a) for a in answers), default=0)
    if len(answers) < 2 or count < 20:
        return None, 0.0
    labels = task.held_y[:count]
    rng = np.random.default_rng(SEED)
    differences = []
    for _ in range(HALVES):
        order = rng.permutation(count)
        picks, reports = order[: count // 2], order[count // 2 :]
        scores = [task.skill(a[picks], labels[picks]) for a in answers]
        best = int(np.argmax(scores))
        differences.append(scores[best] - task.skill(answers[best][reports], labels[reports]))
    return float(np.mean(differences) / np.sqrt(2)), float(np.std(differences) / np.sqrt(HALVES) / np.sqrt(2))
