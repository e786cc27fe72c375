"""Validation classes that are numbered otherwise than training classes."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.renumber import RenumberClasses
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.held_scale import HeldScale
from unstuck.measure.replay import Replay
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill, reading_activation
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

ENOUGH_ROWS = 30
"""Held-out rows under which a renumbering may fit by luck."""
WRONG = 0.1
"""Held-out skill up to which the classes as they are numbered count as missed."""
RIGHT = 0.5
"""Held-out skill of the best renumbering from which the network clearly knows the classes; under chance the best of
all renumberings of ten classes on thirty rows reaches about 0.2."""
LIKE_TRAINING = 0.8
"""Share of the training skill that it must have too: classes that only go by other numbers are known as well."""


class ClassIndexMismatch(Rule):
    """The network knows the classes, and validation calls them by other numbers.

    What it finds
    Held-out labels that the network's answers miss, and match once the classes are renumbered.

    Why training stops
    It does not: the score does. Class numbers come from the order in which folders, categories or a set were read, and
    that order was another for the validation data.

    What you see
    A training score that is high and a validation score at or below chance, as in overfitting; a confusion matrix with
    full cells beside the diagonal.

    How it is proven
    The best renumbering is found by assignment. The network is trained with its training labels renumbered so, and
    scored on the held-out labels as they are.

    When to ignore it
    When the labels of validation are other classes on purpose.

    References
    Kuhn 1955, The Hungarian Method; keras/src/utils/dataset_utils.py (index_directory sorts the folders of each call).
    """

    code = "PIP109"
    severity = "error"
    sick = Example(
        """
renamed = np.array([2, 0, 1])
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, renamed[y_val]), verbose=0)
""",
        data="three-classes",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
    )

    def check(
        self,
        setup: Setup,
        contract: Contract,
        data: Data,
        task: Task,
        replay: Replay,
        skill: Skill,
        validation: HeldScale,
    ) -> Cleared | NotApplicable | Suspect:
        if not task.is_classes or not contract.single or data.held_kind == "holdout":
            return NotApplicable("there are no held-out classes to compare")
        answers = task.read(replay.held_outputs, reading_activation(setup))
        labels = task.held_y[: len(answers)]
        if len(labels) < ENOUGH_ROWS or answers.shape[1] != task.classes or not np.isfinite(answers).all():
            return NotApplicable("too few held-out rows, or other classes than outputs")
        if not skill.held <= WRONG or not skill.train >= RIGHT:
            return Cleared(
                f"the held-out skill is {skill.held:.2f}, on training rows {skill.train:.2f}", skill.held, WRONG
            )
        if validation.differs:
            return NotApplicable("the validation rows are of another scale than the training rows")
        unseen = np.setdiff1d(labels, task.y)
        if len(unseen):
            classes = f"class {unseen[0]}" if len(unseen) == 1 else f"{len(unseen)} classes"
            return NotApplicable(f"{classes} of validation were never trained, so no numbering fits")
        called = _renumbering(labels, answers.argmax(axis=1), task.classes)
        renamed = task.skill(answers[:, np.argsort(called)], labels)
        needed = max(RIGHT, LIKE_TRAINING * skill.train)
        if renamed < needed:
            return Cleared(f"no other numbering of the classes fits (skill {renamed:.2f})", renamed, needed)
        moved = [f"{old} is {new}" for old, new in enumerate(called) if old != new]
        return Suspect(
            message=f"validation numbers the classes otherwise: {', '.join(moved[:4])}",
            location=setup.sources.argument(setup.sites["fit"], "validation_data", label="other class numbers")
            or setup.fit_location(),
            related=(setup.sources.argument(setup.sites["fit"], "y", 1, label="than these"),),
            evidence=(
                Evidence(
                    measure="held-out-skill",
                    text=f"held-out skill is {skill.held:.2f} beside {skill.train:.2f} on training rows",
                    value=skill.held,
                    expected=skill.train,
                ),
                Evidence(
                    measure="renumbered-skill",
                    text=f"with the classes renumbered the same answers have the skill {renamed:.2f}",
                    value=renamed,
                    expected=skill.held,
                ),
            ),
            cures=(RenumberClasses(tuple(int(c) for c in called)),),
            # Reference learners are scored on the same labels: that they fail too says nothing.
            impairs=False,
            leads_to=("memorising", "model-too-small", "no-signal", "class-imbalance", "overlapping-rows"),
        )


def _renumbering(labels: np.ndarray, answers: np.ndarray, classes: int) -> np.ndarray:
    """For each class the number that validation has for it, so that most answers agree."""
    from scipy.optimize import linear_sum_assignment

    confusion = np.zeros((classes, classes))
    np.add.at(confusion, (answers, labels), 1)
    return np.asarray(linear_sum_assignment(confusion, maximize=True)[1])
