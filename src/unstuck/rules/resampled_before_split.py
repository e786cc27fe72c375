from __future__ import annotations

from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.resample_after_split import ResampleAfterSplit
from unstuck.experiments.interventions.split_again import Pool, SplitAgain
from unstuck.finding import Evidence, Location, Severity
from unstuck.measure.data import Data
from unstuck.measure.leakage.near import NearCopies
from unstuck.measure.leakage.resampled import Resampled
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

MIN_ROWS = 3
MIN_SHARE = 0.01
"""Below this share of the held-out rows, even perfect answers on them move a score by less than 0.01."""


class ResampledBeforeSplit(Rule):
    """
    What it finds:
    Oversampling, SMOTE or augmentation before the split, so that copies, blends or variants of one row are on both
    sides.

    Why training stops:
    It does not: it looks better than it is. Validation asks for rows the network has seen a variant of, most of all
    in the rare class, for whose sake the rows were made.

    What you see:
    Validation recall of the rare class near 1; on new data it is near 0.

    How it is proven:
    Copies within some classes only are repeated rows; a row exactly on the line between two neighbours of its class
    is a blend; near copies of most rows are augmented ones. The price is measured by splitting the original rows
    first.

    When to ignore it:
    Never for the score. Resample the training rows alone.

    References:
    https://github.com/scikit-learn-contrib/imbalanced-learn/issues/751
    imbalanced-learn, Common pitfalls and recommended practices.
    """

    code = "LEK301"
    severity = "error"
    sick = Example(
        """
rng = np.random.default_rng(0)
x = np.concatenate([x, x_val])[:400]
y = (rng.random(400) < 0.1).astype("float32")
rare = np.flatnonzero(y == 1)
more = rng.choice(rare, 400 - 2 * len(rare))
x, y = np.concatenate([x, x[more]]), np.concatenate([y, y[more]])
order = rng.permutation(len(y))
x, y = x[order], y[order]
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(64, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, validation_split=0.25, epochs=40, verbose=0)
""",
    )
    healthy = Example(
        """
rare = np.flatnonzero(y == 0)[:60]
common = np.flatnonzero(y == 1)
more = np.random.default_rng(0).choice(rare, len(common) - len(rare))
chosen = np.concatenate([common, rare, more])
x, y = x[chosen], y[chosen]
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
""",
    )

    def check(
        self, resampled: Resampled | None, near: NearCopies | None, data: Data, task: Task, setup: Setup
    ) -> Judgement:
        if data.held_kind == "holdout":
            return NotApplicable("nothing was held out")
        pool = Pool.of(data, task)
        if resampled is not None and resampled.kind:
            return _made(resampled, pool, setup)
        if near is None:
            return Cleared("no row was made from others by repetition")
        return _variants(near, pool, setup)


def _made(resampled: Resampled, pool: Pool, setup: Setup) -> Judgement:
    """Rows that are repeated, or blends of two others."""
    how = "repetitions" if resampled.kind == "repeated" else "blends"
    if resampled.held < max(MIN_ROWS, MIN_SHARE * resampled.looked_at):
        return Cleared(f"{how} of rows are in the training rows only", resampled.held, MIN_ROWS)
    text = f"{resampled.held} of {resampled.looked_at} held-out rows are {how} of rows that were trained on"
    classes = ", ".join(map(str, resampled.classes))
    made = f"{int(resampled.made.sum())} rows of class {classes} were made from others, before the split"
    by = setup.sources.location(resampled.site, f"{resampled.estimator} ran before the split")
    return _suspect(
        text,
        by or setup.fit_location("resampled before the split"),
        (
            Evidence(measure="held-out-rows-made-from-training-rows", text=text, value=resampled.held),
            Evidence(measure="rows-made-from-others", text=made, value=int(resampled.made.sum())),
        ),
        ResampleAfterSplit(pool, resampled.made, resampled.groups),
        setup,
        severity="error",  # rows that lie between others to the last digit are a fact, whatever they cost
    )


def _variants(near: NearCopies, pool: Pool, setup: Setup) -> Judgement:
    """Near copies of so many rows that they were made on purpose."""
    text = f"{near.near} of {near.looked_at} held-out rows are near copies of training rows"
    if near.near < max(MIN_ROWS, MIN_SHARE * near.looked_at) or not near.on_purpose:
        return Cleared(text, near.share, MIN_SHARE)
    siblings = f"{near.siblings:.0%} of the training rows have a near copy among themselves"
    return _suspect(
        f"{text}, as of rows that were augmented before the split",
        setup.fit_location("variants of one row are on both sides"),
        (
            Evidence(measure="near-copies", text=text, value=near.near, of=near.looked_at),
            Evidence(measure="near-copies-within-training", text=siblings, value=near.siblings),
        ),
        SplitAgain(pool, "by group", near.groups),
        setup,
    )


def _suspect(
    message: str,
    location: Location | None,
    evidence: tuple[Evidence, ...],
    cure: Intervention,
    setup: Setup,
    severity: Severity | None = None,
) -> Suspect:
    return Suspect(
        message=message,
        confidence="likely",
        severity=severity,
        location=location,
        evidence=evidence,
        cures=(cure,),
        harm=True,
        impairs=False,
        leads_to=("overlapping-rows",),
        fix=cure.edit(setup),
    )
