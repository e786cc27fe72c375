from __future__ import annotations

from unstuck.experiments.interventions.drop_features import DropFeatures
from unstuck.finding import Evidence, Fix
from unstuck.measure.data import Data
from unstuck.measure.leakage.solo import GAP, Solo
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect

MANY = 0.5
"""When so many of the columns are copies of targets, giving the input back is the task (an autoencoder)."""


class TargetInFeatures(Rule):
    """
    What it finds:
    A feature column that is the label in disguise: a copy, a copy on another scale, a code that stands for one
    class each, a column that rises with the target without exception, or one that equals it in part of the rows.

    Why training stops:
    The network needs nothing but that column. The loss falls to about 0 in the first epochs and the validation score
    is near perfect, so there is nothing left to learn; on new data, where the column is not known, the model fails.

    What you see:
    Validation accuracy 1.0 or a validation loss near 0 almost at once; every model works, however small; the score
    collapses in production.

    How it is proven:
    Each column alone is scored out of fold and compared with the label value by value. Then the column is set to 0
    in training and held-out rows: if the score stays, the finding is refuted. That it is a leak, and not an honest
    law of the data, no experiment can prove; hence never `proven`.

    When to ignore it:
    If the column is known at the moment of prediction, the task is solved by it and needs no network.

    References:
    S. Kaufman, S. Rosset, C. Perlich, O. Stitelman: Leakage in data mining, ACM TKDD 6(4), 2012.
    https://github.com/keras-team/keras/issues/13131
    """

    code = "LEK101"
    severity = "error"
    sick = Example(
        """
x = np.column_stack([x, 10 * y + 3])
x_val = np.column_stack([x_val, 10 * y_val + 3])
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.Adam(0.003), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=40, verbose=0)
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
model.fit(x, y, validation_data=(x_val, y_val), epochs=40, verbose=0)
""",
        data="regression",
    )

    def check(self, solo: Solo, data: Data, setup: Setup) -> Judgement:
        if solo.features < 2:
            return NotApplicable("there is one feature only")
        if data.restores_inputs:
            return NotApplicable("the targets are the inputs: the network rebuilds them")
        if len(solo.copies) > MANY * len(solo.columns) and len(solo.copies) > 2:
            return NotApplicable("the targets are the inputs")
        if not solo.copies:
            best = solo.columns[0]
            return Cleared(
                f"no column is the label in disguise; the best, {best.name}, reaches skill {best.skill:.2f} alone",
                best.skill,
                1.0,
            )
        copies = solo.copies
        exact = any(column.exact for column in copies)
        names = tuple(column.name for column in copies)
        title = f"leave {' and '.join(names[:3])} out of the features"
        words = "is" if len(names) == 1 else "are"
        return Suspect(
            message=f"{' and '.join(names[:3])} {words} the label in disguise",
            confidence="likely" if exact else "possible",
            severity="error" if exact else "warning",
            location=setup.sources.argument(setup.sites["fit"], "x", 0, label="holds the label")
            or setup.fit_location("trains on the label"),
            evidence=(
                *(Evidence(measure="label-copy", text=f"{c.name}: {c.text}", value=c.skill) for c in copies[:3]),
                Evidence(
                    measure="next-best-column",
                    text=f"the best other column reaches skill {solo.next_best:.2f} alone",
                    value=solo.next_best,
                    expected=copies[0].skill - GAP,
                ),
            ),
            scope={"columns": ", ".join(names)},
            cures=(DropFeatures(tuple(c.index for c in copies), names if data.columns else ()),),
            harm=True,
            impairs=False,
            fix=Fix(title=title, applicability="sketch"),
        )
