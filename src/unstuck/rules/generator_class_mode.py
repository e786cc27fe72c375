"""A stream whose labels have another format than the output."""

from __future__ import annotations

from unstuck.finding import Evidence, Fix
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered
from unstuck.measure.setup import SPARSE, Setup
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect


class GeneratorClassMode(Rule):
    """A generator gives one-hot labels to an output of one unit.

    What it finds
    A stream whose labels are rows of one column a class, before a model with a single output unit: the default
    class_mode of flow_from_directory, or label_mode="categorical".

    Why training stops
    The two columns of a one-hot label are compared with one and the same output: one asks it to rise, the other to
    fall by as much. What is left is 0.5 for every image. Losses that check shapes raise instead.

    What you see
    An accuracy of exactly 0.5 and a loss that does not move; or a ValueError about shapes.

    How it is proven
    By the shapes of labels and output.

    When to ignore it
    Never.

    References
    keras-team/keras#13006; keras.io/api/data_loading/image (label_mode).
    """

    code = "DAT112"
    severity = "error"
    sick = Example(
        """
class Batches(keras.utils.PyDataset):
    def __len__(self):
        return len(x) // 32

    def __getitem__(self, number):
        rows = slice(32 * number, 32 * number + 32)
        return x[rows], np.eye(2, dtype="float32")[y[rows].astype(int)]


model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="mse", metrics=["accuracy"])
model.fit(Batches(), epochs=10, verbose=0)
"""
    )
    healthy = Example(
        """
class Batches(keras.utils.PyDataset):
    def __len__(self):
        return len(x) // 32

    def __getitem__(self, number):
        rows = slice(32 * number, 32 * number + 32)
        return x[rows], y[rows]


model = keras.Sequential([
    keras.Input((30,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(Batches(), epochs=25, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(self, setup: Setup, contract: Contract, data: Data) -> Cleared | NotApplicable | Suspect:
        if not data.stats.get("stream"):
            return NotApplicable("fit was given arrays: see label-format-mismatch")
        if not contract.single or setup.custom_train_step or contract.width is None:
            return NotApplicable("the labels and the output cannot be paired")
        columns = data.y.shape[-1] if data.y.ndim == 2 else 1
        one_hot = columns > 1 and bool(((data.y == 0) | (data.y == 1)).all() and (data.y.sum(axis=1) == 1).all())
        if contract.width != 1 or setup.loss.name in SPARSE or not one_hot:
            return Cleared(f"labels of {columns} columns before {contract.width} output units")
        kind = str(data.stats.get("kind", "stream"))
        return Suspect(
            message=f"{kind} gives one-hot labels of {columns} columns, and the output has one unit",
            confidence="proven",
            location=setup.sources.argument(setup.sites["fit"], "x", 0, label=f"labels of {columns} columns")
            or setup.fit_location(),
            related=(setup.layer_location(setup.head.layer, "units", 0, label="one unit"),),
            evidence=gathered(
                Evidence(
                    measure="label-columns",
                    text=f"each label is a row of {columns} columns with a single 1",
                    value=columns,
                    expected=1,
                ),
                Evidence(measure="fit-raised", text=f"fit raised {contract.error.splitlines()[0][:120]}")
                if contract.error
                else None,
            ),
            fix=Fix(
                title='ask the generator for class numbers: class_mode="binary" (label_mode="binary")'
                if columns == 2
                else f"give the output {columns} units, softmax and categorical cross-entropy",
                applicability="sketch",
            ),
            conclusion="all columns of a one-hot row are compared with one output, and they sum to 1 for every row",
            leads_to=(
                "label-format-mismatch",
                "broadcast-target",
                "broadcast-loss",
                "no-signal",
                "squared-error-on-classes",
            ),
        )
