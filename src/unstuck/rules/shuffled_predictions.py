"""EVA102: predictions of shuffled rows compared with labels in another order."""

from __future__ import annotations

import ast

from unstuck.finding import Evidence, Fix
from unstuck.measure.code.predictions import Predictions
from unstuck.measure.code.source import called
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

COMPARING = ("confusion_matrix", "classification_report", "accuracy_score", "f1_score", "roc_auc_score", "mean", "sum")
"""Functions whose arguments are paired row by row with labels."""


class ShuffledPredictions(Rule):
    """
    What it finds:
    predict() on an iterator that shuffles its rows, whose answers are then compared with labels.

    Why training stops:
    It does not. predict() returns the answers in the order in which the iterator gave the rows. Labels from elsewhere,
    such as iterator.classes, are in the order of the files, so each answer is paired with another row's label.

    What you see:
    evaluate() reports a good accuracy, and a confusion matrix from predict() is at chance.

    How it is proven:
    The iterator handed to predict says that it shuffles, and the source compares the answers. Which labels they are
    compared with is not recorded, so this stays likely.

    When to ignore it:
    When the labels were collected in the same pass as the predictions.

    References:
    keras-team/keras issues 4225 and 6499; Stack Overflow question 45413712.
    """

    code = "EVA102"
    severity = "warning"
    sick = Example(
        """
class Batches(keras.utils.PyDataset):
    def __init__(self, x, y, shuffle=True):
        super().__init__()
        self.x, self.y, self.shuffle = x, y, shuffle
        self.order = np.random.permutation(len(x)) if shuffle else np.arange(len(x))
    def __len__(self):
        return -(-len(self.x) // 32)
    def __getitem__(self, index):
        rows = self.order[32 * index : 32 * (index + 1)]
        return self.x[rows], self.y[rows]

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
answers = model.predict(Batches(x_val, y_val), verbose=0)
print("accuracy", np.mean((answers[:, 0] > 0.5) == y_val))
"""
    )
    healthy = Example(
        """
class Batches(keras.utils.PyDataset):
    def __init__(self, x, y, shuffle=False):
        super().__init__()
        self.x, self.y, self.shuffle = x, y, shuffle
    def __len__(self):
        return -(-len(self.x) // 32)
    def __getitem__(self, index):
        return self.x[32 * index : 32 * (index + 1)], self.y[32 * index : 32 * (index + 1)]

model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=15, verbose=0)
answers = model.predict(Batches(x_val, y_val), verbose=0)
print("accuracy", np.mean((answers[:, 0] > 0.5) == y_val))
"""
    )

    def check(self, setup: Setup, predictions: Predictions, skill: Skill | None) -> Judgement:
        if not predictions.calls:
            return NotApplicable("predict was not called after this fit")
        shuffled = [predicted for predicted in predictions.calls if predicted.shuffled]
        if not shuffled:
            return Cleared("no iterator that says it shuffles was handed to predict", 0, 0)
        for predicted in shuffled:
            for use in predictions.read_by(predicted):
                if _compares(use):
                    accuracy = skill.held_accuracy if skill else float("nan")
                    return Suspect(
                        message="predictions of shuffled rows are compared with labels in another order",
                        location=setup.sources.location(predicted.site, "rows arrive shuffled"),
                        related=(predictions.location(predicted, use, "paired row by row"),),
                        evidence=gathered(
                            Evidence(
                                measure="shuffling-iterators",
                                value=len(shuffled),
                                text=f"{predicted.described.get('kind', 'the iterator')} has shuffle=True",
                            ),
                            Evidence(
                                measure="held-out-accuracy",
                                value=accuracy,
                                text=f"in the recorded order {accuracy:.3f} of the held-out rows are answered right",
                            )
                            if accuracy == accuracy
                            else None,
                        ),
                        conclusion="answers come in the order of the iterator; which labels they meet is not recorded",
                        impairs=False,
                        fix=Fix(title="use shuffle=False for what is predicted", applicability="sketch"),
                    )
        return Cleared("the answers are not compared with anything")


def _compares(use: ast.AST) -> bool:
    if isinstance(use, ast.Compare):
        return True
    name = called(use) if isinstance(use, ast.Call) else ""
    return name in COMPARING or name == "argmax"
