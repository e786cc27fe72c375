"""NaN or infinity in the inputs."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.impute import ImputeInputs
from unstuck.finding import Evidence
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.seen import first_non_finite, fit_raised, gathered
from unstuck.measure.setup import Setup
from unstuck.measure.training.curve import Curve
from unstuck.rules.rule import Cleared, Example, Rule, Suspect

SHOWN = 3
"""Columns named in a sentence."""


class NonFiniteInputs(Rule):
    """The inputs hold NaN or infinity.

    What it finds
    Entries of the training or validation inputs that are not finite numbers.

    Why training stops
    NaN times a weight is NaN: one such cell makes the loss of its batch NaN, then the gradient, then every weight. On
    TensorFlow ReLU turns NaN into 0 on the way forward, so the loss stays finite while weights become NaN, and the run
    sits at the loss of a constant answer. PyTorch's binary cross-entropy refuses NaN and raises.

    What you see
    loss: nan from the batch that holds the cell; or, on TensorFlow, a plateau at the variance or the entropy of the
    labels. With bad cells only in validation, val_loss: nan beside a training loss that falls.

    How it is proven
    By counting the cells over all rows, with the first step whose loss or weights are not finite. The same network is
    trained with the cells filled.

    When to ignore it
    When a layer of your own handles missing values; a run that stays finite is cleared.

    References
    keras-team/keras#2134, #6447; question 40050397 on Stack Overflow; prs-eth/Marigold#111.
    """

    code = "DAT201"
    severity = "error"
    sick = Example(
        """
x = x.copy()
x[::40, 3] = np.nan
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=4, validation_data=(x_val, y_val), verbose=0)
"""
    )
    healthy = Example(
        """
x = x.copy()
x[::40, 3] = np.nan
x = np.where(np.isnan(x), np.nanmean(x, axis=0), x).astype("float32")
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
"""
    )

    def check(
        self, setup: Setup, contract: Contract, data: Data, curve: Curve | None, replay: Replay | None
    ) -> Cleared | Suspect:
        train, held = _count(data.stats), _count(data.held_stats)
        if not train and not held:
            return Cleared("all inputs are finite", 0, 0)
        spoilt = _spoilt(curve, replay)
        survived = curve is not None and len(curve.losses) > 0 and not spoilt and not contract.error
        # On TensorFlow a finite loss says nothing about the weights, so there they must have been seen.
        if train and survived and (replay is not None or setup.backend != "tensorflow"):
            return Cleared("the network handles the missing inputs: losses and weights stayed finite", train, 0)
        where = "training" if train else "validation"
        count = train or held
        arrays = data.x if train else data.held_x
        return Suspect(
            message=f"{count} {where} input{'s are' if count > 1 else ' is'} not finite",
            confidence="proven" if spoilt and train else "likely",
            location=setup.sources.argument(
                setup.sites["fit"],
                "x" if train else "validation_data",
                0 if train else None,
                label="holds NaN or infinity",
            )
            or setup.fit_location(),
            evidence=gathered(
                Evidence(measure=f"non-finite-{where}-inputs", text=_cells(arrays, count, data.columns), value=count),
                first_non_finite(curve),
                _weights(replay),
                _outputs(replay),
                fit_raised(contract),
            ),
            cures=(ImputeInputs(),),
            conclusion="NaN times a weight is NaN, and the update carries it into every weight" if spoilt else "",
            leads_to=(
                "swallowed-nan",
                "diverging-loss",
                "undefined-operation",
                "learning-rate-too-high",
                "dying-relu",
                "dead-relu-output",
                "no-signal",
                "unscaled-inputs",
                "vanishing-gradient",
            ),
        )


def _count(stats: object) -> int:
    listed = stats.get("x") or [] if hasattr(stats, "get") else []
    return sum(int(about.get("non_finite", 0)) for about in listed)


def _spoilt(curve: Curve | None, replay: Replay | None) -> bool:
    """Whether the loss, a weight or the output of a layer left the numbers."""
    moments = replay.moments if replay is not None else ()
    weights = any(not state.finite for moment in moments for state in moment.variables)
    outputs = any(not state.finite for moment in moments for state in moment.layers)
    return weights or outputs or (curve is not None and curve.non_finite_step is not None)


def _cells(arrays: tuple[np.ndarray, ...], count: int, columns: tuple[str, ...]) -> str:
    bad = np.concatenate([~np.isfinite(a.astype(np.float64)).reshape(len(a), -1) for a in arrays], axis=1)
    rows, per_column = int(bad.any(axis=1).sum()), bad.sum(axis=0)
    text = f"{count} cell{'s' if count > 1 else ''} in {rows} of {len(bad)} rows: NaN or infinite"
    worst = [j for j in np.argsort(-per_column, kind="stable")[:SHOWN] if per_column[j]]
    if not worst or bad.shape[1] > 10_000:
        return text
    names = [columns[j] if j < len(columns) else f"column {j}" for j in worst]
    return f"{text}, " + ", ".join(f"{name} ({per_column[j]})" for name, j in zip(names, worst, strict=True))


def _weights(replay: Replay | None) -> Evidence | None:
    if replay is None:
        return None
    bad = sum(not v.finite for v in replay.last.variables)
    total = len(replay.last.variables)
    text = f"{bad} of {total} weight arrays hold NaN at the end"
    return Evidence(measure="weight-arrays-not-finite", text=text, value=bad, of=total) if bad else None


def _outputs(replay: Replay | None) -> Evidence | None:
    """Layers that give NaN already with the weights they began with."""
    bad = [layer.name for layer in replay.first.layers if not layer.finite] if replay is not None else []
    if not bad:
        return None
    text = f"before the first step {bad[0]} gives NaN for some rows already"
    return Evidence(measure="layers-not-finite-at-the-start", text=text, value=len(bad))
