"""One class has nearly all rows, and the others are never predicted."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.class_weights import BalanceClasses
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill, reading_activation
from unstuck.measure.task import IMBALANCED, Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

FOUND = 0.2
"""Recall of the smaller classes, on held-out rows, from which the network has begun to tell them apart."""
SAME = 1e-6
"""Largest difference between two rows' probabilities that rounding leaves."""
ENOUGH = 10
"""Rows of the smaller classes under which a recall of 0 may be luck: with a true recall of 0.2 it happens in one of
ten samples."""

RANKS = 0.75
"""Area under the ROC curve from which the network has learnt to tell the rows apart, and its threshold hides it."""


class ClassImbalance(Rule):
    """The largest class has nearly all rows, and the network predicts nothing else.

    What it finds
    Labels of which one class has 80 % or more, on which the network finds fewer than one in five rows of the others.

    Why training stops
    The loss is a mean over rows. Always giving the largest class a probability equal to its share is nearly as good as
    it gets, few rows of a batch pull elsewhere, and accuracy does not notice.

    What you see
    An accuracy equal to the share of the largest class from the first epoch on; recall 0 for the others.

    How it is proven
    The same network is trained from the same seeds with every class weighing the same, and scored by balanced accuracy.

    When to ignore it
    When the network ranks the rows well and only the threshold of 0.5 is wrong for you: move the threshold. Imbalance
    that is learnt all the same is cleared.

    References
    keras.io/examples/structured_data/imbalanced_classification; keras-team/keras#10292, #2005.
    """

    code = "DAT107"
    severity = "error"
    echo_of = (
        "constant-target",
        "blank-inputs",
        "softmax-on-one-unit",
        "categorical-loss-on-one-unit",
        "empty-target-rows",
        "zero-sample-weights",
        "everything-frozen",
        "no-signal",
        "misaligned-labels",
    )
    sick = Example(
        """
rng = np.random.default_rng(0)
x = rng.normal(size=(1600, 10)).astype("float32")
score = x[:, 0] + x[:, 1] + 2 * rng.normal(size=1600)
y = (score > np.quantile(score, 0.93)).astype("float32")
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x[:1000], y[:1000], epochs=6, validation_data=(x[1000:], y[1000:]), verbose=0)
"""
    )
    healthy = Example(
        """
rng = np.random.default_rng(0)
x = rng.normal(size=(1600, 10)).astype("float32")
score = x[:, 0] + x[:, 1]
y = (score > np.quantile(score, 0.93)).astype("float32")
model = keras.Sequential([
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x[:1000], y[:1000], epochs=20, validation_data=(x[1000:], y[1000:]), verbose=0)
"""
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, task: Task, replay: Replay, skill: Skill
    ) -> Cleared | NotApplicable | Suspect:
        if not task.is_classes or not contract.single or setup.custom_train_step:
            return NotApplicable("the labels are not one class a row")
        if task.majority < IMBALANCED:
            return Cleared(f"the largest class has {task.majority:.0%} of the rows", task.majority, IMBALANCED)
        if setup.class_weight or data.weight is not None:
            return NotApplicable("rows or classes are weighted")
        held = data.held_kind != "holdout" and (task.held_y != task.base.argmax()).sum() >= ENOUGH
        outputs, labels = (replay.held_outputs, task.held_y) if held else (replay.train_outputs, task.y)
        answers = task.read(outputs, reading_activation(setup))
        labels = labels[: len(answers)]
        if len(answers) != len(labels) or answers.shape[1] < 2 or not np.isfinite(answers).all():
            return NotApplicable("the outputs and the labels cannot be paired")
        largest = int(task.base.argmax())
        others = labels != largest
        if others.sum() < ENOUGH:
            return NotApplicable(f"the smaller classes have {int(others.sum())} rows: too few to judge")
        if np.ptp(answers, axis=0).max() < SAME:
            return Cleared(
                "all rows get the very same answer, whatever they hold: no weights of classes would change it"
            )
        where = "held-out" if held else "training"
        recall = float((answers.argmax(axis=1) == labels)[others].mean())
        if recall >= FOUND:
            return Cleared(f"{recall:.0%} of the rows of smaller classes are found", recall, FOUND)
        area = _roc_area(1 - answers[:, largest], others)
        ranks = area >= RANKS
        seen = (
            f"the network ranks the others higher (ROC area {area:.2f}), yet predicts hardly any of them"
            if ranks
            else "hardly anything else is predicted"
        )
        return Suspect(
            message=f"class {largest} has {task.majority:.0%} of the rows, and {seen}",
            severity="warning" if ranks else None,
            location=setup.sources.argument(setup.sites["fit"], "y", 1, label=f"{task.majority:.0%} are {largest}")
            or setup.fit_location(),
            evidence=gathered(
                Evidence(
                    measure="majority-share",
                    text=f"{int((task.y == largest).sum())} of {len(task.y)} rows are of class {largest}",
                    value=task.majority,
                    expected=IMBALANCED,
                ),
                Evidence(
                    measure="minority-recall",
                    text=f"of the {int(others.sum())} {where} rows of other classes {recall:.0%} are found",
                    value=recall,
                    expected=FOUND,
                ),
                _accuracy(skill, task),
                Evidence(
                    measure="roc-area",
                    text=f"area under the ROC curve {area:.2f}: 0.5 is chance, 1 a perfect ranking that only needs "
                    "another threshold",
                    value=area,
                    expected=0.5,
                ),
            ),
            cures=(BalanceClasses(task.classes),),
            # The reference learners answer by majority too, so that they do no better clears nobody.
            impairs=False,
            leads_to=("model-too-small", "too-few-updates", "learning-rate-too-low", "memorising", "sparse-targets"),
        )


def _accuracy(skill: Skill, task: Task) -> Evidence | None:
    if not np.isfinite(skill.accuracy):
        return None
    text = f"accuracy {skill.accuracy:.3f} beside a largest class of {task.majority:.3f}"
    return Evidence(measure="accuracy-beside-majority", text=text, value=skill.accuracy, expected=task.majority)


def _roc_area(score: np.ndarray, positive: np.ndarray) -> float:
    """Area under the ROC curve of telling the smaller classes from the largest; 0.5 where all scores are equal."""
    from scipy.stats import rankdata

    count = int(positive.sum())
    ranks = rankdata(score)[positive].sum() - count * (count + 1) / 2
    return float(ranks / (count * (len(score) - count)))
