"""ACT201: kernels that start at zero."""

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


class ZeroInitialisedKernel(Rule):
    """
    What it finds:
    Two or more consecutive layers whose kernels start at zero, or a hidden ReLU layer that does.

    Why training stops:
    With zero kernels the hidden layer outputs zeros. The next kernel's gradient is a product with those zeros, and the
    first kernel's gradient is a product with the next kernel, zero again. Both stay zero for any data and any rate, so
    nothing of a row gets through and only biases move. A ReLU has slope 0 at 0, so one such layer is enough.

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
        zero = [layer for layer in weighted if _starts_at_zero(layer)]
        pair = next((a for a, b in pairwise(weighted) if a in zero and b in zero), None)
        blocked = next(
            (one for one in weighted[:-1] if one in zero and _silent(one) and one.activation == "relu"), None
        )
        first = pair or blocked
        if first is None:
            return Cleared(f"{len(zero)} of {len(weighted)} kernels start at zero, no two in a row", len(zero), 2)
        if replay is not None and not _still_zero(replay.first, zero):
            return Cleared("other weights were loaded before training")
        proven = _silent(first) and _chain(setup) and replay is not None and replay.first.step == 0
        return self._suspect(setup, replay, zero, first, proven=proven)

    def _suspect(
        self, setup: Setup, replay: Replay | None, zero: list[Layer], first: Layer, *, proven: bool
    ) -> Suspect:
        names = ", ".join(f"'{layer.name}'" for layer in zero)
        evidence = [
            Evidence(
                measure="zero-kernels",
                value=len(zero),
                expected=1,
                text=f"the kernels of {names} start at zero",
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
        others = [layer for layer in zero if layer is not first]
        return Suspect(
            message=f"{'a kernel starts' if len(zero) == 1 else f'{len(zero)} kernels start'} at zero, so nothing of a "
            "row gets through",
            confidence="proven" if proven else "likely",
            location=setup.layer_location(first, "kernel_initializer", None, "starts at zero"),
            related=tuple(setup.layer_location(layer, "kernel_initializer", None, "here too") for layer in others),
            evidence=tuple(evidence),
            cures=(Reinitialise("glorot_uniform"),),
            conclusion=CONCLUSION if proven else "",
            leads_to=("dying-relu", "vanishing-gradient", "dead-relu-output"),
        )


def _starts_at_zero(layer: Layer) -> bool:
    """Whether the kernel starts at zero by configuration."""
    given = layer.config.get("kernel_initializer")
    value = given.get("config", {}).get("value") if isinstance(given, dict) else None
    return initializer_name(given) == "zeros" or (initializer_name(given) == "constant" and value == 0)


def _silent(layer: Layer) -> bool:
    """Whether a zero kernel makes the layer output exactly 0: no bias that starts elsewhere, f(0) = 0."""
    bias = not layer.config.get("use_bias", True) or initializer_name(layer.config.get("bias_initializer")) == "zeros"
    return bias and layer.builtin and layer.activation in THROUGH_ZERO


def _still_zero(moment: Moment, zero: list[Layer]) -> bool:
    """Whether the recorded kernels still hold the zeros they were initialised with."""
    names = {layer.name for layer in zero}
    kernels = [v for v in moment.variables if v.path.endswith("kernel") and _owner(v.path) in names]
    return all(v.value <= 1e-6 for v in kernels) or moment.step > 0


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
