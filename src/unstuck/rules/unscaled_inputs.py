"""Inputs far from unit scale."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.standardise import StandardiseInputs
from unstuck.finding import Evidence
from unstuck.measure.data import Data
from unstuck.measure.network.entrance import first_reader, normalised_after
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered, loss_at_chance
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

LARGE = 10.0
"""Root mean square of a column from which it is far from unit scale: Glorot's and He's initial weights are chosen for
inputs of size 1 (Glorot & Bengio 2010), so activations start ten times too large; catalogue DAT204 uses 10 too."""
SMALL = 0.01
"""Root mean square of the largest column below which the first layer starts at 1/100 of its size: biases drown it."""
OFFSET = 10.0
"""Mean over standard deviation from which a column is an offset with a little signal on top: the Hessian's condition
number grows with its square (LeCun et al. 1998, Efficient BackProp)."""
SCALING = frozenset(
    {
        "Normalization",
        "BatchNormalization",
        "LayerNormalization",
        "GroupNormalization",
        "UnitNormalization",
        "RMSNormalization",
        "Rescaling",
        "Embedding",
        "CategoryEncoding",
        "Discretization",
        "Hashing",
        "Lambda",
    }
)
"""Layers before the first weights that may bring the inputs to scale, or do not care for it."""


class UnscaledInputs(Rule):
    """Columns of the inputs are far from unit scale, and nothing scales them.

    What it finds
    Inputs whose size (root mean square) is above 10 or whose largest is below 0.01, or columns that sit more than 10
    standard deviations from 0, with no normalising layer before the first weights or right after them.

    Why training stops
    Initial weights and the usual learning rates are made for inputs near 1. Larger ones saturate or kill the first
    layer, or make each step too long in one direction and too short in the others.

    What you see
    A plateau at the base rate, one prediction for every row, a loss that starts in the hundreds or turns NaN; the same
    network works after StandardScaler.

    How it is proven
    The same network is trained from the same seeds on standardised inputs (statistics of the training rows only),
    beside lower learning rates and a placebo. Many networks cope; then the rule is refuted.

    When to ignore it
    When a frozen backbone expects this very scale.

    References
    LeCun et al. 1998, Efficient BackProp; questions 52800582 and 60831731 on Stack Overflow; keras-team/keras#2975.
    """

    code = "DAT204"
    severity = "error"
    echo_of = ("non-finite-inputs", "softmax-on-one-unit", "everything-frozen")
    sick = Example(
        """
from sklearn.model_selection import train_test_split

x, x_val, y, y_val = train_test_split(x, y, test_size=0.25, random_state=0, stratify=y)
model = keras.Sequential([
    keras.layers.Dense(16, activation="sigmoid"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.SGD(0.1), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="raw",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="sigmoid"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.SGD(0.1), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=40, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self, setup: Setup, data: Data, replay: Replay | None, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        columns = [a for a in data.x if not (a.dtype.kind in "biu" and _has(setup, "Embedding"))]
        if not columns:
            return NotApplicable("the inputs are token numbers")
        unclear = _scaled_by(setup)
        if unclear:
            return unclear
        table = np.concatenate([_by_channel(a) for a in columns], axis=1)
        size, offset = _scale(table)
        if not len(size):
            return NotApplicable("no input column varies")
        top, shifted = int(size.argmax()), int(offset.argmax())
        if SMALL <= size[top] <= LARGE and offset[shifted] <= OFFSET:
            return Cleared(f"the largest column has the size {size[top]:.3g}", float(size[top]), LARGE)
        worst = top if not SMALL <= size[top] <= LARGE else shifted
        return Suspect(
            message=_message(size, offset, worst),
            confidence="likely",
            location=setup.sources.argument(setup.sites["fit"], "x", 0, label="these inputs") or setup.fit_location(),
            related=(setup.layer_location(first_reader(setup) or setup.head.layer, label="sees them as they are"),),
            evidence=gathered(
                _described(table, worst, data.columns if len(data.columns) == table.shape[1] else ()),
                Evidence(
                    measure="columns-far-from-unit-scale",
                    text=f"{int((size > LARGE).sum())} of {len(size)} columns are larger than {LARGE:g}",
                    value=int((size > LARGE).sum()),
                    of=len(size),
                )
                if len(size) > 1 and size[top] > LARGE
                else None,
                _ratio(size),
                loss_at_chance(skill),
            ),
            cures=(StandardiseInputs(),),
            rivals=(ScaleLearningRate(0.1),),
            leads_to=(
                "dying-relu",
                "saturated-activation",
                "diverging-loss",
                "learning-rate-too-high",
                "vanishing-gradient",
                "momentum-oscillation",
                "learning-rate-too-low",
                "too-few-updates",
                "model-too-small",
                "undefined-operation",
            ),
        )


def _scaled_by(setup: Setup) -> Cleared | NotApplicable | None:
    """Why the scale of the inputs does not matter, or None when it does."""
    first = first_reader(setup)
    if first is None:
        return NotApplicable("no Dense or convolution layer reads the inputs")
    before = [layer for layer in setup.layers if layer.index < first.index]
    for layer in before:
        if layer.kind in SCALING:
            return Cleared(f"{layer.kind} comes before the first weights")
        if not layer.builtin:
            return NotApplicable(f"{layer.name} is a layer of the person's own and may scale the inputs")
    if not first.trainable:
        return NotApplicable("the first layer is frozen: its weights expect the scale they were trained on")
    if normalised_after(setup, first):
        after = setup.layers[first.index + 1].kind
        return Cleared(f"{after} follows the first weights, so the scale of the inputs cancels")
    return None


def _has(setup: Setup, kind: str) -> bool:
    return any(layer.kind == kind for layer in setup.layers)


def _by_channel(array: np.ndarray) -> np.ndarray:
    """One column a feature for tables, one for all pixels of images and all steps of sequences: (rows, columns)."""
    values = array.astype(np.float64)
    return values.reshape(len(values), -1) if values.ndim <= 2 else values.reshape(-1, values.shape[-1])


def _scale(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Root mean square of the columns, and mean over standard deviation of those that vary."""
    finite = np.isfinite(table)
    table = np.where(finite, table, np.where(finite.any(axis=0), np.nan, 0.0))
    with np.errstate(all="ignore"):
        mean, spread = np.nan_to_num(np.nanmean(table, axis=0)), np.nan_to_num(np.nanstd(table, axis=0))
        varies = spread > 1e-6 * np.abs(mean)
        offset = np.where(varies, np.abs(mean) / np.where(varies, spread, 1.0), 0.0)
    return (np.sqrt(mean**2 + spread**2), offset) if varies.any() else (np.zeros(0), np.zeros(0))


def _message(size: np.ndarray, offset: np.ndarray, worst: int) -> str:
    if size[worst] > LARGE:
        return f"inputs are as large as {size[worst]:,.4g} where networks expect about 1"
    if size.max() < SMALL:
        return f"inputs are at most of the size {size.max():.2g} where networks expect about 1"
    return f"an input column lies {offset[worst]:.3g} standard deviations away from 0"


def _described(table: np.ndarray, column: int, names: tuple[str, ...]) -> Evidence:
    values = table[:, column][np.isfinite(table[:, column])]
    name = names[column] if names else f"column {column}"
    text = f"{name} has the mean {values.mean():.4g} and the standard deviation {values.std():.3g}"
    size = float(np.sqrt((values**2).mean()))
    return Evidence(
        measure="column-size",
        text=f"{text} (largest value {np.abs(values).max():.4g})",
        value=size,
        expected=1.0,
    )


def _ratio(size: np.ndarray) -> Evidence | None:
    positive = size[size > 0]
    if len(positive) < 2:
        return None
    ratio = float(positive.max() / positive.min())
    return Evidence(
        measure="largest-to-smallest-column",
        text=f"the largest column is {ratio:,.3g} times the smallest",
        value=ratio,
        expected=1.0,
    )
