"""Programs that look alike and are stuck for different reasons: each gets its own cause, and none of the others'.

Judged before trials, so that the table stays cheap: what a trial decides is tested with each rule's own examples.
"""

import pytest

from unstuck.rules.rule import Example
from unstuck.settings import Settings

HIDDEN = 'keras.layers.Dense(16, activation="relu")'
HEAD = 'keras.layers.Dense(3, activation="softmax")'
ADAM = "keras.optimizers.Adam(0.005)"


def program(
    hidden: str = HIDDEN, head: str = HEAD, optimizer: str = ADAM, *, before: str = "", after: str = "", **fit: object
) -> str:
    """One network on the three wines, with one thing changed."""
    arguments = {"epochs": 30, "verbose": 0} | fit
    return f"""
{before}
model = keras.Sequential([keras.Input((13,)), {hidden}, {hidden}, {head}])
{after}
model.compile({optimizer}, loss="sparse_categorical_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), {", ".join(f"{k}={v}" for k, v in arguments.items())})
"""


def dense(activation: str = "relu", **config: str) -> str:
    settings = "".join(f", {name}={value}" for name, value in config.items())
    return f'keras.layers.Dense(16, activation="{activation}"{settings})'


FLAT = {
    "dying-relu": program(dense(bias_initializer="keras.initializers.Constant(-20.0)")),
    "oversized-initialisation": program(
        dense("tanh", kernel_initializer="keras.initializers.RandomNormal(stddev=60.0)"), optimizer='"sgd"'
    ),
    "zero-initialised-kernel": program(
        dense(kernel_initializer='"zeros"'), 'keras.layers.Dense(3, "softmax", kernel_initializer="zeros")'
    ),
    "everything-frozen": program(after="model.trainable = False"),
    "learning-rate-too-low": program(optimizer="keras.optimizers.Adam(1e-7)"),
    "weight-penalty-too-strong": program(
        dense(kernel_regularizer="keras.regularizers.L2(10.0)"), optimizer="keras.optimizers.SGD(0.01)", epochs=60
    ),
    "activity-penalty-too-strong": program(
        dense("tanh", activity_regularizer="keras.regularizers.L1(10.0)"), optimizer="keras.optimizers.SGD(0.01)"
    ),
    "over-clipped-gradient": program(optimizer="keras.optimizers.SGD(0.05, clipvalue=1e-7)"),
    "schedule-kills-learning": program(
        optimizer="keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.01, 1, 0.3))"
    ),
    "too-few-updates": program(batch_size=256, epochs=2, optimizer='"adam"'),
}

NOISE = """
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(1, "sigmoid")])
model.compile(keras.optimizers.Adam(0.001), loss="binary_crossentropy")
model.fit(x, y, validation_data=(x_val, y_val), epochs=10, verbose=0)
"""

LOG = """
def distance(true, answer):
    return -keras.ops.mean(keras.ops.log({inside}))

model = keras.Sequential([keras.Input((30,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1{head})])
model.compile(keras.optimizers.Adam(0.01), loss=distance)
model.fit(x, y.reshape(-1, 1), epochs=20, verbose=0)
"""
LEAVING = {
    "learning-rate-too-high": """
model = keras.Sequential([keras.Input((30,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(30.0), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=8, verbose=0)
""",
    "non-finite-inputs": """
x[7, 3] = np.nan
model = keras.Sequential([keras.Input((30,)), keras.layers.Dense(16, activation="tanh"), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.03), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=8, verbose=0)
""",
    "undefined-operation": LOG.format(inside="answer", head=""),
    "momentum-oscillation": """
model = keras.Sequential([keras.Input((30,)), keras.layers.Dense(16, activation="tanh"), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.03, momentum=0.9995), loss="mse")
model.fit(x, y, validation_data=(x_val, y_val), epochs=25, verbose=0)
""",
}
TABLES = (
    ("flat at the constant answer", FLAT, "three-classes", {*FLAT, "no-signal"}),
    ("flat for want of signal", {"no-signal": NOISE}, "noise", {*FLAT, "no-signal"}),
    ("leaving the numbers", LEAVING, "two-classes", {*LEAVING}),
)
ROWS = [
    pytest.param(cause, code, data, alike, id=f"{symptom}: {cause}")
    for symptom, table, data, alike in TABLES
    for cause, code in table.items()
]


@pytest.mark.parametrize(("cause", "code", "data", "alike"), ROWS)
def test_the_cause_is_named_and_none_of_its_look_alikes(cause, code, data, alike, bench, tmp_path):
    report = bench.diagnose(Example(code, data), tmp_path / "run", Settings(experiments="off"))
    roots = {f.rule for f in report.findings if f.explained_by is None}
    assert {cause} == roots & alike


def test_the_same_network_as_it_should_be_has_none_of_these_causes(bench, tmp_path):
    report = bench.diagnose(Example(program(), "three-classes"), tmp_path / "run", Settings(experiments="off"))
    assert set() == {f.rule for f in report.findings} & set(FLAT)
    assert "finished" == report.summary.verdict


HELD_AT = "[keras.callbacks.LearningRateScheduler(lambda epoch: {rate})]"


@pytest.mark.parametrize(("rate", "found"), [("0.0", True), ("1e-6", True), ("0.004", False)])
def test_a_callback_that_holds_the_rate_down_from_the_start(rate, found, bench, tmp_path):
    code = program(callbacks=HELD_AT.format(rate=rate))
    report = bench.diagnose(Example(code, "three-classes"), tmp_path / "run", Settings(experiments="off"))
    roots = [f.rule for f in report.findings if f.explained_by is None and f.severity != "note"]
    assert found * ["schedule-kills-learning"] == roots


def test_an_epsilon_that_swallows_the_steps_is_set_back(bench, tmp_path):
    code = program(optimizer="keras.optimizers.Adam(0.005, epsilon=1e4)")
    report = bench.diagnose(Example(code, "three-classes"), tmp_path / "run", Settings(budget=40))
    first = report.findings[0]
    assert ("learning-rate-too-low", "confirmed") == (first.rule, first.confidence)
    assert ["1e-07"] == [edit.text for edit in first.fix.edits]
