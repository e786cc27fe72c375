from __future__ import annotations

from unstuck.experiments.interventions.refit_edit import split_first
from unstuck.experiments.interventions.refit_preprocessor import RefitPreprocessor
from unstuck.experiments.interventions.resplit import Resplit
from unstuck.experiments.interventions.standardise import StandardiseInputs
from unstuck.finding import Evidence, Fix
from unstuck.measure.case import Missing
from unstuck.measure.data import Data
from unstuck.measure.leakage.leak_words import evidence, held_words, places
from unstuck.measure.leakage.provenance import Fitted, Provenance
from unstuck.measure.leakage.series_fit import SeriesFit
from unstuck.measure.leakage.union_fit import UnionFit
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect


class PreprocessingBeforeSplit(Rule):
    """
    What it finds:
    A scaler, an imputer, a projection or another transformer without labels that was fitted on held-out rows too,
    because it ran before the split.

    Why training stops:
    It does not. Only a few statistics of the held-out rows reach training, and no labels. This is never the cause
    of a loss of zero or of a perfect score, whatever articles say.

    What you see:
    Usually nothing: on five data sets the validation score moved by less than 0.01 either way.

    How it is proven:
    By row fingerprints: the rows that the transformer was fitted on are compared with the held-out rows, back
    through every later transformation; of windows, those of their steps. Where no call was seen, by the arrays:
    moments (or a range, or correlations) that are exact over both parts together and not over the training rows.
    What it is worth is measured: fitted again on training rows only, on the same splits and seeds.

    When to ignore it:
    When its measured price is about 0 and the score is not published. Put the scaler behind the split anyway: it
    costs nothing, and with few rows and heavy tails it can matter.

    References:
    scikit-learn, Common pitfalls: https://scikit-learn.org/stable/common_pitfalls.html#data-leakage
    """

    code = "LEK302"
    severity = "note"
    sick = Example(
        """
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

scaler = StandardScaler()
x = scaler.fit_transform(x)
x, x_val, y, y_val = train_test_split(x, y, test_size=0.25, random_state=0)
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
""",
        data="raw",
    )
    healthy = Example(
        """
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

x, x_val, y, y_val = train_test_split(x, y, test_size=0.25, random_state=0)
scaler = StandardScaler()
x = scaler.fit_transform(x)
x_val = scaler.transform(x_val)
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=20, verbose=0)
""",
        data="raw",
    )

    def check(
        self,
        provenance: Provenance | None,
        union: UnionFit | None,
        series: SeriesFit | None,
        data: Data,
        task: Task,
        setup: Setup,
    ) -> Judgement:
        leaks = tuple(leak for leak in provenance.fitted if not leak.supervised) if provenance else ()
        if not leaks and union is not None and union.kind:
            return _from_arrays(union, data, setup)
        if not leaks and series is not None and series.leaks:
            return _before_windows(series, setup)
        if provenance is None:
            if union is None:
                raise Missing("the data before the split", "run the whole script with `unstuck run`")
            return Cleared(f"no trace of scaling by the {held_words(data)} in the arrays")
        if not provenance.transformers:
            return NotApplicable("no fitted transformer lies on the way of the rows")
        if not leaks:
            return Cleared(f"of {provenance.transformers} transformers none without labels saw {held_words(data)}")
        location, related = places(leaks, setup)
        names = " and ".join(dict.fromkeys(leak.estimator for leak in leaks))
        return Suspect(
            message=f"{names} {'was' if len(leaks) == 1 else 'were'} fitted on the {held_words(data)} too",
            confidence="proven",
            severity="note",
            location=location,
            related=related,
            evidence=evidence(leaks, provenance, data),
            flow=leaks[0].flow,
            cures=_cures(provenance, data, task, leaks),
            harm=True,
            impairs=False,
            conclusion="the recorded row fingerprints show which rows the transformer was fitted on",
            fix=_fix(provenance, setup, leaks),
        )


def _from_arrays(union: UnionFit, data: Data, setup: Setup) -> Suspect:
    """Exact moments over both parts together: also of scaling by hand, of some columns, or before the file was made."""
    text = (
        f"{union.columns} of {union.candidates} columns have an exact {union.kind} over all {union.rows} rows (to "
        f"{union.union:.0e}), and not over the training rows (off by {union.train:.0e} or more)"
    )
    return Suspect(
        message=f"the inputs were scaled with the {held_words(data)} too ({union.kind})",
        confidence="proven",
        severity="note",
        location=setup.fit_location("scaled before the split"),
        evidence=(Evidence(measure="fitted-on-the-union", text=text, value=union.union, expected=union.train),),
        cures=(StandardiseInputs(),),
        harm=True,
        impairs=False,
        conclusion="these moments are exact over both parts together, and not over the training rows",
        fix=Fix(title="fit the scaler on the training rows only", applicability="sketch"),
    )


def _before_windows(series: SeriesFit, setup: Setup) -> Suspect:
    """The steps of the windows are outputs of the transformer, whatever was cut from them."""
    call = setup.sources.location(series.site, "saw the steps of held-out windows")
    text = f"it was fitted on {series.saw} of the {series.alone} steps that only held-out windows hold"
    return Suspect(
        message=f"{series.estimator} was fitted on the whole series, held-out windows included",
        confidence="proven",
        severity="note",
        location=call or setup.fit_location(),
        related=(setup.fit_location("held out only here"),),
        evidence=(Evidence(measure="held-out-steps-seen", text=text, value=series.saw, of=series.alone),),
        harm=True,
        impairs=False,
        conclusion="every step of the windows is an output of it, and the recorded fingerprints show what it was "
        "fitted on",
        fix=Fix(title="fit it on the steps before the held-out ones, and transform all", applicability="sketch"),
    )


def _cures(provenance: Provenance, data: Data, task: Task, leaks: tuple[Fitted, ...]) -> tuple[RefitPreprocessor, ...]:
    if provenance.rerun is None:
        return ()
    resplit = Resplit.of(provenance.rerun, data, task)
    stages = resplit.leaky(supervised=False)
    return (RefitPreprocessor(resplit, stages, leaks),) if stages else ()


def _fix(provenance: Provenance, setup: Setup, leaks: tuple[Fitted, ...]) -> Fix:
    """With a selection before the split as well, that finding carries the edits of both."""
    found = split_first(setup, leaks)
    if len(leaks) == len(provenance.fitted):
        return found
    return Fix(title=found.title, applicability="sketch")
