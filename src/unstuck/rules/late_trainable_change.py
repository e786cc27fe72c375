"""NET102: trainable was changed after compile."""

from __future__ import annotations

import ast

from unstuck.finding import Evidence, Fix, Location
from unstuck.measure.code.own_code import OwnCode
from unstuck.measure.contract import Contract
from unstuck.measure.network.moves import Moves
from unstuck.measure.network.trainable_change import TrainableChange
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

FIX = Fix(
    title="compile again after changing trainable, before the next fit",
    applicability="sketch",
    alternative="compile makes a new optimiser: pass a smaller learning rate for fine-tuning",
)


class LateTrainableChange(Rule):
    """
    What it finds:
    Layers that were frozen or released between two calls of fit without a compile in between.

    Why training stops:
    The training function is built at the first fit after compile, for the variables that are trainable then. On
    TensorFlow later changes do nothing: frozen layers go on training, released ones stay as they are. JAX and PyTorch
    refuse to train a variable that their optimiser was not built with.

    What you see:
    Fine-tuning that changes nothing, or a backbone that is destroyed although it is frozen; on JAX and PyTorch a
    ValueError about the structure of the variables.

    How it is proven:
    From the flags at both fits, with no compile between them, and from what moved: snapshots of each variable before
    and after the fit.

    When to ignore it:
    When the change was honoured, as a freeze is on PyTorch; such runs are cleared. Before the first fit a change is
    honoured everywhere.

    References:
    keras-team/keras issues 7965, 3268 and 4910; the Keras guide "Transfer learning and fine-tuning" (compile again).
    """

    code = "NET102"
    severity = "error"
    echo_of = ("everything-frozen",)
    sick = Example(
        """
base = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(8, activation="relu")])
base.trainable = False
model = keras.Sequential([base, keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
base.trainable = True
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
"""
    )
    healthy = Example(
        """
base = keras.Sequential([keras.layers.Dense(16, activation="relu"), keras.layers.Dense(8, activation="relu")])
base.trainable = False
model = keras.Sequential([base, keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
base.trainable = True
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
"""
    )

    def check(
        self, setup: Setup, change: TrainableChange, contract: Contract, moves: Moves | None, code: OwnCode
    ) -> Judgement:
        if change.earlier is None:
            return NotApplicable("this is the first fit since compile")
        names = (*change.frozen, *change.thawed)
        if not names:
            return Cleared("no layer was frozen or released since the fit before")
        if contract.error and (moves is None or not moves.steps):
            return self._suspect(setup, code, names, f"fit raised {contract.error.splitlines()[0][:100]}")
        if moves is None or not any(m.change for m in moves.variables):
            return NotApplicable("no weight moved in this fit, so nothing shows whether the change was honoured")
        moved = [
            m for m in moves.variables if m.change and any(m.of(n) for n in change.frozen) and not _statistic(m.path)
        ]
        still = [m for m in moves.variables if not m.change and any(m.of(n) for n in change.thawed)]
        if moved:
            weights = sum(m.size for m in moved)
            return self._suspect(setup, code, names, f"{weights:,} weights of frozen layers moved")
        if still and not any(m.change for m in moves.variables if any(m.of(n) for n in change.thawed)):
            weights = sum(m.size for m in still)
            return self._suspect(
                setup, code, names, f"none of {weights:,} released weights moved in {moves.steps} steps"
            )
        return Cleared("the change was honoured")

    def _suspect(self, setup: Setup, code: OwnCode, names: tuple[str, ...], seen: str) -> Suspect:
        places = assignments(code)
        return Suspect(
            message="trainable was changed after compile, so this fit does not train what the flags say",
            confidence="proven",
            location=places[0] if places else setup.fit_location(),
            related=(*places[1:3], setup.compile_location(label="compiled before the change")),
            evidence=gathered(
                Evidence(
                    measure="layers-changed-since-compile",
                    text=f"{len(names)} layers changed since the fit before, without compile: {', '.join(names[:3])}",
                    value=len(names),
                ),
                Evidence(measure="change-not-honoured", text=seen),
            ),
            conclusion="the training function keeps the variables it was built with until compile is called again",
            fix=FIX,
            leads_to=("cut-graph", "disconnected-branch", "learning-rate-too-low", "too-few-updates"),
        )


def assignments(code: OwnCode) -> tuple[Location, ...]:
    """Statements that set `trainable`, last ones first: the change is after the compile."""
    found = [
        code.location(file, node, "changed after compile")
        for file, parsed in code.trees
        for node in ast.walk(parsed)
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Attribute) and target.attr == "trainable" for target in node.targets)
    ]
    return tuple(sorted(found, key=lambda place: -place.line))


def _statistic(path: str) -> bool:
    """Moving averages of BatchNormalization and random seeds are never trained, frozen or not."""
    return path.endswith(("moving_mean", "moving_variance", "seed_generator_state"))
