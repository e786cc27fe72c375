from __future__ import annotations

from unstuck.experiments.interventions.drop_features import DropFeatures
from unstuck.finding import Evidence, Fix
from unstuck.measure.leakage.look_ahead import LookAhead
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect


class LookAheadWindow(Rule):
    """
    What it finds:
    Windows of a series that hold the value they are to forecast, or the step that gives the change away.

    Why training stops:
    The network copies one input to the output. Nothing of the series is learnt.

    What you see:
    A forecast near perfect at once; in use, where the step is not there yet, it repeats the last value.

    How it is proven:
    The target equals a step of its own window (or the difference, ratio or sign of two neighbouring steps) in every
    row. That step and all later ones are set to 0, as they would be missing: the score must fall. Beside it stands
    what repeating the last known value reaches.

    When to ignore it:
    When the task is to describe the window, not to forecast.

    References:
    https://github.com/hunkim/DeepLearningZeroToAll/issues/214
    """

    code = "LEK103"
    severity = "error"
    sick = Example(
        """
rng = np.random.default_rng(0)
series = np.zeros(900)
for t in range(1, 900):
    series[t] = 0.5 * series[t - 1] + rng.normal()
series = series.astype("float32")
window = np.stack([series[i : i + 12] for i in range(880)])
target = series[11 : 11 + 880]
model = keras.Sequential([
    keras.Input((12,)),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.Adam(0.003), loss="mse")
model.fit(window[:640], target[:640], validation_data=(window[660:], target[660:]), epochs=30, verbose=0)
""",
    )
    healthy = Example(
        """
rng = np.random.default_rng(0)
series = np.zeros(900)
for t in range(1, 900):
    series[t] = 0.9 * series[t - 1] + rng.normal()
series = series.astype("float32")
window = np.stack([series[i : i + 12] for i in range(880)])
target = series[12 : 12 + 880]
model = keras.Sequential([
    keras.Input((12,)),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.Adam(0.003), loss="mse")
model.fit(window[:640], target[:640], validation_data=(window[660:], target[660:]), epochs=30, verbose=0)
""",
    )

    def check(self, ahead: LookAhead | None, setup: Setup) -> Judgement:
        if ahead is None:
            return NotApplicable("the rows are no windows of a series with one target each")
        if not ahead.columns:
            return Cleared(
                f"no step of the window is the target; the nearest explains {ahead.nearest:.2%} of it",
                ahead.nearest,
                1.0,
            )
        return Suspect(
            message=f"the windows hold what they are to forecast: the target is {ahead.text}",
            confidence="likely",
            severity="error",  # equal in all rows is a fact, whatever it costs
            location=setup.sources.argument(setup.sites["fit"], "x", 0, label="holds the target")
            or setup.fit_location("trains on the target"),
            evidence=(
                Evidence(measure="target-in-window", text=f"the target is {ahead.text}, in all rows", value=1.0),
                Evidence(
                    measure="naive-forecast",
                    text=f"repeating the last step before it reaches R2 {ahead.naive:.2f}",
                    value=ahead.naive,
                ),
            ),
            cures=(DropFeatures(ahead.columns, ahead.names),),
            harm=True,
            impairs=False,
            leads_to=("target-in-features", "proxy-feature"),
            fix=Fix(title="end the window one step before the target", applicability="sketch"),
        )
