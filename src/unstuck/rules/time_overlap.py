from __future__ import annotations

from unstuck.experiments.interventions.split_again import Pool, SplitAgain
from unstuck.finding import Evidence
from unstuck.measure.data import Data
from unstuck.measure.leakage.time_order import TimeOrder
from unstuck.measure.leakage.windows import Windows
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

SHARED = 0.1
"""Share of the held-out windows with a step in common with a training window; beside a cut it is a few windows."""
EARLY = 0.5
"""Share of the held-out rows that lie between training rows in time; 0 for a split in order, nearly 1 at random."""


class TimeOverlap(Rule):
    """
    What it finds:
    A series that was shuffled before it was split: held-out windows share steps with training windows, or held-out
    rows lie between training rows in time.

    Why training stops:
    It does not: it looks better than it is. The past and the future of each held-out row are trained on; of the real
    future nothing is.

    What you see:
    Validation follows training; a forecast for next month is far worse.

    How it is proven:
    Windows are recognised because each goes on where another ends; times, by a column beside the table. The price is
    measured on blocks of time held out with a gap around them, the last one first. Overlap of windows that brings
    nothing is a note: on a random walk it did not.

    When to ignore it:
    When the rows do not depend on one another and the world does not change.

    References:
    M. López de Prado: Advances in Financial Machine Learning, 2018, chapter 7 (purged cross-validation).
    """

    code = "LEK203"
    severity = "error"
    sick = Example(
        """
rng = np.random.default_rng(0)
step = np.arange(900)
series = np.cumsum(rng.normal(size=900)) + rng.normal(size=900)
window = np.stack([series[i : i + 20] for i in range(860)])
window = ((window - series.mean()) / series.std()).astype("float32")
regime = np.repeat(rng.integers(0, 2, 43), 20)[:860].astype("float32")
order = rng.permutation(860)
train, test = order[:640], order[640:]
model = keras.Sequential([
    keras.Input((20,)),
    keras.layers.Dense(128, activation="relu"),
    keras.layers.Dense(128, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.003), loss="binary_crossentropy")
model.fit(window[train], regime[train], validation_data=(window[test], regime[test]), epochs=120, verbose=0)
""",
    )
    healthy = Example(
        """
rng = np.random.default_rng(0)
series = np.sin(np.arange(1000) / 7) + 0.1 * rng.normal(size=1000)
window = np.stack([series[i : i + 20] for i in range(980)]).astype("float32")
following = series[20:].astype("float32")
model = keras.Sequential([
    keras.Input((20,)),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.Adam(0.003), loss="mse")
model.fit(window[:700], following[:700], validation_data=(window[720:], following[720:]), epochs=30, verbose=0)
""",
    )

    def check(
        self, windows: Windows | None, times: TimeOrder | None, data: Data, task: Task, setup: Setup
    ) -> Judgement:
        if data.held_kind == "holdout":
            return NotApplicable("nothing was held out")
        pool = Pool.of(data, task)
        if windows is not None:
            share = windows.shared / max(1, windows.held)
            text = f"{windows.shared} of {windows.held} held-out windows share steps with a training window"
            if share < SHARED or windows.at_boundary:
                return Cleared(text, share, SHARED)
            cure = SplitAgain(pool, "by time", windows.keys, gap=windows.span)
            evidence = Evidence(measure="windows-with-shared-steps", text=text, value=windows.shared, of=windows.held)
            return _suspect(text, evidence, cure, setup, harmless=text)
        if times is None or not times.name:
            return Cleared("the rows are no windows of a series, and no column beside them is a time")
        text = f"{times.early:.0%} of the held-out rows lie between training rows in {times.name}"
        if times.early < EARLY:
            return Cleared(text, times.early, EARLY)
        cure = SplitAgain(pool, "by time", times.keys)
        evidence = Evidence(measure="held-out-rows-before-training-rows", text=text, value=times.early, expected=0)
        return _suspect(text, evidence, cure, setup)


def _suspect(text: str, evidence: Evidence, cure: SplitAgain, setup: Setup, *, harmless: str = "") -> Suspect:
    return Suspect(
        message=text,
        confidence="possible",  # rows in between may say nothing of each other: the trial decides
        location=setup.fit_location("the series was shuffled before it was split"),
        evidence=(evidence,),
        cures=(cure,),
        harm=True,
        impairs=False,
        leads_to=("overlapping-rows",),
        fix=cure.edit(setup),
        harmless=harmless,
    )
