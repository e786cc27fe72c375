"""Structural interventions on real serialized models: the result deserializes, runs, and keeps its outputs."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import ast
from typing import Any

import keras
import numpy as np
import pytest

from unstuck.experiments.experiment import Experiment, compile_config, layer_configs, optimizer_config
from unstuck.experiments.intervention import Intervention
from unstuck.experiments.interventions.activations import ReplaceActivations
from unstuck.experiments.interventions.dropout import AddDropout, SetDropout
from unstuck.experiments.interventions.epochs import ScaleEpochs, StopAt
from unstuck.experiments.interventions.initialise import Reinitialise
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.optimiser import SetClipNorm, SetMomentum, UseAdam
from unstuck.experiments.interventions.penalty import RemovePenalty
from unstuck.experiments.interventions.remove_layers import RemoveLayers
from unstuck.experiments.interventions.standardise import StandardiseInputs
from unstuck.experiments.interventions.widen import Widen
from unstuck.finding import Fix
from unstuck.measure.code.source import Sources
from unstuck.measure.setup import Head, Layer, Loss, Optimizer, Setup

L = keras.layers
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
"""Raised inside Keras when it reads its own variables under NumPy 2."""


def sequential() -> Any:
    return keras.Sequential([
        L.Input((8,)),
        L.Dense(4, activation="sigmoid", kernel_regularizer="l2"),
        L.Dropout(0.9),
        L.Dense(4, bias_initializer=keras.initializers.Constant(-5.0)),
        L.Activation("tanh"),
        L.Dense(3, activation="softmax", kernel_initializer="zeros"),
    ])  # fmt: skip


def functional() -> Any:
    inputs = keras.Input((8,))
    left = L.Dense(4, activation="tanh")(inputs)
    right = L.Dense(4, activation="sigmoid")(inputs)
    both = L.Concatenate()([left, right])
    return keras.Model(inputs, [L.Dense(1, activation="sigmoid", name="a")(both), L.Dense(3, name="b")(left)])


def nested() -> Any:
    body = keras.Sequential([L.Input((8,)), L.Dense(4, activation="tanh")])
    tail = keras.Sequential([L.Input((4,)), L.Dense(3, activation="sigmoid"), L.Dense(2, activation="sigmoid")])
    inputs = keras.Input((8,))
    return keras.Model(inputs, tail(body(inputs)))


def convolutional() -> Any:
    return keras.Sequential([
        L.Input((8, 8, 1)), L.Conv2D(4, 3, activation="tanh"), L.BatchNormalization(), L.Flatten(), L.Dense(2),
    ])  # fmt: skip


def residual() -> Any:
    inputs = keras.Input((8,))
    hidden = L.Dense(8, activation="tanh")(inputs)
    return keras.Model(inputs, L.Dense(1)(L.Add()([inputs, hidden])))


def experiment(model: Any, optimizer: Any = "adam") -> Experiment:
    model.compile(optimizer=optimizer, loss="mse")
    return Experiment(
        model=keras.saving.serialize_keras_object(model),
        compile=model.get_compile_config(),
        x=(np.zeros((10, 8), np.float32),),
        y=np.zeros((10, 1), np.float32),
        held_x=(np.zeros((4, 8), np.float32),),
        batch_size=5,
        epochs=20,
    )


def rebuilt(changed: Experiment) -> Any:
    config = {k: v for k, v in changed.model.items() if k != "compile_config"}
    return keras.saving.deserialize_keras_object(config)


def shapes(model: Any, *, image: bool = False) -> list[tuple[int, ...]]:
    out = model(np.ones((2, 8, 8, 1) if image else (2, 8), np.float32))
    return [tuple(o.shape) for o in (out if isinstance(out, list) else [out])]


STRUCTURAL: tuple[Intervention, ...] = (
    Widen(8, 2), Widen(1, 1), Widen(8, 0), AddDropout(0.5), SetDropout(0.1), RemovePenalty(), Reinitialise("he_normal"),
    ReplaceActivations("relu"), ReplaceActivations("leaky_relu", of=("relu", "sigmoid")),
)  # fmt: skip


@pytest.mark.parametrize("change", STRUCTURAL, ids=lambda change: change.label)
@pytest.mark.parametrize("make", [sequential, functional, nested, convolutional, residual])
def test_every_change_keeps_the_shape_of_the_outputs(make: Any, change: Intervention) -> None:
    model, image = make(), make is convolutional
    before = experiment(model)
    kept = repr(before.model)
    changed = change.apply(before)
    assert shapes(model, image=image) == shapes(rebuilt(changed), image=image)
    assert kept == repr(before.model)
    assert changed.held_x is before.held_x


def test_widening_multiplies_hidden_units_and_adds_layers_before_the_head() -> None:
    model = rebuilt(Widen(8, 2).apply(experiment(sequential())))
    assert [64, 64, 64, 64, 3] == [layer.units for layer in model.layers if hasattr(layer, "units")]


def test_widening_a_functional_model_adds_layers_before_each_head_and_keeps_the_heads() -> None:
    model = rebuilt(Widen(8, 1).apply(experiment(functional())))
    assert sorted([64, 64, 64, 64, 1, 3]) == sorted(layer.units for layer in model.layers if hasattr(layer, "units"))
    assert (1, 3) == (model.get_layer("a").units, model.get_layer("b").units)


def test_a_second_softmax_of_a_functional_model_can_be_taken_out() -> None:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8,))
    outputs = L.Softmax(name="again")(L.Dense(3, activation="softmax")(inputs))
    model = rebuilt(RemoveLayers(("again",)).apply(experiment(keras.Model(inputs, outputs))))
    row = np.random.default_rng(0).normal(size=(1, 8)).astype("float32") * 50
    assert np.asarray(model(row)).max() > 0.9  # softmax of probabilities is 0.58 at most


def test_a_residual_branch_keeps_its_width() -> None:
    model = rebuilt(Widen(8, 1).apply(experiment(residual())))
    assert [8, 64, 1] == [layer.units for layer in model.layers if hasattr(layer, "units")]


def test_a_convolution_head_gets_no_dense_layer() -> None:
    model = keras.Sequential([L.Input((8, 8, 1)), L.Conv2D(4, 3), L.Conv2D(1, 3, activation="sigmoid")])
    changed = rebuilt(Widen(8, 2).apply(experiment(model)))
    assert ["Conv2D", "Conv2D"] == [type(layer).__name__ for layer in changed.layers]
    assert [64, 1] == [layer.filters for layer in changed.layers]


def test_a_model_without_hidden_layers_becomes_a_network() -> None:
    model = rebuilt(Widen(8, 2).apply(experiment(keras.Sequential([L.Input((8,)), L.Dense(1)]))))
    assert [64, 64, 1] == [layer.units for layer in model.layers]
    assert "relu" == model.layers[0].activation.__name__


def test_output_activations_are_never_replaced() -> None:
    sequence = rebuilt(ReplaceActivations("relu").apply(experiment(sequential())))
    names = [layer.activation.__name__ for layer in sequence.layers if hasattr(layer, "activation")]
    assert ["relu", "linear", "relu", "softmax"] == names
    inner = list(layer_configs(ReplaceActivations("relu").apply(experiment(nested())).model))
    assert ["relu", "relu", "sigmoid"] == [c["config"]["activation"] for c in inner if "activation" in c["config"]]


def test_recurrent_layers_keep_their_activations() -> None:
    model = keras.Sequential([L.Input((4, 2)), L.LSTM(3), L.Dense(1)])
    changed = rebuilt(ReplaceActivations("relu").apply(experiment(model)))
    assert "tanh" == changed.layers[0].activation.__name__


def test_reinitialising_changes_kernels_and_only_hidden_biases() -> None:
    changed = Reinitialise("glorot_uniform", bias="zeros").apply(experiment(sequential()))
    dense = [c["config"] for c in layer_configs(changed.model) if "units" in c["config"]]
    assert ["glorot_uniform"] * 3 == [c["kernel_initializer"] for c in dense]
    assert ["zeros", "zeros", "Zeros"] == [_name(c["bias_initializer"]) for c in dense]
    model = rebuilt(changed)
    assert float(np.abs(model.layers[-1].kernel).max()) > 0


def test_penalties_and_dropout_are_taken_out() -> None:
    model = rebuilt(RemovePenalty().apply(experiment(sequential())))
    model(np.ones((2, 8), np.float32))
    assert 0.0 == float(sum(model.losses))
    quiet = rebuilt(SetDropout(0.0).apply(experiment(sequential())))
    inputs = np.ones((2, 4), np.float32)
    assert [True] == [
        np.array_equal(inputs, layer(inputs, training=True)) for layer in quiet.layers if isinstance(layer, L.Dropout)
    ]


@pytest.mark.parametrize(
    ("optimizer", "key"), [("sgd", "momentum"), (keras.optimizers.SGD(0.1, momentum=0.999), "momentum"),
                           (keras.optimizers.Adam(beta_1=0.999), "beta_1")]
)  # fmt: skip
def test_momentum_is_set_under_the_name_the_optimiser_uses(optimizer: Any, key: str) -> None:
    changed = SetMomentum(0.9).apply(experiment(sequential(), optimizer))
    config = optimizer_config(changed.with_compile()[1])
    assert 0.9 == config[key]


def test_adam_takes_the_place_of_the_optimiser_with_its_own_rate() -> None:
    changed = UseAdam(0.002).apply(experiment(sequential(), keras.optimizers.SGD(0.5, momentum=0.9)))
    optimizer = keras.optimizers.deserialize(compile_config(changed.with_compile()[1])["optimizer"])
    assert isinstance(optimizer, keras.optimizers.Adam)
    assert 0.002 == changed.learning_rate


def test_a_clip_norm_replaces_other_clips() -> None:
    changed = SetClipNorm(1.0).apply(experiment(sequential(), keras.optimizers.SGD(clipvalue=0.5)))
    config = optimizer_config(changed.with_compile()[1])
    assert (1.0, None, None) == (config["clipnorm"], config["clipvalue"], config["global_clipnorm"])
    assert 1.0 == keras.optimizers.SGD.from_config(config).clipnorm


def test_epochs_scale_and_stop() -> None:
    run = experiment(sequential())
    assert (80, 1, 3, 20) == tuple(
        change.apply(run).epochs for change in (ScaleEpochs(4), ScaleEpochs(0.01), StopAt(3), StopAt(99))
    )


SCRIPT = """\
import keras

model = keras.Sequential([
    keras.layers.Dense(4, activation="sigmoid", kernel_regularizer="l2"),
    keras.layers.Dropout(0.9),
    keras.layers.Dense(4, "tanh", bias_initializer="ones"),
    keras.layers.Dense(1),
])
model.compile(keras.optimizers.SGD(0.1, momentum=0.999), "mse")
model.fit(x, y, epochs=20)
"""


def setup_of(script: str, kinds: list[tuple[str, dict[str, Any]]], model_kind: str = "sequential") -> Setup:
    """A Setup whose layer sites are the calls of the script in order, as the recorder would give them."""
    calls = [n for n in ast.walk(ast.parse(script)) if isinstance(n, ast.Call)]
    calls.sort(key=lambda n: (n.lineno, n.col_offset))

    def site(call: ast.Call) -> dict[str, Any]:
        return {"file": "t.py", "line": call.lineno, "column": call.col_offset + 1,
                "end_line": call.end_lineno, "end_column": (call.end_col_offset or 0) + 1}  # fmt: skip

    def named(name: str) -> list[ast.Call]:
        return [c for c in calls if isinstance(c.func, ast.Attribute | ast.Name) and _end(c.func) == name]

    seen: dict[str, int] = {}
    layers = []
    for i, (kind, config) in enumerate(kinds):
        call = named(kind)[seen.get(kind, 0)]
        seen[kind] = seen.get(kind, 0) + 1
        layers.append(Layer(i, f"{kind.lower()}_{i}", kind, config, True, 8, None, site(call), True))
    head = Head(layers[-1], 1, "linear", layers[-1], ())
    found = {name: site(named(name)[0]) if named(name) else None for name in ("Sequential", "compile", "fit")}
    return Setup(
        backend="jax", layers=tuple(layers), head=head, loss=Loss("mean_squared_error"),
        optimizer=Optimizer("sgd", 0.1, "", 0.999, {"momentum": 0.999}), metrics=(), batch_size=32, epochs=20, rows=100,
        class_weight=None, sites={"model": found["Sequential"], "compile": found["compile"], "fit": found["fit"]},
        model_kind=model_kind, rebuildable=True, custom_train_step=False,
        sources=Sources({"t.py": tuple(script.split("\n"))}, ""),
    )  # fmt: skip


def _end(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _name(initializer: Any) -> str:
    return initializer if isinstance(initializer, str) else initializer["class_name"]


def applied(script: str, fix: Fix | None) -> str:
    """The script after the edits, last position first."""
    assert fix is not None
    lines = script.split("\n")
    for edit in sorted(fix.edits, key=lambda e: (e.start, e.end), reverse=True):
        (row, column), (end_row, end_column) = edit.start, edit.end
        text = lines[row - 1][: column - 1] + edit.text + lines[end_row - 1][end_column - 1 :]
        lines[row - 1 : end_row] = text.split("\n")
    changed = "\n".join(lines)
    ast.parse(changed)
    return changed


GLOROT = "glorot_uniform"
INSERTED = 'keras.layers.Dense(64, activation="relu", kernel_initializer="he_normal"),'
REINITIALISED = 'Dense(4, "relu", bias_initializer="ones", kernel_initializer="he_normal")'
REG = {"class_name": "L2", "config": {"l2": 0.01}}
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("Dense", {"units": 4, "activation": "sigmoid", "kernel_initializer": GLOROT, "kernel_regularizer": REG,
               "bias_initializer": "zeros"}),
    ("Dropout", {"rate": 0.9}),
    ("Dense", {"units": 4, "activation": "tanh", "kernel_initializer": GLOROT, "bias_initializer": "ones"}),
    ("Dense", {"units": 1, "activation": "linear", "kernel_initializer": GLOROT, "bias_initializer": "zeros"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Widen(8, 1), ['Dense(64, activation="sigmoid"', 'Dense(64, "tanh"',
                       f"    {INSERTED}\n    keras.layers.Dense(1)"]),
        (ReplaceActivations("relu"), ['activation="relu"', REINITIALISED]),
        (Reinitialise("", bias="zeros"), ['Dense(4, "tanh", bias_initializer="zeros")']),
        (SetMomentum(0.9), ["SGD(0.1, momentum=0.9)"]),
        (UseAdam(), ["Adam(0.001)"]),
        (ScaleLearningRate(0.1), ["SGD(0.01, momentum=0.999)"]),
        (SetClipNorm(1.0), ["SGD(0.1, momentum=0.999, clipnorm=1)"]),
        (RemovePenalty(), ["kernel_regularizer=None"]),
        (SetDropout(0.1), ["Dropout(0.1)"]),
        (AddDropout(0.5), ["    keras.layers.Dropout(0.5),\n    keras.layers.Dense(1),"]),
        (StopAt(7), ["epochs=7"]),
        (ScaleEpochs(4), ["epochs=80"]),
    ],
    ids=lambda value: value.label if isinstance(value, Intervention) else "",
)  # fmt: skip
def test_the_edit_makes_the_change_in_the_source(change: Intervention, expected: list[str]) -> None:
    fix = change.edit(setup_of(SCRIPT, KINDS))
    assert fix is not None and "suggested" == fix.applicability
    changed = applied(SCRIPT, fix)
    assert [] == [text for text in expected if text not in changed], changed


def test_an_argument_that_may_stand_unnamed_among_others_is_not_named_again() -> None:
    script = SCRIPT.replace("SGD(0.1, momentum=0.999)", "SGD(0.1, 0.999)")
    fix = SetMomentum(0.9).edit(setup_of(script, KINDS))
    assert fix is not None and ("sketch", ()) == (fix.applicability, fix.edits)


def test_the_rate_of_an_optimiser_inside_another_is_only_sketched() -> None:
    script = SCRIPT.replace("keras.optimizers.SGD(0.1, momentum=0.999)", "LossScaleOptimizer(SGD(0.1))")
    fix = ScaleLearningRate(0.1).edit(setup_of(script, KINDS))
    assert fix is not None and ("sketch", ()) == (fix.applicability, fix.edits)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("opt = keras.optimizers.SGD(0.1, momentum=0.999)", "opt = keras.optimizers.SGD(0.01, momentum=0.999)"),
        ("opt: object = SGD(learning_rate=RATE)", "opt: object = SGD(learning_rate=0.01)"),
        ("opt = make_optimizer(0.1)", ""),
        ("opt, other = SGD(0.1), 3", ""),
    ],
)
def test_an_optimiser_with_a_name_is_edited_where_it_is_made(made: str, expected: str) -> None:
    call = "keras.optimizers.SGD(0.1, momentum=0.999)"
    assert call in SCRIPT
    script = made + "\n" + SCRIPT.replace(call, "opt")
    fix = ScaleLearningRate(0.1).edit(setup_of(script, KINDS))
    assert fix is not None
    assert (expected or script) in applied(script, fix)


def test_layers_are_added_with_model_add_where_the_script_does() -> None:
    script = 'model = Sequential()\nmodel.add(Dense(4, activation="relu"))\nmodel.add(Dense(1))\n'
    kinds = [("Dense", {"units": 4, "activation": "relu"}), ("Dense", {"units": 1})]
    fix = Widen(1, 1).edit(setup_of(script, kinds))
    assert 'model.add(Dense(64, activation="relu", kernel_initializer="he_normal"))\nmodel.add(Dense(1))' in applied(
        script, fix
    )


def test_inputs_are_normalised_before_the_first_layer_that_the_script_adds() -> None:
    script = "x = load()\nmodel = Sequential()\nmodel.add(layers.Dense(1))\nmodel.fit(x, y)\n"
    fix = StandardiseInputs().edit(setup_of(script, [("Dense", {"units": 1})]))
    assert "suggested" == (fix.applicability if fix else "")
    added = "normalise = layers.Normalization()\nnormalise.adapt(x)\nmodel.add(normalise)\nmodel.add(layers.Dense(1))\n"
    assert added in applied(script, fix)


def test_a_layer_that_is_not_imported_or_a_functional_head_is_only_sketched() -> None:
    script = "model = Sequential()\nmodel.add(Dense(1))\n"
    fix = AddDropout(0.5).edit(setup_of(script, [("Dense", {"units": 1})]))
    assert fix is not None and ("sketch", ()) == (fix.applicability, fix.edits)
    wired = AddDropout(0.5).edit(setup_of(SCRIPT, KINDS, model_kind="functional"))
    assert wired is not None and "sketch" == wired.applicability
