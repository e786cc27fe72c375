from __future__ import annotations

from unstuck.experiments.interventions.drop_features import DropFeatures
from unstuck.finding import Evidence, Fix
from unstuck.measure.data import Data
from unstuck.measure.leakage.proxies import GAP, STRONG, Proxies
from unstuck.measure.leakage.solo import Solo
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, Judgement, NotApplicable, Rule, Suspect


class ProxyFeature(Rule):
    """
    What it finds:
    A feature that was made after the outcome: an effect of it, columns whose difference, sum or ratio is the target,
    a value that only one class leaves. Or the number of a row in a table that was sorted by label.

    Why training stops:
    Little is left to learn beside it, and the model fails where it is not known yet.

    What you see:
    A score too good to be true, which one feature decides.

    How it is proven:
    Strength accuses nobody. An effect of the label is independent of all other features once the label is known,
    while these still say more about the label than it does; for a cause it is the other way round. Then the columns
    are set to 0 and the score must fall. Whether they are known when the model is asked, only you can say.

    When to ignore it:
    When the feature is known at the moment of prediction (a test result, say).

    References:
    S. Kaufman et al.: Leakage in data mining, ACM TKDD 6(4), 2012.
    J. Pearl: Causality, 2nd ed., section 2.5 (conditional independences orient a chain).
    """

    code = "LEK102"
    severity = "warning"
    sick = Example(
        """
rng = np.random.default_rng(0)
x = rng.normal(size=(1500, 6)).astype("float32")
y = (x.sum(axis=1) + 1.5 * rng.normal(size=1500) > 0).astype("float32")
discharged_to = np.where(rng.random(1500) < 0.05, 1 - y, y)
x = np.column_stack([x, discharged_to]).astype("float32")
model = keras.Sequential([
    keras.Input((7,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x[:1000], y[:1000], validation_data=(x[1000:], y[1000:]), epochs=15, verbose=0)
""",
    )
    healthy = Example(
        """
rng = np.random.default_rng(0)
x = rng.normal(size=(1500, 6)).astype("float32")
y = (4 * x[:, 0] + x[:, 1] + 0.5 * rng.normal(size=1500) > 0).astype("float32")
model = keras.Sequential([
    keras.Input((6,)),
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x[:1000], y[:1000], validation_data=(x[1000:], y[1000:]), epochs=15, verbose=0)
""",
    )

    def check(self, proxies: Proxies, solo: Solo, data: Data, setup: Setup) -> Judgement:
        if solo.features < 2:
            return NotApplicable("there is one feature only")
        if not proxies.found:
            strong = f"the strongest column alone reaches skill {proxies.best:.2f}, the next {proxies.next_best:.2f}"
            return Cleared(f"{strong}; none looks made after the outcome", proxies.best, STRONG)
        proxy = proxies.found[0]
        called = " and ".join(proxy.names)
        message = {
            "effect": f"{called} looks like an effect of the label, not a cause: is it known when the model is asked?",
            "identity": f"the target is computed from {called}",
            "value": f"a value of {called} gives one class away: is it filled in after the outcome?",
            "row number": f"{called} numbers the rows of a table that was sorted by label, and is trained on",
        }[proxy.kind]
        return Suspect(
            message=message,
            confidence="likely",
            location=setup.sources.argument(setup.sites["fit"], "x", 0, label=f"holds {called}")
            or setup.fit_location(f"trains on {called}"),
            evidence=(
                Evidence(measure=f"proxy-{proxy.kind}", text=f"{called}: {proxy.text}", value=proxy.skill),
                Evidence(
                    measure="next-best-column",
                    text=f"the best other column reaches skill {proxies.next_best:.2f} alone",
                    value=proxies.next_best,
                    expected=proxy.skill - GAP,
                ),
            ),
            scope={"columns": ", ".join(proxy.names)},
            cures=(DropFeatures(proxy.columns, proxy.names if data.columns else ()),),
            harm=True,
            impairs=False,
            fix=Fix(title=f"leave {called} out, unless known at prediction time", applicability="sketch"),
        )
