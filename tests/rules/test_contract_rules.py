"""Rules about the contract between data, output and loss on hand-made cases: sick, healthy and look-alike."""

import ast
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from unstuck.experiments.experiment import Decoding, Experiment, compile_config
from unstuck.experiments.interventions.from_logits import SetFromLogits
from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.experiments.interventions.impute import ImputeInputs
from unstuck.experiments.interventions.loss import SetLoss
from unstuck.experiments.interventions.realign import RealignLabels
from unstuck.experiments.interventions.rows import DropRows
from unstuck.experiments.interventions.standardise import StandardiseInputs, StandardiseTargets
from unstuck.experiments.interventions.trainable import Unfreeze
from unstuck.experiments.interventions.weights import DropSampleWeights
from unstuck.measure.case import Case, Missing
from unstuck.measure.code.source import Sources
from unstuck.measure.contract import Contract
from unstuck.measure.data import Data
from unstuck.measure.features import Features
from unstuck.measure.labels.alignment import Alignment, Candidate
from unstuck.measure.reference import Learner, Reference
from unstuck.measure.replay import Moment, Replay, VariableState
from unstuck.measure.room import Room
from unstuck.measure.setup import Head, Layer, Loss, Optimizer, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.task import Task, infer_kind
from unstuck.measure.training.curve import Curve
from unstuck.rules import Cleared, NotApplicable, Suspect
from unstuck.rules.broadcast_target import BroadcastTarget
from unstuck.rules.categorical_loss_on_one_unit import CategoricalLossOnOneUnit
from unstuck.rules.class_loss_on_regression import ClassLossOnRegression
from unstuck.rules.constant_target import ConstantTarget
from unstuck.rules.double_softmax import DoubleSoftmax
from unstuck.rules.empty_target_rows import EmptyTargetRows
from unstuck.rules.everything_frozen import EverythingFrozen
from unstuck.rules.examples import DATA_SETS, prelude
from unstuck.rules.label_format_mismatch import LabelFormatMismatch
from unstuck.rules.loss_ignores_predictions import LossIgnoresPredictions
from unstuck.rules.misaligned_labels import MisalignedLabels
from unstuck.rules.missing_loss import MissingLoss
from unstuck.rules.missing_output_activation import MissingOutputActivation
from unstuck.rules.no_signal import NoSignal
from unstuck.rules.non_finite_inputs import NonFiniteInputs
from unstuck.rules.softmax_on_one_unit import SoftmaxOnOneUnit
from unstuck.rules.squared_error_on_classes import SquaredErrorOnClasses
from unstuck.rules.tiny_targets import TinyTargets
from unstuck.rules.unscaled_inputs import UnscaledInputs
from unstuck.rules.unscaled_targets import UnscaledTargets
from unstuck.rules.unsuitable_loss import UnsuitableLoss
from unstuck.rules.zero_sample_weights import ZeroSampleWeights

SCRIPT = """\
import keras
x, y = load()
base = keras.layers.Dense(8, trainable=False)
model = keras.Sequential([
    keras.Input((4,)),
    keras.layers.Dense(8, activation="relu"),
    keras.layers.Dense(1, activation="softmax"),
])
for layer in model.layers:
    layer.trainable = False
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, sample_weight=w, epochs=3)
"""
RNG = np.random.default_rng(0)


def site_of(text):
    """The recorded site of the call in SCRIPT whose source begins with `text`."""
    for node in ast.walk(ast.parse(SCRIPT)):
        if isinstance(node, ast.Call) and ast.unparse(node).startswith(text):
            return {"file": "train.py", "line": node.lineno, "column": node.col_offset + 1,
                    "end_line": node.end_lineno, "end_column": node.end_col_offset + 1}  # fmt: skip
    raise AssertionError(text)


def dense(units, activation="linear", **more):
    found = {"kind": "Dense", "config": {"units": units, "activation": activation}, "trainable": True, "params": 9,
             "output_shape": (None, units), "site": None, "builtin": True}  # fmt: skip
    return {**found, **more}


def layer(kind, **more):
    return {**dense(1), "kind": kind, "config": {}, "params": 0, "output_shape": None, **more}


def setup_of(*layers, loss="", **more):
    built = tuple(Layer(index=i, name=f"layer_{i}", **raw) for i, raw in enumerate(layers))
    head = next(made for made in reversed(built) if made.params or made.kind == "Dense")
    after = tuple(made for made in built if made.index > head.index)
    acting = next((made for made in reversed(after) if made.activation != "linear"), head)
    given = loss if isinstance(loss, Loss) else Loss(loss)
    sites = {"model": site_of("keras.Sequential"), "compile": site_of("model.compile"), "fit": site_of("model.fit")}
    found = Setup(
        backend="jax", layers=built, head=Head(head, head.units, acting.activation, acting, after), loss=given,
        optimizer=Optimizer("adam", 0.001, "", 0.0, {}), metrics=(), batch_size=32, epochs=3, rows=100,
        class_weight=None, sites=sites, model_kind="sequential", rebuildable=True, custom_train_step=False,
        sources=Sources({"train.py": tuple(SCRIPT.splitlines())}, ""),
    )  # fmt: skip
    return replace(found, **more)


def data_of(x, y, held=None, **more):
    held_x, held_y = held or (x[:10], y[:10])
    stats = {"rows": len(y), "x": [{"non_finite": int((~np.isfinite(x)).sum())}], "y": [{"std": float(np.std(y))}]}
    found = Data(x=(x,), y=y, weight=None, held_x=(held_x,), held_y=held_y, held_kind="validation",
                 fit_rows=np.arange(len(y)), rows=len(y), stats=stats, held_stats={})  # fmt: skip
    return replace(found, **more)


def task_of(kind, y, classes=2):
    base = np.bincount(y.astype(int), minlength=classes) / len(y) if kind in ("binary", "multiclass") else np.mean(y)
    canonical = y.astype(int) if kind in ("binary", "multiclass") else y.reshape(len(y), -1)
    return Task(kind, classes, canonical, canonical[:10], np.atleast_1d(base))


def replay_of(outputs=None, *, moved=0.0, **more):
    state = VariableState("dense/kernel", 0.0 if not moved else 1.0, 1.0, True)
    moments = tuple(Moment(step, 0.5, 0.0, (), (state,)) for step in (0, 75))
    outputs = np.ones((114, 1)) if outputs is None else outputs
    found = Replay(moments, outputs, outputs, 7.5e-8, 0.0, 0.0, not moved, {"dense/kernel": moved}, {})
    return replace(found, **more)


def skill_of(train=0.0, held=0.0, **more):
    found = Skill(train=train, held=held, accuracy=0.626, held_accuracy=0.63, reported_loss=7.5e-8,
                  evaluated_loss=7.5e-8, recomputed_loss=7.5e-8, constant_loss=0.66, log_loss=float("nan"),
                  constant_output=True)  # fmt: skip
    return replace(found, **more)


def curve_of(losses):
    losses = np.asarray(losses, dtype=float)
    bad = np.flatnonzero(~np.isfinite(losses))
    return Curve(losses, losses, losses, losses[0], losses[-1], 0.0, int(bad[0]) if len(bad) else None, 0.0, 0.0)


def room_of(*, exists):
    return Room(0.0, 0.9, 0.9 if exists else 0.0, exists)


def contract_of(shape=(None, 1), **more):
    return replace(Contract(1, shape, label_shape=(100,)), **more)


def judge(rule, *quantities):
    """What the rule says of a case that holds these quantities and nothing else."""
    case = Case(SimpleNamespace(), SimpleNamespace())
    for name, kind in rule.needs().items():
        wanted = next((k for k in getattr(kind, "__args__", (kind,)) if k is not type(None)), kind)
        case._cache[wanted] = next((q for q in quantities if type(q) is wanted), Missing(name))
    arguments = [case.find(getattr(kind, "__args__", (kind,))[0]) for kind in rule.needs().values()]
    return rule().check(*arguments)


X = RNG.normal(size=(100, 4)).astype("float32")
COIN = (RNG.random(100) < 0.63).astype("float32")


# softmax-on-one-unit


def test_softmax_on_one_unit_is_proven_from_the_setup_alone():
    found = judge(SoftmaxOnOneUnit, setup_of(dense(8), dense(1, "softmax"), loss="binary_crossentropy"), contract_of())
    assert isinstance(found, Suspect)
    assert "proven" == found.confidence
    assert (ReplaceHead("sigmoid", "binary_crossentropy"),) == found.cures


def test_softmax_on_one_unit_shows_the_measured_evidence():
    setup = setup_of(
        dense(8), dense(1, "softmax", site=site_of("keras.layers.Dense(1")), loss="categorical_crossentropy"
    )
    y = np.r_[np.ones(626), np.zeros(374)]
    found = judge(SoftmaxOnOneUnit, setup, contract_of(), replay_of(), skill_of(), task_of("binary", y),
                  data_of(np.zeros((1000, 4)), y))  # fmt: skip
    texts = [e.text for e in found.evidence]
    assert "no weight changed in 75 steps; the gradient is exactly 0" == texts[0]
    assert "all 114 held-out outputs are exactly 1" == texts[1]
    assert "7.5e-08" in texts[2]
    assert "accuracy 0.626 is the share of class 1 in the labels" == texts[3]
    assert (7, 27) == (found.location.line, found.location.column)


def test_softmax_over_flattened_time_steps_is_cleared():
    steps = dense(1, output_shape=(None, 12, 1))
    setup = setup_of(steps, layer("Flatten", output_shape=(None, 12)), layer("Softmax", output_shape=(None, 12)))
    assert isinstance(judge(SoftmaxOnOneUnit, setup, contract_of((None, 12))), Cleared)


def test_a_one_unit_softmax_that_gates_another_branch_is_cleared():
    setup = setup_of(dense(8), dense(1, "softmax"), layer("Multiply"), loss="mean_squared_error")
    assert isinstance(judge(SoftmaxOnOneUnit, setup, contract_of((None, 8))), Cleared)


def test_an_lstm_with_one_unit_and_softmax_inside_is_cleared():
    setup = setup_of(dense(1, "softmax", kind="LSTM"), loss="mean_squared_error")
    assert isinstance(judge(SoftmaxOnOneUnit, setup, contract_of()), Cleared)


def test_one_number_for_several_classes_is_tried_with_a_unit_a_class():
    y = RNG.integers(0, 3, 100)
    setup = setup_of(dense(1), loss="mean_squared_error")
    found = judge(SquaredErrorOnClasses, setup, contract_of(), task_of("multiclass", y, 3), data_of(X, y))
    assert (ReplaceHead("softmax", "sparse_categorical_crossentropy", units=3),) == found.cures
    assert "one number stands for 3 classes, as if they were amounts" == found.message
    cleared = judge(SquaredErrorOnClasses, setup, contract_of(), task_of("regression", y, 0), data_of(X, y))
    assert isinstance(cleared, NotApplicable)


def test_class_numbers_under_binary_crossentropy_are_tried_with_a_unit_a_class():
    y = RNG.integers(0, 4, 100)
    setup = setup_of(dense(1, "sigmoid"), loss="binary_crossentropy")
    found = judge(ClassLossOnRegression, setup, contract_of(), task_of("multiclass", y, 4), data_of(X, y))
    assert (ReplaceHead("softmax", "sparse_categorical_crossentropy", units=4),) == found.cures
    assert "the labels number the classes 0 to 3" in found.message
    one_hot = setup_of(dense(4, "softmax"), loss="binary_crossentropy")
    cleared = judge(ClassLossOnRegression, one_hot, contract_of((None, 4)), task_of("multiclass", y, 4), data_of(X, y))
    assert isinstance(cleared, NotApplicable)


@pytest.mark.parametrize("loss", ["binary_crossentropy", "mean_squared_error"])
def test_class_numbers_as_fractions_are_classes_where_accuracy_is_asked_of_a_sigmoid(loss):
    y = RNG.integers(0, 4, 100).astype("float32")
    head = setup_of(dense(1, "sigmoid")).head
    assert infer_kind(y, Loss(loss), head) == "regression"
    asked = infer_kind(y, Loss(loss), head, counted=True)
    assert asked == ("multiclass" if loss == "binary_crossentropy" else "regression")


@pytest.mark.parametrize(
    ("kind", "classes", "cure"),
    [
        ("regression", 0, ReplaceHead("linear")),
        ("multiclass", 3, ReplaceHead("softmax", "sparse_categorical_crossentropy", units=3)),
        ("binary", 2, ReplaceHead("sigmoid")),
    ],
)
def test_the_head_offered_suits_the_labels(kind, classes, cure):
    y = RNG.integers(0, max(classes, 2), 100)
    setup = setup_of(dense(1, "softmax"), loss="mean_squared_error")
    found = judge(SoftmaxOnOneUnit, setup, contract_of(), task_of(kind, y, classes), data_of(X, y))
    assert (cure,) == found.cures


# categorical-loss-on-one-unit


def test_categorical_loss_on_one_sigmoid_unit_is_proven():
    found = judge(
        CategoricalLossOnOneUnit, setup_of(dense(1, "sigmoid"), loss="categorical_crossentropy"), contract_of()
    )
    assert "proven" == found.confidence
    assert ("softmax-on-one-unit",) == CategoricalLossOnOneUnit.echo_of


@pytest.mark.parametrize("outputs", [2, 3])
def test_losses_of_a_model_with_several_outputs_are_not_paired_at_random(outputs):
    setup = setup_of(dense(3, "softmax"), dense(1, "sigmoid"), loss="categorical_crossentropy")
    assert isinstance(judge(CategoricalLossOnOneUnit, setup, contract_of(outputs=outputs)), NotApplicable)


def test_categorical_loss_on_three_units_is_cleared():
    setup = setup_of(dense(3, "sigmoid"), loss="categorical_crossentropy")
    assert isinstance(judge(CategoricalLossOnOneUnit, setup, contract_of((None, 3))), Cleared)


# constant-target, empty-target-rows, zero-sample-weights


def test_one_label_everywhere_is_proven_and_the_held_out_labels_are_counted():
    ones = np.ones(100, "float32")
    data = data_of(X, ones, held=(X, COIN))
    found = judge(ConstantTarget, setup_of(dense(1, "sigmoid"), loss="binary_crossentropy"), contract_of(), data)
    assert "proven" == found.confidence
    assert "the 100 held-out labels have 2 distinct values" in [e.text for e in found.evidence]


@pytest.mark.parametrize("loss", [Loss("identity_loss", custom=True), Loss("")])
def test_dummy_labels_for_a_loss_that_does_not_use_them_are_left_alone(loss):
    found = judge(ConstantTarget, setup_of(dense(1), loss=loss), contract_of(), data_of(X, np.zeros(100)))
    assert isinstance(found, NotApplicable)


def test_a_constant_sample_of_varying_labels_is_cleared():
    data = data_of(X, np.zeros(100), rows=50_000, stats={"y": [{"std": 0.01}], "x": []})
    setup = setup_of(dense(1, "sigmoid"), loss="binary_crossentropy")
    assert isinstance(judge(ConstantTarget, setup, contract_of(), data), Cleared)


def test_empty_target_rows_are_counted_and_a_few_are_cleared():
    y = np.eye(3)[RNG.integers(0, 3, 100)]
    setup = setup_of(dense(3, "softmax"), loss="categorical_crossentropy")
    some, few = y.copy(), y.copy()
    some[:30], few[:1] = 0, 0
    found = judge(EmptyTargetRows, setup, contract_of((None, 3)), data_of(X, some))
    assert ("proven", "error") == (found.confidence, found.severity)
    assert tuple(range(30)) == found.cures[0].rows
    assert isinstance(judge(EmptyTargetRows, setup, contract_of((None, 3)), data_of(X, few)), Cleared)


def test_unlabelled_rows_of_a_network_that_learnt_are_cleared():
    y = np.eye(3)[RNG.integers(0, 3, 100)]
    y[:10] = 0
    setup = setup_of(dense(3, "softmax"), loss="categorical_crossentropy")
    found = judge(EmptyTargetRows, setup, contract_of((None, 3)), data_of(X, y), room_of(exists=False))
    assert isinstance(found, Cleared)


def test_zero_weights_are_proven_and_masked_rows_of_every_class_are_cleared():
    setup = setup_of(dense(1, "sigmoid"), loss="binary_crossentropy")
    task, zero, some = task_of("binary", COIN), np.zeros(100), (np.arange(100) % 4 > 0).astype(float)
    found = judge(ZeroSampleWeights, setup, contract_of(), data_of(X, COIN, weight=zero), task)
    assert "proven" == found.confidence
    assert isinstance(judge(ZeroSampleWeights, setup, contract_of(), data_of(X, COIN, weight=some), task), Cleared)


def test_a_class_of_weight_zero_is_only_likely():
    setup = setup_of(dense(1, "sigmoid"), loss="binary_crossentropy", class_weight={"0": 1.0, "1": 0.0})
    found = judge(ZeroSampleWeights, setup, contract_of(), data_of(X, COIN), task_of("binary", COIN))
    assert ("likely", "every row of class 1 has the weight 0") == (found.confidence, found.message)


# missing-loss, loss-ignores-predictions


def test_a_missing_loss_is_proven_and_the_loss_offered_suits():
    setup = setup_of(dense(1, "sigmoid"))
    found = judge(MissingLoss, setup, contract_of(), task_of("binary", COIN), data_of(X, COIN))
    assert "proven" == found.confidence
    assert (SetLoss("binary_crossentropy"),) == found.cures


def test_layers_that_add_their_own_loss_are_cleared():
    found = judge(MissingLoss, setup_of(dense(4)), contract_of(own_loss=True), curve_of([3.0, 2.0]))
    assert isinstance(found, Cleared)


def test_a_custom_loss_without_gradient_is_found_and_a_smooth_one_cleared():
    setup = setup_of(dense(1, "sigmoid"), loss=Loss("error_rate", custom=True))
    found = judge(LossIgnoresPredictions, setup, contract_of(), replay_of(loss_change=0.4))
    assert "likely" == found.confidence
    assert "proven" == judge(LossIgnoresPredictions, setup, contract_of(), replay_of(loss_change=0.0)).confidence
    smooth = replay_of(moved=0.1, gradient_zero=False, loss_change=0.4)
    assert isinstance(judge(LossIgnoresPredictions, setup, contract_of(), smooth), Cleared)


def test_a_hinge_that_is_satisfied_at_the_end_is_cleared():
    setup = setup_of(dense(1), loss=Loss("my_hinge", custom=True))
    done = replay_of(moved=0.5, gradient_zero=True, loss_change=0.0)
    assert isinstance(judge(LossIgnoresPredictions, setup, contract_of(), done), Cleared)


@pytest.mark.parametrize("error", ["No gradients provided for any variable.", "tensors does not require grad"])
def test_a_loss_that_the_backend_refused_is_proven_without_a_replay(error):
    setup = setup_of(dense(1), loss=Loss("error_rate", custom=True))
    assert "proven" == judge(LossIgnoresPredictions, setup, contract_of(error=error)).confidence


# double-softmax, missing-output-activation, label-format-mismatch

LOGITS = Loss("sparse_categorical_crossentropy", from_logits=True)


def test_double_softmax_names_its_floor():
    found = judge(DoubleSoftmax, setup_of(dense(10, "softmax"), loss=LOGITS), contract_of((None, 10)))
    assert "1.4612" in found.message
    assert (SetFromLogits(False),) == found.cures


def test_tensorflow_takes_the_logits_back_unless_a_layer_follows():
    last = setup_of(dense(3, "softmax"), loss=LOGITS, backend="tensorflow")
    followed = setup_of(dense(3, "softmax"), layer("Reshape"), loss=LOGITS, backend="tensorflow")
    assert isinstance(judge(DoubleSoftmax, last, contract_of((None, 3))), Cleared)
    assert isinstance(judge(DoubleSoftmax, followed, contract_of((None, 3))), Suspect)


def test_a_linear_output_is_suspected_but_never_proven():
    found = judge(MissingOutputActivation, setup_of(dense(1), loss="binary_crossentropy"), contract_of())
    assert "likely" == found.confidence


@pytest.mark.parametrize(
    "made",
    [
        setup_of(dense(3, "sigmoid"), loss="categorical_crossentropy"),
        setup_of(dense(3), loss=LOGITS),
        setup_of(dense(3), layer("Softmax"), loss="categorical_crossentropy"),
    ],
)
def test_outputs_that_end_as_probabilities_or_logits_are_cleared(made):
    assert isinstance(judge(MissingOutputActivation, made, contract_of((None, 3))), Cleared)


@pytest.mark.parametrize(
    ("loss", "labels", "output", "sick"),
    [
        ("categorical_crossentropy", (100,), (None, 3), True),
        ("categorical_crossentropy", (100, 1), (None, 3), True),
        ("categorical_crossentropy", (100, 4), (None, 3), True),
        ("categorical_crossentropy", (100, 3), (None, 3), False),
        ("sparse_categorical_crossentropy", (100, 3), (None, 3), True),
        ("sparse_categorical_crossentropy", (100,), (None, 3), False),
        ("sparse_categorical_crossentropy", (100, 1), (None, 3), False),
        ("sparse_categorical_crossentropy", (100, 7), (None, 7, 3), False),
        ("binary_crossentropy", (100,), (None, 1), False),
        ("binary_crossentropy", (100, 1), (None, 1), False),
        ("binary_crossentropy", (100,), (None, 2), True),
        ("binary_crossentropy", (100, 2), (None, 1), True),
        ("binary_crossentropy", (100, 5), (None, 5), False),
    ],
)
def test_labels_and_output_are_compared_as_keras_does(loss, labels, output, sick):
    setup = setup_of(dense(output[-1], "softmax"), loss=loss)
    found = judge(LabelFormatMismatch, setup, contract_of(output, label_shape=labels))
    assert sick == isinstance(found, Suspect)


# unscaled-inputs, unscaled-targets, tiny-targets, non-finite-inputs


def test_inputs_far_from_unit_scale_are_suspected_by_column():
    x = X * np.array([1, 500, 1, 1]) + np.array([0, 800, 0, 0])
    found = judge(UnscaledInputs, setup_of(dense(8), dense(1)), data_of(x, COIN, columns=("a", "area", "c", "d")))
    assert "likely" == found.confidence
    assert found.evidence[0].text.startswith("area has the mean")
    assert (StandardiseInputs(),) == found.cures


@pytest.mark.parametrize(
    "layers",
    [
        (layer("Normalization", params=9), dense(8), dense(1)),
        (layer("Rescaling"), dense(8), dense(1)),
        (dense(8), layer("BatchNormalization", params=9), dense(1)),
        (layer("Embedding", params=9), dense(1)),
    ],
)
def test_inputs_that_a_layer_brings_to_scale_are_cleared(layers):
    found = judge(UnscaledInputs, setup_of(*layers), data_of(X * 1000, COIN))
    assert isinstance(found, Cleared)


def test_a_frozen_first_layer_expects_its_own_scale():
    found = judge(UnscaledInputs, setup_of(dense(8, trainable=False), dense(1)), data_of(X * 100, COIN))
    assert isinstance(found, NotApplicable)


def test_standardised_inputs_are_cleared():
    assert isinstance(judge(UnscaledInputs, setup_of(dense(8), dense(1)), data_of(X, COIN)), Cleared)


def test_large_targets_are_put_beside_the_reach_of_the_optimiser():
    y = 50_000 + 20_000 * RNG.normal(size=100)
    setup = setup_of(dense(8), dense(1), loss="mean_squared_error")
    found = judge(
        UnscaledTargets, setup, contract_of(), data_of(X, y), task_of("regression", y), curve_of(np.ones(200))
    )
    assert "at most 0.2 in 200 steps" in " ".join(e.text for e in found.evidence)
    assert (StandardiseTargets(),) == found.cures
    solved = skill_of(held=0.95)
    assert isinstance(
        judge(UnscaledTargets, setup, contract_of(), data_of(X, y), task_of("regression", y), solved), Cleared
    )


def test_large_targets_of_a_relu_output_are_not_centred():
    y = 1000 * RNG.random(100)
    setup = setup_of(dense(1, "relu"), loss="mean_squared_error")
    found = judge(UnscaledTargets, setup, contract_of(), data_of(X, y), task_of("regression", y))
    assert (StandardiseTargets(centre=False),) == found.cures


def test_a_small_loss_on_tiny_targets_is_put_beside_the_mean():
    y = 0.003 * RNG.normal(size=100)
    setup = setup_of(dense(8), dense(1), loss="mean_squared_error")
    skill = skill_of(held=-1.0, evaluated_loss=2.7e-4, constant_loss=1.1e-5)
    found = judge(TinyTargets, setup, contract_of(), data_of(X, y), task_of("regression", y), skill)
    assert "24.5 times that" in found.evidence[0].text
    assert isinstance(judge(TinyTargets, setup, contract_of(), data_of(X, y), task_of("regression", X[:, 0])), Cleared)


def test_nan_inputs_are_proven_once_they_spoilt_the_run():
    x = X.copy()
    x[3, 2] = np.nan
    setup = setup_of(dense(8), dense(1))
    found = judge(NonFiniteInputs, setup, contract_of(), data_of(x, COIN), curve_of([0.7, np.nan]))
    assert "proven" == found.confidence
    assert "1 cell in 1 of 100 rows: NaN or infinite, column 2 (1)" == found.evidence[0].text
    assert isinstance(
        judge(NonFiniteInputs, setup, contract_of(), data_of(x, COIN), curve_of([0.7, 0.6]), replay_of(moved=0.1)),
        Cleared,
    )


def test_a_finite_loss_on_tensorflow_does_not_clear_nan_inputs():
    x = X.copy()
    x[3, 2] = np.nan
    setup = setup_of(dense(8), dense(1), backend="tensorflow")
    assert "likely" == judge(NonFiniteInputs, setup, contract_of(), data_of(x, COIN), curve_of([0.7, 0.7])).confidence


def test_nan_inputs_that_made_fit_raise_are_not_cleared_by_finite_weights():
    x = X.copy()
    x[3, 2] = np.nan
    raised = contract_of(error="RuntimeError: all elements of input should be between 0 and 1")
    found = judge(NonFiniteInputs, setup_of(dense(8)), raised, data_of(x, COIN), curve_of([0.7]), replay_of(moved=0.1))
    assert isinstance(found, Suspect)
    assert "fit raised RuntimeError" in found.evidence[-1].text


# no-signal, misaligned-labels


def reference_of(p=0.5, rows=600, **more):
    found = Reference((Learner("linear", 0.0, 0.1),), 0.0, -0.1, 0.1, 0.0, p, -0.01, rows)
    return replace(found, **more)


def test_no_signal_needs_rows_and_a_network_at_chance():
    setup, columns = setup_of(dense(8), dense(1, "sigmoid")), Features(X, X, plain=True)
    found = judge(NoSignal, setup, columns, reference_of(), skill_of())
    assert ("likely", ()) == (found.confidence, found.cures)
    assert 3 == len(found.rivals)
    assert isinstance(judge(NoSignal, setup, columns, reference_of(p=0.001), skill_of()), Cleared)
    assert isinstance(judge(NoSignal, setup, columns, reference_of(rows=80), skill_of()), NotApplicable)
    assert isinstance(judge(NoSignal, setup, columns, reference_of(), skill_of(held=0.4)), Cleared)
    images = replace(columns, plain=False)
    assert "possible" == judge(NoSignal, setup, images, reference_of(), skill_of()).confidence


def alignment_case(x, y, held):
    case = Case(SimpleNamespace(), SimpleNamespace())
    case._cache[Data] = data_of(x, y, held)
    case._cache[Task] = replace(task_of("binary", y), held_y=held[1].astype(int))
    return case


def linear_rows(rows):
    x = RNG.normal(size=(rows, 4)).astype("float32")
    return x, (x[:, 0] + x[:, 1] + 0.3 * RNG.normal(size=rows) > 0).astype("float32")


@pytest.mark.parametrize(("amount", "undo"), [(1, -1), (-3, 3)])
def test_shifted_labels_are_found_and_the_shift_is_undone(amount, undo):
    x, y = linear_rows(300)
    case = alignment_case(x, np.roll(y, amount), linear_rows(100))
    alignment = case.get(Alignment)
    assert ("shift", undo) == (alignment.best.kind, alignment.best.amount)
    assert alignment.held_fits
    found = judge(MisalignedLabels, setup_of(dense(1, "sigmoid")), case.get(Data), alignment)
    assert (RealignLabels("shift", undo),) == found.cures


def test_labels_in_order_and_noise_are_cleared():
    (x, y), (held_x, held_y) = linear_rows(300), linear_rows(100)
    for labels, held in ((y, held_y), (RNG.permutation(y), RNG.permutation(held_y))):
        case = alignment_case(x, labels, (held_x, held))
        assert isinstance(judge(MisalignedLabels, setup_of(dense(1)), case.get(Data), case.get(Alignment)), Cleared)


def test_training_labels_in_no_known_order_are_found_by_held_out_labels_that_fit():
    x, y = linear_rows(300)
    case = alignment_case(x, RNG.permutation(y), linear_rows(100))
    found = judge(MisalignedLabels, setup_of(dense(1)), case.get(Data), case.get(Alignment))
    assert ((), 3) == (found.cures, len(found.rivals))
    assert found.evidence[0].value < 0.15 * found.evidence[0].expected


def test_returns_that_a_lagged_copy_predicts_are_not_called_misaligned():
    returns = RNG.normal(size=301)
    lagged = np.stack([np.roll(returns, k) for k in range(1, 5)], axis=1)
    y = (returns > 0).astype("float32")
    case = alignment_case(lagged, y, (lagged[:50], y[:50]))
    found = judge(MisalignedLabels, setup_of(dense(1)), case.get(Data), case.get(Alignment))
    assert isinstance(found, Cleared)


def test_held_out_labels_that_are_out_of_order_too_leave_nothing_to_try():
    alignment = Alignment(Candidate("shift", 0, 0.6, 0.0), Candidate("shift", 1, 1e-9, 0.5), 11, 0.7, False, 300)
    found = judge(MisalignedLabels, setup_of(dense(1)), data_of(X, COIN), alignment)
    assert ((), "sketch") == (found.cures, found.fix.applicability)


# everything-frozen


def test_everything_frozen_is_proven_and_points_at_the_loop():
    setup = setup_of(dense(8, trainable=False), dense(1, "sigmoid", trainable=False), loss="binary_crossentropy")
    found = judge(EverythingFrozen, setup, curve_of([0.7, 0.7, 0.7]), replay_of())
    assert "proven" == found.confidence
    assert (10, 23) == (found.location.line, found.location.column)
    assert "0 of 18 weights are trainable (2 layers)" == found.evidence[0].text


def test_a_frozen_backbone_under_a_head_that_trains_is_cleared():
    setup = setup_of(layer("Normalization", params=9), dense(8, trainable=False), dense(1))
    assert isinstance(judge(EverythingFrozen, setup), Cleared)


# interventions


def experiment_of(x=X, y=COIN, **more):
    config = {"units": 1, "trainable": False, "activation": "linear"}
    layers = [{"class_name": "Dense", "config": {**config, "name": f"d{i}"}} for i in range(2)]
    model = {"class_name": "Sequential", "config": {"name": "m", "trainable": False, "layers": layers}}
    settings = {"optimizer": "adam", "loss": "bce", "metrics": ["accuracy"], "loss_weights": None}
    found = Experiment(model=model, compile=settings, x=(x,), y=y, held_x=(x[:20],), batch_size=32, epochs=3,
                       weight=np.ones(len(y)))  # fmt: skip
    return replace(found, **more)


NAN_X = np.where(RNG.random(X.shape) < 0.1, np.nan, X).astype("float32")
ALL = [
    StandardiseInputs(), StandardiseTargets(), SetLoss("mean_squared_error"), SetFromLogits(True), DropSampleWeights(),
    DropRows("rows without a class", (0, 5, 7)), Unfreeze(), RealignLabels("shift", 1), RealignLabels("sort", 2),
    ImputeInputs(),
]  # fmt: skip


@pytest.mark.parametrize("intervention", ALL, ids=lambda i: i.label)
def test_interventions_keep_shapes_and_leave_the_original_alone(intervention):
    before = experiment_of(NAN_X)
    after = intervention.apply(before)
    assert [a.shape for a in before.x] == [a.shape for a in after.x]
    assert [a.dtype for a in (*before.x, *before.held_x)] == [a.dtype for a in (*after.x, *after.held_x)]
    assert (before.y.shape, before.y.dtype) == (after.y.shape, after.y.dtype)
    assert before.held_x[0].shape == after.held_x[0].shape
    assert {"optimizer": "adam", "loss": "bce", "metrics": ["accuracy"], "loss_weights": None} == before.compile
    assert before.model["config"]["layers"][0]["config"]["trainable"] is False
    assert isinstance(intervention.describe()["type"], str)


def test_inputs_are_standardised_by_the_training_rows_alone():
    x = X * 50 + 300
    after = StandardiseInputs().apply(experiment_of(x, held_x=(x[:20] + 1000,)))
    assert np.allclose(after.x[0].mean(axis=0), 0, atol=1e-3)
    assert np.allclose(after.x[0].std(axis=0), 1, atol=1e-3)
    assert after.held_x[0].mean() > 10


def test_images_are_standardised_by_channel_and_a_constant_column_stays_finite():
    images = RNG.integers(0, 256, (20, 8, 8, 3)).astype("uint8")
    images[..., 0] = 7
    after = StandardiseInputs().apply(experiment_of(images, COIN[:20]))
    assert np.dtype("float32") == after.x[0].dtype
    assert np.allclose(after.x[0].mean(axis=(0, 1, 2)), 0, atol=1e-4)
    assert np.isfinite(after.x[0]).all()


def test_token_numbers_are_not_standardised():
    experiment = experiment_of(RNG.integers(0, 50, (100, 6)))
    experiment.model["config"]["layers"][0]["class_name"] = "Embedding"
    assert np.array_equal(experiment.x[0], StandardiseInputs().apply(experiment).x[0])


@pytest.mark.parametrize("centre", [True, False])
def test_targets_are_read_back_in_their_own_units(centre):
    y = (5000 + 200 * RNG.normal(size=(100, 2))).astype("float32")
    after = StandardiseTargets(centre=centre).apply(experiment_of(y=y))
    assert np.allclose(after.y * after.decoding.scale + after.decoding.shift, y, rtol=1e-4)
    assert abs(float((after.y**2).mean()) - 1) < 1e-3


def test_from_logits_keeps_the_loss_and_reads_the_output_as_logits():
    after = SetFromLogits(True).apply(experiment_of())
    loss = compile_config(after.compile)["loss"]
    assert ("BinaryCrossentropy", True) == (loss["class_name"], loss["config"]["from_logits"])
    assert "sigmoid" == after.decoding.activation
    assert "" == SetFromLogits(False).apply(replace(after, decoding=Decoding(activation="softmax"))).decoding.activation


def test_dropped_rows_are_replaced_by_others_with_their_labels_and_weights():
    x = np.arange(40, dtype="float32").reshape(10, 4)
    after = DropRows("rows", (0, 3)).apply(experiment_of(x, x[:, 0].copy(), weight=x[:, 1].copy()))
    assert not {0.0, 12.0} & set(after.y.tolist())
    assert np.array_equal(after.x[0][:, 0], after.y)
    assert np.array_equal(after.x[0][:, 1], after.weight)


def test_realigning_undoes_a_shift_a_reversal_and_a_sort():
    x = RNG.normal(size=(50, 3))
    y = x[:, 1].copy()
    assert np.array_equal(y, RealignLabels("shift", -1).apply(experiment_of(x, np.roll(y, 1))).y)
    assert np.array_equal(y, RealignLabels("reverse").apply(experiment_of(x, y[::-1])).y)
    assert np.array_equal(y, RealignLabels("sort", 1).apply(experiment_of(x, np.sort(y))).y)


def test_missing_inputs_become_the_mean_of_the_training_column():
    x = np.array([[1, np.nan], [3, 4], [np.inf, 8]], dtype="float32")
    after = ImputeInputs().apply(experiment_of(x, COIN[:3], held_x=(np.full((2, 2), np.nan, "float32"),)))
    assert [[1, 6], [3, 4], [2, 8]] == after.x[0].tolist()
    assert [[2, 6], [2, 6]] == after.held_x[0].tolist()


def test_unfreezing_reaches_nested_models():
    experiment = experiment_of()
    nested = {
        "class_name": "Sequential",
        "config": {"trainable": False, "layers": experiment.model["config"]["layers"]},
    }
    experiment = replace(experiment, model={"class_name": "Functional", "config": {"layers": [nested]}})
    inner = Unfreeze().apply(experiment).model["config"]["layers"][0]["config"]
    assert inner["trainable"]
    assert all(made["config"]["trainable"] for made in inner["layers"])


# edits


def applied(fix):
    """SCRIPT with the edits of a fix, from the last to the first."""
    lines = SCRIPT.splitlines()
    for edit in sorted(fix.edits, key=lambda e: e.start, reverse=True):
        assert edit.start[0] == edit.end[0]
        line = lines[edit.start[0] - 1]
        lines[edit.start[0] - 1] = line[: edit.start[1] - 1] + edit.text + line[edit.end[1] - 1 :]
    text = "\n".join(lines)
    ast.parse(text)
    return text


def test_edits_change_what_they_say_and_leave_valid_python():
    setup = setup_of(dense(8), dense(1), loss="binary_crossentropy")
    assert 'loss="mean_squared_error", metrics' in applied(SetLoss("mean_squared_error").edit(setup))
    assert "BinaryCrossentropy(from_logits=True)" in applied(SetFromLogits(True).edit(setup))
    assert "sample_weight=None" in applied(DropSampleWeights().edit(setup))
    assert "suggested" == SetFromLogits(True).edit(setup).applicability


def test_unfreezing_edits_the_argument_or_sketches_the_loop():
    built_frozen = setup_of(dense(8, trainable=False, site=site_of("keras.layers.Dense(8, trainable")))
    in_a_loop = setup_of(dense(8, trainable=False, site=site_of("keras.layers.Dense(8, activation")))
    assert "suggested" == Unfreeze().edit(built_frozen).applicability
    assert "Dense(8, trainable=True)" in applied(Unfreeze().edit(built_frozen))
    assert "sketch" == Unfreeze().edit(in_a_loop).applicability
    assert "    layer.trainable = True" in applied(Unfreeze().edit(in_a_loop))


def test_a_normalization_layer_goes_in_front_and_is_adapted_before_the_model():
    fix = StandardiseInputs().edit(setup_of(dense(8), dense(1)))
    text = applied(fix)
    assert "suggested" == fix.applicability
    assert "normalise.adapt(x)\nmodel = keras.Sequential" in text
    assert "    normalise,\n    keras.layers.Dense(8, activation" in text


@pytest.mark.parametrize("data", DATA_SETS)
def test_every_prelude_is_valid_python_and_defines_its_names(data):
    stored = {n.id for n in ast.walk(ast.parse(prelude(data))) if isinstance(n, ast.Name)}
    assert {"x", "y"} <= stored
    assert data == "raw" or {"x_val", "y_val"} <= stored


# unsuitable-loss


@pytest.mark.parametrize("loss", ["hinge", "poisson", "kl_divergence"])
def test_one_number_under_a_loss_for_two_classes_or_counts_is_tried_with_a_unit_a_class(loss):
    y = RNG.integers(0, 3, 100)
    three, two = task_of("multiclass", y, 3), task_of("binary", y > 0)
    found = judge(UnsuitableLoss, setup_of(dense(1, "sigmoid"), loss=loss), contract_of(), data_of(X, y), three)
    assert (ReplaceHead("softmax", "sparse_categorical_crossentropy", units=3),) == found.cures
    if loss != "kl_divergence":
        setup = setup_of(dense(1, "linear"), loss=loss)
        assert not isinstance(judge(UnsuitableLoss, setup, contract_of(), data_of(X, y), two), Suspect)


def test_a_hinge_on_amounts_is_proven_and_on_two_classes_of_a_linear_output_cleared():
    y = RNG.normal(size=100)
    setup = setup_of(dense(1), loss="hinge")
    found = judge(UnsuitableLoss, setup, contract_of(), data_of(X, y), task_of("regression", y))
    assert ("proven", (ReplaceHead("linear", "mean_squared_error"),)) == (found.confidence, found.cures)
    assert isinstance(judge(UnsuitableLoss, setup, contract_of(), data_of(X, COIN), task_of("binary", COIN)), Cleared)


@pytest.mark.parametrize("classes", [2, 3])
def test_one_output_for_one_hot_rows_is_tried_with_a_unit_a_column(classes):
    y = RNG.integers(0, classes, 100)
    contract, data = contract_of(label_shape=(100, classes)), data_of(X, np.eye(classes)[y])
    task = task_of("multiclass", y, classes)
    found = judge(BroadcastTarget, setup_of(dense(1), loss="mean_squared_error"), contract, data, task)
    assert (ReplaceHead("softmax", "categorical_crossentropy", units=classes),) == found.cures
    assert f"one output is compared with all {classes} target columns" == found.message


def test_one_output_for_several_amounts_keeps_its_loss_and_gets_a_unit_a_column():
    y = RNG.normal(size=(100, 4))
    contract, task = contract_of(label_shape=(100, 4)), Task("regression", 0, y, y[:10], y.mean(axis=0))
    setup = setup_of(dense(1, "tanh"), loss="mean_absolute_error")
    assert (ReplaceHead("tanh", units=4),) == judge(BroadcastTarget, setup, contract, data_of(X, y), task).cures
    several = Task("multilabel", 4, y > 0, (y > 0)[:10], (y > 0).mean(axis=0))
    of_labels = judge(BroadcastTarget, setup, contract, data_of(X, (y > 0).astype("float32")), several)
    assert "towards a mean of them" in of_labels.conclusion
    same = contract_of((None, 4), label_shape=(100, 4))
    assert isinstance(judge(BroadcastTarget, setup, same, data_of(X, y), task), Cleared)


@pytest.mark.parametrize("classes", [2, 3])
def test_linear_outputs_for_one_hot_rows_are_tried_with_softmax_from_three_classes_on(classes):
    y = RNG.integers(0, classes, 100)
    setup, contract = setup_of(dense(classes), loss="mean_absolute_error"), contract_of((None, classes))
    found = judge(
        SquaredErrorOnClasses, setup, contract, task_of("multiclass", y, classes), data_of(X, np.eye(classes)[y])
    )
    cure = ReplaceHead("softmax", "categorical_crossentropy")
    assert isinstance(found, Cleared) if classes == 2 else (cure,) == found.cures


def test_poisson_below_zero_is_unsuitable_and_on_counts_it_is_not():
    setup, counts = setup_of(dense(8), dense(1, "softplus"), loss="poisson"), RNG.poisson(3.0, 100).astype("float32")
    below = counts - 3
    found = judge(UnsuitableLoss, setup, contract_of(), data_of(X, below), task_of("regression", below))
    assert ("proven", "linear and mean_squared_error") == (found.confidence, found.cures[0].label)
    assert (below < 0).mean() == found.evidence[0].value
    assert isinstance(
        judge(UnsuitableLoss, setup, contract_of(), data_of(X, counts), task_of("regression", counts)), Cleared
    )


def test_a_hinge_on_outputs_between_0_and_1_is_suspected_and_on_a_linear_output_it_is_cleared():
    y = np.eye(3)[RNG.integers(0, 3, 100)]
    task = task_of("multiclass", y.argmax(axis=1), 3)
    contract = contract_of((None, 3), label_shape=(100, 3))

    def said(activation):
        setup = setup_of(dense(8), dense(3, activation), loss="hinge")
        return judge(UnsuitableLoss, setup, contract, data_of(X, y), task)

    found = said("softmax")
    assert ("likely", "categorical_crossentropy") == (found.confidence, found.cures[0].label)
    assert isinstance(said("linear"), Cleared)
