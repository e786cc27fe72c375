from __future__ import annotations

from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.drop_features import DropFeatures
from unstuck.experiments.interventions.encode_again import EncodeAgain
from unstuck.experiments.interventions.permute_labels import PermuteLabels
from unstuck.experiments.interventions.refit_edit import split_first
from unstuck.experiments.interventions.refit_preprocessor import RefitPreprocessor
from unstuck.experiments.interventions.resplit import Resplit
from unstuck.finding import Evidence, Fix
from unstuck.measure.case import Missing
from unstuck.measure.data import Data
from unstuck.measure.leakage.encoded import Encoded
from unstuck.measure.leakage.leak_words import evidence, held_words, places
from unstuck.measure.leakage.provenance import Provenance
from unstuck.measure.setup import Setup
from unstuck.measure.task import Task
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect


class SelectionBeforeSplit(Rule):
    """
    What it finds:
    A transformer that uses the labels (feature selection, target encoding, discriminant analysis) and was fitted on
    held-out rows and their labels, because it ran before the split.

    Why training stops:
    It does not: it looks better than it is. Of many columns some agree with the held-out labels by chance. Choosing
    these with the held-out labels in view makes the chance repeat itself in validation.

    What you see:
    Validation accuracy well above chance with few rows and many columns, even for random labels; new data score
    lower. 25 of 5,000 columns of noise, 200 rows: 0.80 in place of 0.50.

    How it is proven:
    By row fingerprints, and by an honest repetition: select again on training rows only, on the same splits and
    seeds. As a control both are repeated with shuffled labels, where nothing can be found honestly. Label means are
    also recognised by the arrays alone: they obey the labels of all rows, to rounding, and not of the training rows.

    When to ignore it:
    When the honest score is the same.

    References:
    C. Ambroise, G. McLachlan: Selection bias in gene extraction, PNAS 99(10), 2002.
    T. Hastie, R. Tibshirani, J. Friedman: The Elements of Statistical Learning, 2nd ed., section 7.10.2.
    """

    code = "LEK303"
    severity = "error"
    sick = Example(
        """
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import train_test_split

x, y = np.random.default_rng(0).normal(size=(200, 1000)), y[:200]
selector = SelectKBest(f_classif, k=20)
x = selector.fit_transform(x, y)
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
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

x, x_val, y, y_val = train_test_split(x, y, test_size=0.25, random_state=0)
selector = SelectKBest(f_classif, k=20)
x = selector.fit_transform(x, y)
x_val = selector.transform(x_val)
scaler = StandardScaler().fit(x)
x, x_val = scaler.transform(x), scaler.transform(x_val)
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
        self, provenance: Provenance | None, encoded: Encoded | None, data: Data, task: Task, setup: Setup
    ) -> Judgement:
        if encoded is not None and encoded.codes:
            return _from_arrays(encoded, data, setup)
        if provenance is None:
            if encoded is None:
                raise Missing("the data before the split", "run the whole script with `unstuck run`")
            return Cleared(f"no column holds label means of {held_words(data)} (of {encoded.candidates} in groups)")
        if not provenance.transformers:
            return NotApplicable("no fitted transformer lies on the way of the rows")
        leaks = tuple(leak for leak in provenance.fitted if leak.supervised)
        if not leaks:
            return Cleared(f"of {provenance.transformers} transformers none that uses labels saw {held_words(data)}")
        location, related = places(leaks, setup)
        chosen = all("feature_selection" in leak.module for leak in leaks)
        cures: tuple[RefitPreprocessor, ...] = ()
        control = None
        if provenance.rerun is not None:
            resplit = Resplit.of(provenance.rerun, data, task)
            cures = (RefitPreprocessor(resplit, resplit.leaky(supervised=True), leaks),)
            control = PermuteLabels(resplit)
        what = "features were chosen with" if chosen else f"{leaks[0].estimator} was fitted with"
        return Suspect(
            message=f"{what} the {held_words(data)} and their labels",
            confidence="likely",
            severity="error",
            location=location,
            related=related,
            evidence=evidence(leaks, provenance, data),
            flow=leaks[0].flow,
            cures=cures,
            control=control,
            harm=True,
            impairs=False,
            fix=split_first(setup, provenance.fitted),
        )


def _from_arrays(encoded: Encoded, data: Data, setup: Setup) -> Suspect:
    """Label means that only the labels of all rows explain: also those taken by hand, or before the file was made."""
    names = tuple(data.column(c.column) for c in encoded.codes)
    first, verb = encoded.codes[0], "holds" if len(names) == 1 else "hold"
    text = (
        f"{names[0]}: {first.obeying} of {first.groups} groups of equal value carry the mean label of their rows, "
        f"{held_words(data)} included; by the training rows alone {first.alone} do"
    )
    found = [Evidence(measure="label-means-of-all-rows", text=text, value=first.obeying, of=first.groups)]
    cure: Intervention = EncodeAgain(encoded.codes, names)
    if any(code.merged for code in encoded.codes):
        cure = DropFeatures(tuple(code.column for code in encoded.codes), names if data.columns else ())
        found.append(
            Evidence(
                measure="groups-of-equal-mean",
                text="groups of equal mean are one value here, so the honest means cannot be had from it: the trial "
                "goes without the column; the leak costs that at most, for honest means may be worth a part of it",
            )
        )
    return Suspect(
        message=f"{' and '.join(names[:3])} {verb} the mean label of a group, {held_words(data)} included",
        confidence="likely",
        severity="error",
        location=setup.sources.argument(setup.sites["fit"], "x", 0, label="holds label means")
        or setup.fit_location("trains on label means"),
        evidence=tuple(found),
        scope={"columns": ", ".join(names)},
        cures=(cure,),
        harm=True,
        impairs=False,
        leads_to=("target-in-features", "proxy-feature"),
        fix=Fix(title="split first, then take the label means from the training rows", applicability="sketch"),
    )
