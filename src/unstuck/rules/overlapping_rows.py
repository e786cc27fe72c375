from __future__ import annotations

from unstuck.experiments.interventions.remove_overlap import RemoveOverlap
from unstuck.experiments.interventions.split_again import Pool, SplitAgain
from unstuck.finding import Evidence, Fix
from unstuck.measure.data import Data
from unstuck.measure.leakage.near import NearCopies
from unstuck.measure.leakage.overlap import Overlap
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, Judgement, Rule, Suspect

MIN_ROWS = 3
"""One or two equal rows happen in honest tables (iris has one pair)."""
MIN_SHARE = 0.01
"""Below this share of the held-out rows, even perfect answers on them move a score by less than 0.01."""
MUCH = 0.1


class OverlappingRows(Rule):
    """
    What it finds:
    Held-out rows that are training rows as well, value for value, or that nearly equal one: closer than a smooth
    cloud of points allows.

    Why training stops:
    It does not: it looks better than it is. A network that has memorised a row answers it right when it meets it
    again, so the validation score measures memory in place of skill, early stopping never sees overfitting, and
    training goes on in the wrong direction.

    What you see:
    Validation follows training closely however large the network is; fresh data score far lower. With random labels
    and 30 % overlap, validation accuracy rises from 0.49 to 0.59.

    How it is proven:
    By row fingerprints over all rows, not a sample. In tables of few distinct rows the matches that chance gives are
    taken off. Near copies are judged by the distance of the nearest row beside that of the next ones, by chance once
    in 10,000 rows. The price is measured by training without the shared rows, or with near copies on one side.

    When to ignore it:
    When rows are equal because the table can hold only few different ones, and new data will repeat them too.

    References:
    B. Barz, J. Denzler: Do we train on test data? Purging CIFAR of near-duplicates, Journal of Imaging 6(6), 2020.
    """

    code = "LEK201"
    severity = "error"
    echo_of = ("validation-is-training", "reshuffled-split", "resampled-before-split", "group-overlap")
    sick = Example(
        """
x, y = np.concatenate([x, x_val[:80]]), np.concatenate([y, y_val[:80]])
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(256, activation="relu"),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.Adam(0.003), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=150, verbose=0)
""",
        data="regression",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.Adam(0.003), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=30, verbose=0)
""",
        data="regression",
    )

    def check(
        self, overlap: Overlap, data: Data, task: Task, setup: Setup, near: NearCopies | None = None
    ) -> Judgement:
        if overlap.excess < MIN_ROWS or overlap.share < MIN_SHARE:
            if near is not None and near.near >= MIN_ROWS and near.share >= MIN_SHARE and not near.on_purpose:
                return _near_copies(near, data, task, setup)
            natural = f", {overlap.expected:.0f} expected by chance" if overlap.discrete else ""
            text = f"{overlap.matches} of {overlap.held} held-out rows equal a training row{natural}"
            return Cleared(text, overlap.share, MIN_SHARE)
        some = 0 < len(overlap.rows) < len(data.y)
        cure = (RemoveOverlap(overlap.rows, task.y, len(overlap.rows)),) if some else ()
        return Suspect(
            message=f"{overlap.matches} of {overlap.held} held-out rows are training rows too",
            confidence="proven",
            severity="error" if overlap.share >= MUCH else "warning",
            location=setup.sources.argument(setup.sites["fit"], "validation_data", label="shares rows with x")
            or setup.fit_location("its rows are held out too"),
            evidence=_evidence(overlap),
            cures=cure,
            harm=True,
            impairs=False,
            conclusion="the rows are equal value by value (as float32), counted over all rows",
            fix=Fix(
                title="drop equal rows before the split, or keep them on one side of it",
                applicability="sketch",
                alternative="split by group (GroupShuffleSplit) when rows repeat on purpose",
            ),
        )


def _near_copies(near: NearCopies, data: Data, task: Task, setup: Setup) -> Suspect:
    sampled = " (of a sample)" if near.sampled else ""
    text = f"{near.near} of {near.looked_at} held-out rows{sampled} are near copies of training rows"
    cure = SplitAgain(Pool.of(data, task), "by group", near.groups)
    return Suspect(
        message=text,
        confidence="likely",
        location=setup.fit_location("near copies are on both sides"),
        evidence=(
            Evidence(measure="near-copies", text=text, value=near.near, expected=0, of=near.looked_at),
            Evidence(
                measure="local-dimension",
                text=f"in the {near.dimension:.0f} dimensions of these rows luck brings one so near in 10,000 rows",
                value=near.dimension,
            ),
        ),
        cures=(cure,),
        harm=True,
        impairs=False,
        fix=Fix(title="keep near copies on one side of the split", applicability="sketch"),
    )


def _evidence(overlap: Overlap) -> tuple[Evidence, ...]:
    found = [
        Evidence(
            measure="overlapping-rows",
            text=f"{overlap.matches} held-out rows have the fingerprint of a training row",
            value=overlap.matches,
            expected=overlap.expected,
            of=overlap.held,
        )
    ]
    compared = overlap.same_label + overlap.different_label
    if compared:
        text = f"{overlap.same_label} of {compared} of them with the same label"
        found.append(Evidence(measure="same-label", text=text, value=overlap.same_label, of=compared))
    if overlap.doubles:
        text = f"{overlap.doubles:.0%} of the training rows have a double among the training rows"
        found.append(Evidence(measure="doubles-in-training", text=text, value=overlap.doubles))
    return tuple(found)
