from __future__ import annotations

from unstuck.experiments.interventions.split_again import Pool, SplitAgain
from unstuck.finding import Evidence
from unstuck.measure.data import Data
from unstuck.measure.leakage.groups import Group, Groups
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

SHARED = 0.1
"""Share of the held-out rows whose group is trained on; less moves a score by less than their mistakes do."""
MIN_GROUPS = 6
"""Groups that a split by group needs for both parts to be more than one or two of them."""


class GroupOverlap(Rule):
    """
    What it finds:
    Rows of one patient, user, recording or video on both sides of the split.

    Why training stops:
    It does not: it looks better than it is. The network recognises whom a row is of and repeats the answer it was
    told for the others. For somebody new it has none.

    What you see:
    Excellent validation, and chance on the first new patient.

    How it is proven:
    Columns of the script that stand beside the table are looked through for groups, and inputs of which each value has
    one label, and the next value any. The price is measured: the same rows are split by group and at random, over many
    splits. Groups that make no difference are no finding.

    When to ignore it:
    When the model will only ever meet the groups it was trained on.

    References:
    S. Saeb et al.: The need to approximate the use-case in clinical machine learning, GigaScience 6(5), 2017.
    https://github.com/UCSD-AI4H/COVID-CT/issues/11
    """

    code = "LEK202"
    severity = "error"
    sick = Example(
        """
rng = np.random.default_rng(0)
patient = np.repeat(np.arange(60), 10)
table = rng.normal(size=(60, 12))[patient] + 0.3 * rng.normal(size=(600, 12))
table, label = table.astype("float32"), rng.integers(0, 2, 60)[patient]
order = rng.permutation(600)
train, test = order[:450], order[450:]
model = keras.Sequential([
    keras.Input((12,)),
    keras.layers.Dense(64, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(table[train], label[train], validation_data=(table[test], label[test]), epochs=40, verbose=0)
""",
    )
    healthy = Example(
        """
rng = np.random.default_rng(0)
patient = np.repeat(np.arange(60), 10)
table = rng.normal(size=(60, 12))[patient] + 0.3 * rng.normal(size=(600, 12))
table = table.astype("float32")
label = (table[:, 0] + table[:, 1] > 0).astype("float32")
test = np.isin(patient, rng.permutation(60)[:15])
model = keras.Sequential([
    keras.Input((12,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(table[~test], label[~test], validation_data=(table[test], label[test]), epochs=30, verbose=0)
""",
    )

    def check(self, groups: Groups, data: Data, task: Task, setup: Setup) -> Judgement:
        if data.held_kind == "holdout":
            return NotApplicable("nothing was held out")
        if not groups.found:
            return Cleared(f"no input and none of {groups.columns} columns beside the table names groups")
        cut = [group for group in groups.found if group.shared >= SHARED and group.groups >= MIN_GROUPS]
        if not cut:
            best = groups.found[0]
            return Cleared(f"{best.shared:.0%} of the held-out rows have training rows of the same {best.name}")
        group = cut[0]
        cure = SplitAgain(Pool.of(data, task), "by group", group.keys)
        same = f"value in {group.name}" if group.name.startswith("column ") else group.name
        return Suspect(
            message=f"{group.shared:.0%} of the held-out rows have training rows of the same {same}",
            confidence="possible",  # a group may be harmless: the trial decides
            location=setup.fit_location(f"the split cut through {group.name}"),
            evidence=_evidence(group),
            scope={"group": group.name},
            cures=(cure,),
            harm=True,
            impairs=False,
            leads_to=("overlapping-rows", "resampled-before-split", "time-overlap"),
            fix=cure.edit(setup),
        )


def _evidence(group: Group) -> tuple[Evidence, ...]:
    return (
        Evidence(
            measure="held-out-rows-of-known-groups",
            text=f"{group.groups} groups in {group.name}; {group.shared:.0%} of the held-out rows are of a trained one",
            value=group.shared,
            expected=0,
        ),
        Evidence(
            measure="nearest-row-of-the-same-group",
            text=f"the nearest training row is of the same group in {group.alike:.0%} of the cases beyond chance",
            value=group.alike,
        ),
    )
