"""EVA104: the weights of the last epoch are kept, not those of the best one."""

from __future__ import annotations

from unstuck.experiments.interventions.epochs import StopAt
from unstuck.finding import Evidence, Fix
from unstuck.measure.seen import gathered
from unstuck.measure.setup import Setup
from unstuck.measure.training.stopping import Stopping
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

WORSE = 0.1
"""Monitored value of the last epoch over that of the best, relative. Validation losses swing by a few percent."""


class BestWeightsNotRestored(Rule):
    """
    What it finds:
    EarlyStopping without restore_best_weights, or a ModelCheckpoint that is never loaded, in a run whose last epoch is
    clearly worse than its best.

    Why training stops:
    EarlyStopping waits `patience` epochs before it stops, and training goes on meanwhile. Unless the best weights are
    put back, the model keeps those of the last epoch.

    What you see:
    A final evaluation worse than the best validation value in the log.

    How it is proven:
    By the monitored values after each epoch. Training again from the same seeds, stopped at the best epoch, must score
    better on the held-out rows.

    When to ignore it:
    When the run ended at its best epoch, or within 10 % of it.

    References:
    keras/src/callbacks/early_stopping.py; Prechelt 1998, "Early stopping, but when?".
    """

    code = "EVA104"
    severity = "warning"
    echo_of = ("learning-rate-too-high", "diverging-loss")
    sick = Example(
        """
rng = np.random.default_rng(0)
x, y = x[:150], np.where(rng.random(150) < 0.3, 1 - y[:150], y[:150])
model = keras.Sequential([
    keras.layers.Dense(512, activation="relu"),
    keras.layers.Dense(512, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy")
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=40)
model.fit(x, y, validation_data=(x_val, y_val), epochs=80, callbacks=[stop], verbose=0)
"""
    )
    healthy = Example(
        """
rng = np.random.default_rng(0)
x, y = x[:150], np.where(rng.random(150) < 0.3, 1 - y[:150], y[:150])
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy")
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)
model.fit(x, y, validation_data=(x_val, y_val), epochs=80, callbacks=[stop], verbose=0)
"""
    )

    def check(self, setup: Setup, stopping: Stopping | None) -> Judgement:
        if stopping is None or not stopping.monitor.startswith("val_"):
            return NotApplicable("no callback watches the validation")
        if stopping.restored:
            return Cleared("the best weights were put back or loaded")
        if stopping.lost < WORSE:
            return Cleared(f"the last epoch is {stopping.lost:.0%} from the best", stopping.lost, WORSE)
        best, last = stopping.best + 1, len(stopping.values)
        site = setup.made_site(stopping.kind)
        early = stopping.kind == "EarlyStopping"
        edit = setup.sources.set_argument(site, "restore_best_weights", "True") if early else None
        return Suspect(
            message=f"the weights of epoch {last} are kept; epoch {best} was better",
            location=setup.sources.location(site, "does not put the best weights back") or setup.fit_location(),
            related=(setup.fit_location(f"best after {best} of {last} epochs"),),
            evidence=gathered(
                Evidence(
                    measure="last-over-best-epoch",
                    value=float(stopping.values[-1]),
                    expected=float(stopping.values[stopping.best]),
                    text=f"{stopping.monitor} was {stopping.values[stopping.best]:.4g} after epoch {best} and is "
                    f"{stopping.values[-1]:.4g} at the end",
                )
            ),
            cures=(StopAt(best),),
            fix=Fix(
                title="put the weights of the best epoch back" if early else "load the best checkpoint after fit",
                applicability="suggested" if edit else "sketch",
                edits=(edit,) if edit else (),
            ),
            leads_to=("memorising",),
        )
