"""ACT201: kernels that all start at the same number."""

from __future__ import annotations

from itertools import pairwise

from unstuck.experiments.interventions.initialise import Reinitialise, initializer_name
from unstuck.finding import Evidence
from unstuck.measure.replay import Moment, Replay
from unstuck.measure.setup import SHAPE_ONLY, Layer, Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

THROUGH_ZERO = frozenset(
    {"relu", "tanh", "linear", "elu", "selu", "gelu", "swish", "silu", "leaky_relu", "softsign", "mish"}
)
"""Activations with f(0) = 0: a layer of zeros stays a layer of zeros."""
CONCLUSION = "a hidden layer of zeros gets its gradient through zeros, so it stays as it is for any data and rate"
CONSTANT = frozenset({"zeros", "ones", "constant"})


class ZeroInitialisedKernel(Rule):
    """
    What it finds:
    Two or more consecutive layers whose kernels start at zero (or all at one number), or a hidden ReLU layer that does.

    Why training stops:
    With zero kernels the hidden layer outputs zeros. The next kernel's gradient is a product with those zeros, and the
    first kernel's gradient is a product with the next kernel, zero again. Both stay zero for any data and any rate, so
    nothing of a row gets through and only biases move. A ReLU has slope 0 at 0, so one such layer is enough. Kernels
    of one other number get equal gradients for all units, which then stay copies of each other.

    What you see:
    A loss that stops at the constant answer's value after the bias has settled.

    How it is proven:
    By arithmetic, from the configuration and the recorded initial weights. A run with random initial weights shows
    what was lost.

    When to ignore it:
    A single zero kernel at the output or at the end of a residual branch is good practice, and is left alone.

    References:
    Goodfellow, Bengio, Courville 2016, "Deep Learning", section 8.4; Zhang et al. 2019, "Fixup Initialization"; keras-
    team/keras issue 12598; fizyr/keras-retinanet issue 712.
    """

    code = "ACT201"
    severity = "error"
    sick = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu", kernel_initializer="zeros"),
    keras.layers.Dense(1, activation="sigmoid", kernel_initializer="zeros"),
])
model.compile("adam", loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=5, verbose=0)
"""
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid", kernel_initializer="zeros"),
])
model.compile("adam", loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=5, verbose=0)
"""
    )

    def check(self, setup: Setup, replay: Replay | None) -> Judgement:
        weighted = [layer for layer in setup.layers if "kernel_initializer" in layer.config]
        if len(weighted) < 2:
            return NotApplicable("no hidden layer with a kernel")
        constant = [layer for layer in weighted if _constant(layer) is not None]
        pair = next(((a, b) for a, b in pairwise(weighted) if a in constant and b in constant), None)
        blocked = next(
            (
                layer
                for layer in weighted[:-1]
                if _constant(layer) == 0 and _silent(layer) and layer.activation == "relu"
            ),
            None,
        )
        if pair is None and blocked is None:
            return Cleared(
                f"{len(constant)} of {len(weighted)} kernels start at one number, no two in a row", len(constant), 2
            )
        layers = pair or (blocked, blocked)
        first = layers[0]
        assert first is not None
        if replay is not None and not _starts_at(replay.first, constant):
            return Cleared("other weights were loaded before training")
        zero = first is blocked or all(_constant(layer) == 0 for layer in layers if layer)
        proven = zero and _silent(first) and _chain(setup) and replay is not None and replay.first.step == 0
        return self._suspect(setup, replay, constant, first, zero=zero, proven=proven)

    def _suspect(
        self, setup: Setup, replay: Replay | None, constant: list[Layer], first: Layer, *, zero: bool, proven: bool
    ) -> Suspect:
        names = ", ".join(f"'{layer.name}'" for layer in constant)
        start = "zero" if zero else "one and the same number"
        evidence = [
            Evidence(
                measure="constant-kernels",
                value=len(constant),
                expected=1,
                text=f"the kernels of {names} start at {start}",
            )
        ]
        if replay is not None:
            gradients = replay.first.gradients("kernel")
            none = sum(g == 0 for g in gradients)
            evidence.append(
                Evidence(
                    measure="kernels-without-gradient",
                    value=none,
                    of=len(gradients),
                    text=f"the gradient of {none} of {len(gradients)} kernels is exactly 0 at the start",
                )
            )
        others = [layer for layer in constant if layer is not first]
        return Suspect(
            message=f"{_kernels(len(constant))} at {start}, so "
            + ("nothing of a row gets through" if zero else "all units of a layer stay alike"),
            confidence="proven" if proven else "likely",
            location=setup.layer_location(first, "kernel_initializer", None, f"starts at {start}"),
            related=tuple(setup.layer_location(layer, "kernel_initializer", None, "here too") for layer in others),
            evidence=tuple(evidence),
            cures=(Reinitialise("glorot_uniform"),),
            conclusion=CONCLUSION if proven else "",
            leads_to=("dying-relu", "vanishing-gradient", "dead-relu-output", "symmetric-initialisation"),
        )


def _kernels(number: int) -> str:
    return "a kernel starts" if number == 1 else f"{number} kernels start"


def _constant(layer: Layer) -> float | None:
    """The number a kernel starts at by configuration, or None when it is random."""
    given = layer.config.get("kernel_initializer")
    name = initializer_name(given)
    if name not in CONSTANT:
        return None
    value = (
        given.get("config", {}).get("value", 0.0)
        if isinstance(given, dict) and name == "constant"
        else float(name == "ones")
    )
    return float(value) if isinstance(value, (int, float)) else None


def _silent(layer: Layer) -> bool:
    """Whether a zero kernel makes the layer output exactly 0: no bias that starts elsewhere, f(0) = 0."""
    bias = not layer.config.get("use_bias", True) or initializer_name(layer.config.get("bias_initializer")) == "zeros"
    return bias and layer.builtin and layer.activation in THROUGH_ZERO


def _starts_at(moment: Moment, constant: list[Layer]) -> bool:
    """Whether the recorded kernels still hold the number they were initialised with."""
    names = {layer.name: abs(_constant(layer) or 0.0) for layer in constant}
    kernels = [v for v in moment.variables if v.path.endswith("kernel") and _owner(v.path) in names]
    return all(abs(v.value - names[_owner(v.path)]) <= 1e-6 for v in kernels) or moment.step > 0


def _owner(path: str) -> str:
    return path.split("/")[-2] if "/" in path else path


def _chain(setup: Setup) -> bool:
    """Whether layers follow one another without branches, so that a layer of zeros reaches the next as zeros."""
    known = SHAPE_ONLY | {
        "Dense",
        "Conv1D",
        "Conv2D",
        "Conv3D",
        "ReLU",
        "LeakyReLU",
        "ELU",
        "Rescaling",
        "Normalization",
    }
    return setup.model_kind == "sequential" and all(
        layer.kind in known or "Pooling" in layer.kind for layer in setup.layers
    )
