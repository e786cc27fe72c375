"""Labels in a form that the loss does not take."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.experiments.interventions.loss import SetLoss
from unstuck.finding import Evidence, Fix
from unstuck.measure.contract import UNKNOWN_SHAPES, Contract, Shape
from unstuck.measure.data import Data
from unstuck.measure.seen import gathered
from unstuck.measure.setup import BINARY, CATEGORICAL, SPARSE, Setup
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

MAX_CLASSES = 1000


class LabelFormatMismatch(Rule):
    """The labels are class numbers where the loss wants one column a class, or the other way round.

    What it finds
    Targets whose shape does not fit the output under the compiled loss: class numbers with categorical cross-entropy,
    one-hot rows with its sparse form, more or fewer columns than units.

    Why training stops
    The loss cannot be computed. Keras 3 raises at the first batch; Keras 2 broadcast some of these and trained on
    nonsense.

    What you see
    "Arguments `target` and `output` must have the same shape", or "must have rank (ndim) `target.ndim - 1`".

    How it is proven
    By comparing the two shapes as Keras compares them; the same network with the loss for these labels is trained.

    When to ignore it
    Never: no data, seed or backend makes the shapes fit.

    References
    keras/src/losses/loss.py (squeeze_or_expand_to_same_rank), keras/src/ops/nn.py. OlafenwaMoses/ImageAI#64;
    keras-team/keras#7749.
    """

    code = "OUT114"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile("adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=10, validation_data=(x_val, y_val), verbose=0)
""",
        data="three-classes",
        raises=True,
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

    def check(self, setup: Setup, contract: Contract, data: Data | None) -> Cleared | NotApplicable | Suspect:
        name = setup.loss.name
        takes_classes = name in BINARY | CATEGORICAL | SPARSE
        if setup.loss.custom or not (takes_classes or contract.error):
            return NotApplicable("the loss does not take classes")
        if not contract.single or setup.custom_train_step:
            return NotApplicable("the loss and the output cannot be paired (several outputs, or an own training step)")
        labels, output = contract.label_shape, contract.shape
        if labels is None or output is None:
            return NotApplicable(UNKNOWN_SHAPES)
        if _fits(labels[1:], output[1:], sparse=name in SPARSE):
            return Cleared("the shapes of labels and output fit")
        if output[-1] == 1 and name in CATEGORICAL | SPARSE:
            return NotApplicable("one unit under a categorical loss: see categorical-loss-on-one-unit")
        numbers = labels[-1] == 1 or len(labels) < len(output)
        held = (
            f"rows of {labels[-1]} columns" if not numbers else "class numbers" if takes_classes else "one number each"
        )
        wanted = "class numbers" if name in SPARSE else f"rows of {output[-1]} columns"
        cures: tuple[Intervention, ...] = (_linear(labels),)
        if takes_classes or _classes(data):
            cures = _cures(setup, data, labels, output, numbers=numbers)
        elsewhere = _at_other_positions(labels, output, sparse=name in SPARSE)
        if elsewhere:
            cures = ()
            held = f"of the shape {_words(labels[1:])} a row"
            wanted = _words(output[1:-1] if name in SPARSE else output[1:])
        return Suspect(
            message=f"the labels are {held}, and {name.replace('_', ' ')} wants {wanted}",
            confidence="proven",
            location=setup.loss_location(f"wants {wanted}"),
            related=(setup.sources.argument(setup.sites["fit"], "y", 1, label=f"shape {_words(labels)}"),),
            evidence=gathered(
                Evidence(
                    measure="label-shape",
                    text=f"the labels have the shape {_words(labels)}, the output {_words((None, *output[1:]))}",
                ),
                Evidence(measure="fit-raised", text=f"fit raised {contract.error.splitlines()[0][:120]}")
                if contract.error
                else None,
            ),
            cures=cures,
            fix=_same_positions(setup) if elsewhere else None,
            conclusion="the loss compares labels and output element by element, and their shapes differ",
            leads_to=("labels-out-of-range", "broadcast-target", "binary-loss-on-one-hot"),
        )


def _fits(labels: Shape, output: Shape, *, sparse: bool) -> bool:
    """Whether Keras takes these shapes (without the batch axis); unknown lengths fit."""
    if sparse:
        labels = labels[:-1] if len(labels) == len(output) and labels[-1] == 1 else labels
        return len(labels) == len(output) - 1 and _same(labels, output[:-1])
    if len(labels) == len(output) + 1 and labels[-1] == 1:
        labels = labels[:-1]
    elif len(output) == len(labels) + 1 and output[-1] == 1:
        output = output[:-1]
    return len(labels) == len(output) and _same(labels, output)


def _at_other_positions(labels: Shape, output: Shape, *, sparse: bool) -> bool:
    """Whether images or sequences have labels at other positions than the output answers for, whatever their coding."""
    if max(len(labels), len(output)) < 3:
        return False
    columns = labels[-1] == 1 if sparse else len(labels) == len(output)
    own, answered = labels[1:-1] if columns else labels[1:], output[1:-1]
    return len(own) != len(answered) or not _same(own, answered)


def _same_positions(setup: Setup) -> Fix | None:
    """Convolutions without padding answer for fewer positions than they are given."""
    if not any("Conv" in layer.kind and layer.config.get("padding") == "valid" for layer in setup.layers):
        return None
    return Fix(
        title='give the convolutions padding="same", so that the output has a position for each label',
        applicability="sketch",
        alternative="crop the labels to the positions that the output has",
    )


def _same(first: Shape, second: Shape) -> bool:
    return all(a is None or b is None or a == b for a, b in zip(first, second, strict=True))


def _cures(setup: Setup, data: Data | None, labels: Shape, output: Shape, *, numbers: bool) -> tuple[Intervention, ...]:
    """The loss for these labels where the units suffice, else the units too."""
    units = output[-1] or 0
    if numbers:
        classes = int(np.nanmax(data.y)) + 1 if data is not None and data.y.size else units
        if classes <= units:
            return (SetLoss("sparse_categorical_crossentropy", setup.head.activation == "linear"),)
        fits = classes <= MAX_CLASSES
        return (
            (ReplaceHead("softmax", "sparse_categorical_crossentropy", units=classes, labels="sparse"),) if fits else ()
        )
    columns = labels[-1] or 0
    if columns == units:
        return (SetLoss("categorical_crossentropy", setup.head.activation == "linear"),)
    return (ReplaceHead("softmax", "categorical_crossentropy", units=columns),) if columns > 1 else ()


def _linear(labels: Shape) -> Intervention:
    """A linear output with a unit for each column of the targets."""
    columns = labels[-1] if len(labels) > 1 else 1
    return ReplaceHead("linear", units=columns or 1)


def _classes(data: Data | None) -> bool:
    """Whether the labels are few whole numbers from 0 up."""
    values = np.unique(data.y) if data is not None else np.zeros(0)
    return 0 < len(values) <= MAX_CLASSES and bool(np.all(values == np.arange(len(values))))


def _words(shape: Shape) -> str:
    return "(" + ", ".join("batch" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"
