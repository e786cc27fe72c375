"""Label means of groups taken again, from training rows only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.measure.data import flatten
from unstuck.measure.leakage.encoded import Code, numbers, sums


@dataclass(frozen=True)
class EncodeAgain(Intervention):
    """Give each group the code that follows from its training rows, and groups without any the code of no rows.

    Attributes:
        codes: the encoded columns and how their codes follow from labels.
        names: what to call the columns.
    """

    codes: tuple[Code, ...]
    names: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"{', '.join(self.names[:3])} encoded by training rows"

    def apply(self, experiment: Experiment) -> Experiment:
        labels = numbers(experiment.y)
        if labels is None:
            return experiment
        x, held = flatten(experiment.x), flatten(experiment.held_x)
        for code in self.codes:
            x[:, code.column], held[:, code.column] = _encoded(code, x[:, code.column], held[:, code.column], labels)
        return replace(experiment, x=_shaped(x, experiment.x), held_x=_shaped(held, experiment.held_x))


def _encoded(code: Code, train: np.ndarray, held: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, count, total = sums(train, labels)
    weight = count + code.weight
    usable = np.abs(weight) > 1e-6
    new = (code.slope * total + code.level * count + code.prior) / np.where(usable, weight, 1.0)
    unseen = code.prior / code.weight if code.weight > 1e-6 else code.slope * labels.mean() + code.level
    new = np.where(usable, new, unseen)
    place = np.searchsorted(values, held).clip(0, len(values) - 1)
    known = values[place] == held
    return new[np.searchsorted(values, train)], np.where(known, new[place], unseen)


def _shaped(table: np.ndarray, inputs: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    """The columns of `table` as the inputs they came from."""
    ends = np.cumsum([array[:1].size for array in inputs])[:-1]
    parts = np.split(table, ends, axis=1)
    return tuple(p.reshape(a.shape).astype(a.dtype) for p, a in zip(parts, inputs, strict=True))
