"""NET107: a part of the network that no loss depends on."""

from __future__ import annotations

import math

from unstuck.finding import Evidence, Fix, Location
from unstuck.measure.network.branches import Branches
from unstuck.measure.network.moves import Moves
from unstuck.measure.room import Room
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.training.keras_warnings import KerasWarnings
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

MOSTLY = 0.8
"""Share of what is learnable. A network that reaches it learns without the branch, so that is left over, as a note."""


class DisconnectedBranch(Rule):
    """
    What it finds:
    Layers with weights that read the network's layers and lead nowhere, or only to an output without a loss.

    Why training stops:
    Model(inputs, outputs) contains what lies on the way to its outputs and nothing else. A branch whose result is
    overwritten or forgotten is not part of it; a head without a loss gets no gradient.

    What you see:
    Fewer parameters in summary() than were built, or weights of a branch that never change.

    How it is proven:
    From the graph: which recorded layers were called on the model's layers and belong to no model, and which of its
    layers reach an output with a loss.

    When to ignore it:
    When the layers are left over from an attempt, or the output is only to be looked at. Where the network has learnt
    what there is to learn, nothing is said; where it has learnt most of that, a note.

    References:
    keras/src/models/functional.py (map_graph); the Keras guide "The Functional API".
    """

    code = "NET107"
    severity = "warning"
    echo_of = ("everything-frozen", "missing-loss")
    sick = Example(
        """
inputs = keras.Input((30,))
narrow = keras.layers.Dense(4, activation="relu")(inputs[:, 9:10])
wide = keras.layers.Dense(32, activation="relu")(inputs)
wide = keras.layers.Dense(32, activation="relu")(wide)
outputs = keras.layers.Dense(1, activation="sigmoid")(narrow)
model = keras.Model(inputs, outputs)
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
"""
    )
    healthy = Example(
        """
inputs = keras.Input((30,))
narrow = keras.layers.Dense(4, activation="relu")(inputs)
wide = keras.layers.Dense(32, activation="relu")(inputs)
outputs = keras.layers.Dense(1, activation="sigmoid")(keras.layers.concatenate([narrow, wide]))
model = keras.Model(inputs, outputs)
features = keras.Model(inputs, keras.layers.Dense(2)(wide))
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, validation_data=(x_val, y_val), epochs=12, verbose=0)
"""
    )

    def check(
        self, setup: Setup, branches: Branches, moves: Moves | None, warnings: KerasWarnings, room: Room | None
    ) -> Judgement:
        beside = branches.beside
        unlossed = [
            layer for layer in setup.layers if layer.name in branches.unlossed and layer.params and layer.trainable
        ]
        if moves is not None and moves.steps:
            unlossed = [x for x in unlossed if not any(m.change for m in moves.trained if m.of(x.name))]
        if not beside and not unlossed:
            if setup.model_kind == "subclassed":
                return NotApplicable("a model of one's own class has no graph to look at")
            return Cleared("every layer that was called leads to an output with a loss")
        if room is not None and not room.exists:
            return Cleared("layers lead nowhere, and the network learnt what there is to learn without them")
        names = [str(layer["name"]) for layer in beside] or [layer.name for layer in unlossed]
        weights = sum(int(layer["params"]) for layer in beside) or sum(layer.params or 0 for layer in unlossed)
        places: list[Location | None] = [
            setup.sources.location(layer.get("site"), "leads nowhere") for layer in beside
        ] or [setup.layer_location(layer, label="no loss depends on it") for layer in unlossed]
        where = (
            "called on layers of the model and part of no model" if beside else "feeding only outputs without a loss"
        )
        count = f"{len(names)} layer{'s' * (len(names) > 1)}"
        leads = "lead" if len(names) > 1 else "leads"
        listed = ", ".join(names[:3])
        message = f"{count} {leads} nowhere: {listed}" if beside else f"no loss depends on {count}: {listed}"
        suspect = Suspect(
            message=message,
            harmless=message,
            confidence="proven",
            location=places[0] or setup.fit_location(),
            related=tuple(places[1:4]),
            evidence=gathered(
                Evidence(
                    measure="disconnected-weights",
                    value=weights,
                    text=f"{count} with {weights:,} weights {where}",
                ),
                warnings.cite("Gradients do not exist for variables"),
            ),
            scope={"layers": ", ".join(names[:3])},
            conclusion="what no loss depends on is not trained",
            leads_to=("model-too-small", "learning-rate-too-low", "too-few-updates"),
            fix=Fix(title="connect the branch to an output, or remove it", applicability="sketch"),
        )
        learnable = 1.0 if room is None or math.isnan(room.learnable) else room.learnable
        return suspect.note if room is not None and room.reached >= MOSTLY * learnable > 0 else suspect
