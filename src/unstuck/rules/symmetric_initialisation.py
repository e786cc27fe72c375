"""ACT202: units that start alike and stay alike."""

from __future__ import annotations

from unstuck.experiments.interventions.initialise import Reinitialise, initializer_name
from unstuck.finding import Evidence
from unstuck.measure.network.kernels import Kernels
from unstuck.measure.room import Room
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

CONCLUSION = "units with the same weights in and out get the same gradient, so they stay copies for any data and rate"


class SymmetricInitialisation(Rule):
    """
    What it finds:
    A hidden layer all of whose units hold the same weights, at the start and still at the end.

    Why training stops:
    Units that start with the same weights, in and out, compute the same and get the same gradient. Nothing can tell
    them apart, so a layer of 32 units is one unit, 32 times. `Constant`, `Ones`, and `set_weights` with one number do
    that.

    What you see:
    A network that trains like one with a single unit a layer: a plateau well above what the data allow.

    How it is proven:
    The columns of every kernel are compared in the first and the last snapshot. Then the kernels start at random.

    When to ignore it:
    When one unit a layer is enough.

    References:
    Goodfellow, Bengio, Courville 2016, "Deep Learning", section 8.4; keras-team/keras issue 16539.
    """

    code = "ACT202"
    severity = "error"
    sick = Example(
        """
same = keras.initializers.Constant(0.1)
model = keras.Sequential([
    keras.Input((64,)),
    keras.layers.Dense(32, activation="relu", kernel_initializer=same),
    keras.layers.Dense(32, activation="relu", kernel_initializer=same),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.003), loss="sparse_categorical_crossentropy")
model.fit(x.reshape(-1, 64), y, validation_data=(x_val.reshape(-1, 64), y_val), epochs=5, verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.Input((64,)),
    keras.layers.Dense(32, activation="relu", kernel_initializer="he_uniform"),
    keras.layers.Dense(32, activation="relu", kernel_initializer="he_uniform"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.003), loss="sparse_categorical_crossentropy")
model.fit(x.reshape(-1, 64), y, validation_data=(x_val.reshape(-1, 64), y_val), epochs=5, verbose=0)
""",
        data="images",
    )

    def check(self, setup: Setup, kernels: Kernels, room: Room | None) -> Judgement:
        hidden = {layer.name: layer for layer in setup.hidden}
        owned = [kernel for kernel in kernels.kernels if kernel.layer in hidden]
        if not owned:
            return NotApplicable("no hidden layer with a kernel")
        copies = [kernel for kernel in owned if kernel.alike and kernel.last_alike]
        if not copies:
            return Cleared(f"the units of {len(owned)} hidden kernels differ", 0, 0)
        first = copies[0]
        layer = hidden[first.layer]
        constant = initializer_name(layer.config.get("kernel_initializer")) in ("constant", "ones")
        # Where one unit is enough nothing is lost, and the finding is left to the trials.
        proven = kernels.steps > 0 and room is not None and room.exists
        return Suspect(
            message=f"all {first.units} units of '{first.layer}' are copies of each other",
            confidence="proven" if proven else "likely",
            location=setup.layer_location(layer, "kernel_initializer", None, "one number for all")
            if constant
            else setup.layer_location(layer, label="units alike"),
            related=tuple(setup.layer_location(hidden[other.layer], label="here too") for other in copies[1:]),
            evidence=tuple(
                Evidence(
                    measure="identical-units",
                    value=kernel.units,
                    of=kernel.units,
                    text=f"the {kernel.units} units of '{kernel.layer}' have equal weights at the start and, but for "
                    f"rounding, after {kernels.steps} steps",
                )
                for kernel in copies
            ),
            cures=(Reinitialise("glorot_uniform"),),
            conclusion=CONCLUSION if proven else "",
            leads_to=("model-too-small", "vanishing-gradient", "learning-rate-too-high", "dying-relu"),
        )
