"""Judgements of the training rules on hand-made evidence: sick, healthy, and look-alikes that must be cleared."""

from __future__ import annotations

import typing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from unstuck.measure.case import Case, Missing
from unstuck.measure.code.source import Sources
from unstuck.measure.data import Data
from unstuck.measure.reference import Learner, Reference
from unstuck.measure.replay import LayerState, Moment, Replay, VariableState
from unstuck.measure.setup import Head, Layer, Loss, Optimizer, Setup
from unstuck.measure.skill import Skill
from unstuck.measure.training.curve import Curve
from unstuck.measure.training.ending import Ending
from unstuck.measure.training.first_non_finite import FirstNonFinite
from unstuck.rules.dead_relu_output import DeadReluOutput
from unstuck.rules.diverging_loss import DivergingLoss
from unstuck.rules.dropout_too_strong import DropoutTooStrong
from unstuck.rules.dying_relu import DyingRelu
from unstuck.rules.learning_rate_too_high import LearningRateTooHigh
from unstuck.rules.learning_rate_too_low import LearningRateTooLow
from unstuck.rules.memorising import Memorising
from unstuck.rules.model_too_small import ModelTooSmall
from unstuck.rules.momentum_oscillation import MomentumOscillation
from unstuck.rules.rule import SECTIONS, Cleared, Judgement, NotApplicable, Rule, Suspect
from unstuck.rules.saturated_activation import SaturatedActivation
from unstuck.rules.vanishing_gradient import VanishingGradient
from unstuck.rules.weight_penalty_too_strong import WeightPenaltyTooStrong
from unstuck.rules.zero_initialised_kernel import ZeroInitialisedKernel

MINE: tuple[type[Rule], ...] = (
    DeadReluOutput, DivergingLoss, DropoutTooStrong, DyingRelu, LearningRateTooHigh, LearningRateTooLow, Memorising,
    ModelTooSmall, MomentumOscillation, SaturatedActivation, VanishingGradient, WeightPenaltyTooStrong,
    ZeroInitialisedKernel,
)  # fmt: skip


def case(*quantities: Any) -> Case:
    """A case that holds only these quantities; all others are missing."""
    made = Case.__new__(Case)
    kinds = (Setup, Skill, Curve, Replay, Data, Reference, FirstNonFinite)
    made.crashed = {}
    made._cache = {kind: Missing(kind.__name__) for kind in kinds} | {type(q): q for q in quantities}
    return made


def judge(rule: type[Rule], *quantities: Any) -> Judgement:
    filled = case(*quantities)
    arguments: dict[str, Any] = {}
    for name, kind in rule.needs().items():
        wanted = [k for k in typing.get_args(kind) if k is not type(None)]
        arguments[name] = filled.find(wanted[0]) if wanted else filled.get(kind)
    return rule().check(**arguments)


def layer(index: int, kind: str, params: int | None = 8, **config: Any) -> Layer:
    return Layer(index, f"{kind.lower()}_{index}", kind, config, True, params, None, None, True)


def dense(index: int, units: int, activation: str, **config: Any) -> Layer:
    defaults = {"kernel_initializer": {"class_name": "GlorotUniform"}, "bias_initializer": {"class_name": "Zeros"}}
    return layer(index, "Dense", units=units, activation=activation, **(defaults | config))


def setup(*layers: Layer, rate: float = 0.001, kind: str = "adam", momentum: float = 0.0, rows: int = 800) -> Setup:
    layers = layers or (dense(0, 32, "relu"), dense(1, 1, "sigmoid"))
    head = next(one for one in reversed(layers) if one.params)
    config = {"beta_1": 0.9, "beta_2": 0.999} if kind == "adam" else {"momentum": momentum}
    return Setup(
        backend="jax", layers=layers, head=Head(head, head.units, head.activation, head, ()),
        loss=Loss("mean_squared_error"), optimizer=Optimizer(kind, rate, "", momentum, config), metrics=(),
        batch_size=32, epochs=20, rows=rows, class_weight=None, sites={"model": None, "compile": None, "fit": None},
        model_kind="sequential", rebuildable=True, custom_train_step=False, sources=Sources({}, ""),
    )  # fmt: skip


def skill(train: float, held: float = float("nan"), **more: Any) -> Skill:
    nan = float("nan")
    losses = dict.fromkeys(("reported_loss", "evaluated_loss", "recomputed_loss", "constant_loss"), 1.0)
    values = {"accuracy": nan, "held_accuracy": nan, "log_loss": nan, "constant_output": False, **losses}
    return Skill(train, held, **(values | more))


def curve(losses: Any, held: Any = (), epochs: int = 10) -> Curve:
    """A curve from per-step losses, epoch means in `epochs` equal parts."""
    steps = np.asarray(losses, dtype=float)
    few = int(np.clip(len(steps) * 0.05, 3, 50))
    bad = np.flatnonzero(~np.isfinite(steps))
    means = np.array([part.mean() for part in np.array_split(steps, epochs)])
    return Curve(steps, means, np.asarray(held, dtype=float), float(steps[:few].mean()), float(steps[-few:].mean()),
                 float(np.nanmin(steps)), int(bad[0]) + 1 if len(bad) else None, 0.0, float("nan"))  # fmt: skip


def state(name: str, activation: str = "relu", *, dead: float = 0.0, saturated: float = 0.0) -> LayerState:
    return LayerState(name, activation, 0.0, 1.0, 0.5, dead, saturated, dead, True)


def moment(step: int, *, loss: float = 1.0, penalty: float = 0.0, layers: tuple[LayerState, ...] = (),
           kernels: tuple[tuple[float, float], ...] = ((0.1, 0.2), (0.1, 0.2))) -> Moment:  # fmt: skip
    """Kernels are (gradient, size) of `dense_0/kernel`, `dense_1/kernel`, ..."""
    variables = tuple(VariableState(f"dense_{i}/kernel", g, v, True) for i, (g, v) in enumerate(kernels))
    return Moment(step, loss, penalty, layers, variables)


def replay(*moments: Moment, moves: tuple[float, ...] = (0.5, 0.5), outputs: Any = ((1.0,), (2.0,))) -> Replay:
    moved = {f"dense_{i}/kernel": m for i, m in enumerate(moves)}
    out = np.asarray(outputs, dtype=float)
    return Replay(moments, out, out, 1.0, 1.0, 1.0, False, moved, moved)


def reference(best: float, linear: float | None = None) -> Reference:
    line = best if linear is None else linear
    learners = Learner("linear", line, line), Learner("boosted trees", best, 1.0)
    return Reference(learners, best, best, best, line, 0.002, best, 1000)


def data(y: Any, x: Any = None) -> Data:
    y = np.asarray(y, dtype=float)
    x = np.ones((len(y), 2)) if x is None else np.asarray(x, dtype=float)
    return Data((x,), y, None, (x,), y, "validation", np.arange(len(y)), len(y), {}, {})


def suspect(judgement: Judgement) -> Suspect:
    assert isinstance(judgement, Suspect), judgement
    return judgement


def cleared(judgement: Judgement) -> Cleared:
    assert isinstance(judgement, Cleared), judgement
    return judgement


ENDED = Ending(cut=False, steps=200, words="")
FALLING = np.linspace(1.0, 0.1, 200)
FLAT = np.full(200, 1.0)


# dying-relu


def relu_run(start: float, end: float) -> Replay:
    return replay(moment(0, layers=(state("dense_0", dead=start),)), moment(500, layers=(state("dense_0", dead=end),)))


def test_a_dead_layer_is_suspected_and_half_dead_is_usual() -> None:
    found = suspect(judge(DyingRelu, setup(), relu_run(1.0, 1.0)))
    assert "likely" == found.confidence
    assert "32 of 32 units of 'dense_0' output 0 for every row" == found.evidence[0].text
    kept = cleared(judge(DyingRelu, setup(), relu_run(0.1, 0.5)))
    assert (0.5, 0.5) == (kept.measured, kept.threshold)


def test_many_dead_units_are_only_possible() -> None:
    assert "possible" == suspect(judge(DyingRelu, setup(), relu_run(0.1, 0.7))).confidence


def test_a_network_without_hidden_relu_cannot_die() -> None:
    layers = dense(0, 8, "tanh"), dense(1, 1, "relu")
    assert isinstance(judge(DyingRelu, setup(*layers), relu_run(1.0, 1.0)), NotApplicable)


def test_an_odd_bias_is_cured_first_by_the_usual_one() -> None:
    odd = dense(0, 32, "relu", bias_initializer={"class_name": "Constant", "config": {"value": -5.0}})
    found = suspect(judge(DyingRelu, setup(odd, dense(1, 1, "sigmoid")), relu_run(1.0, 1.0)))
    assert "hidden biases zeros" == found.cures[0].label


# dead-relu-output

RELU_HEAD = (dense(0, 16, "relu"), dense(1, 1, "relu"))
STILL = ((0.0, 0.2), (0.0, 0.2))


def test_a_dead_output_without_gradient_is_proven() -> None:
    run = replay(moment(0), moment(9, kernels=STILL), outputs=np.zeros((4, 1)))
    found = suspect(judge(DeadReluOutput, setup(*RELU_HEAD), run, data([[1.0], [2], [3], [4]])))
    assert "proven" == found.confidence
    assert ["softplus", "linear"] == [cure.label for cure in found.cures]


def test_a_dead_output_that_still_has_a_gradient_is_not_proven() -> None:
    run = replay(moment(0), moment(9), outputs=np.zeros((4, 1)))
    assert "likely" == suspect(judge(DeadReluOutput, setup(*RELU_HEAD), run, data([[-1.0], [2], [3], [4]]))).confidence


@pytest.mark.parametrize("outputs", [[[0.0], [1.0], [0.0], [0.0]], [[3.0], [1.0], [2.0], [1.0]]])
def test_a_relu_output_that_answers_is_cleared(outputs: Any) -> None:
    run = replay(moment(0), moment(9), outputs=outputs)
    cleared(judge(DeadReluOutput, setup(*RELU_HEAD), run, data([[1.0], [2], [3], [4]])))


def test_zero_outputs_for_zero_targets_are_right() -> None:
    run = replay(moment(0), moment(9, kernels=STILL), outputs=np.zeros((4, 1)))
    cleared(judge(DeadReluOutput, setup(*RELU_HEAD), run, data(np.zeros((4, 1)))))


# vanishing-gradient, saturated-activation

DEEP = (*(dense(i, 8, "sigmoid") for i in range(5)), dense(5, 1, "linear"))


def test_a_gradient_that_fades_is_suspected_at_the_start_only() -> None:
    faded = replay(moment(0, kernels=((1e-7, 1), (1e-4, 1), (0.1, 1))), moment(99))
    assert suspect(judge(VanishingGradient, setup(*DEEP), faded)).evidence[0].value == pytest.approx(1e-6)
    learnt = replay(moment(0, kernels=((1e-3, 1), (0.1, 1))), moment(99, kernels=((1e-9, 1), (0.1, 1))))
    assert 1e-4 == cleared(judge(VanishingGradient, setup(*DEEP), learnt)).threshold


def test_two_sigmoid_layers_or_a_zero_gradient_are_no_case() -> None:
    run = replay(moment(0, kernels=((0.0, 1), (0.0, 1))), moment(9))
    assert isinstance(judge(VanishingGradient, setup(*DEEP), run), NotApplicable)
    assert isinstance(judge(VanishingGradient, setup(), run), NotApplicable)


def tanh_run(start: float, end: float) -> Replay:
    return replay(moment(0, layers=(state("dense_0", "tanh", saturated=start),)),
                  moment(99, layers=(state("dense_0", "tanh", saturated=end),)))  # fmt: skip


def test_pinned_units_are_suspected_and_decided_ones_are_not() -> None:
    layers = dense(0, 8, "tanh"), dense(1, 1, "linear")
    found = suspect(judge(SaturatedActivation, setup(*layers), tanh_run(0.97, 0.95)))
    assert "inputs or weights are too large" in found.evidence[1].text
    cleared(judge(SaturatedActivation, setup(*layers), tanh_run(0.0, 0.3)))


def test_gates_of_recurrent_layers_are_left_alone() -> None:
    layers = layer(0, "LSTM", units=8, activation="tanh"), dense(1, 1, "linear")
    assert isinstance(judge(SaturatedActivation, setup(*layers), tanh_run(0.97, 0.95)), NotApplicable)


# zero-initialised-kernel

ZEROS = {"class_name": "Zeros"}


def zero_run(size: float = 0.0) -> Replay:
    return replay(moment(0, kernels=((0.0, size), (0.0, size))), moment(99))


def test_two_zero_kernels_in_a_row_are_proven() -> None:
    layers = dense(0, 8, "tanh", kernel_initializer=ZEROS), dense(1, 1, "linear", kernel_initializer=ZEROS)
    found = suspect(judge(ZeroInitialisedKernel, setup(*layers), zero_run()))
    assert "proven" == found.confidence and found.conclusion


def test_a_hidden_relu_layer_of_zeros_is_enough() -> None:
    layers = dense(0, 8, "relu", kernel_initializer=ZEROS), dense(1, 1, "linear")
    run = replay(moment(0, kernels=((0.0, 0.0), (0.0, 0.2))), moment(99))
    assert "proven" == suspect(judge(ZeroInitialisedKernel, setup(*layers), run)).confidence


def test_a_sigmoid_between_passes_something_on_so_nothing_is_proven() -> None:
    layers = dense(0, 8, "sigmoid", kernel_initializer=ZEROS), dense(1, 1, "linear", kernel_initializer=ZEROS)
    assert "likely" == suspect(judge(ZeroInitialisedKernel, setup(*layers), zero_run())).confidence


def test_a_zero_output_kernel_or_a_zero_tanh_layer_trains() -> None:
    output = dense(0, 8, "relu"), dense(1, 1, "linear", kernel_initializer=ZEROS)
    cleared(judge(ZeroInitialisedKernel, setup(*output), zero_run()))
    first = dense(0, 8, "tanh", kernel_initializer=ZEROS), dense(1, 1, "linear")
    cleared(judge(ZeroInitialisedKernel, setup(*first), zero_run()))


def test_loaded_weights_clear_a_zero_initialiser() -> None:
    layers = dense(0, 8, "relu", kernel_initializer=ZEROS), dense(1, 1, "linear", kernel_initializer=ZEROS)
    cleared(judge(ZeroInitialisedKernel, setup(*layers), zero_run(0.3)))


# learning-rate-too-high


def test_a_loss_that_jumps_on_the_same_rows_is_suspected() -> None:
    run = replay(moment(0, loss=2.4), moment(1, loss=14.3), moment(500, loss=14.3))
    found = suspect(judge(LearningRateTooHigh, setup(rate=1.0), curve(np.full(200, 14.4)), run))
    assert ["loss-over-start", "learning-rate"] == [e.measure for e in found.evidence]
    assert {"dying-relu", "diverging-loss", "momentum-oscillation"} <= set(found.leads_to)


def test_killed_units_and_thrown_weights_are_signs() -> None:
    run = replay(
        moment(0, layers=(state("dense_0", dead=0.05),)),
        moment(1, kernels=((0.1, 2.0), (0.1, 0.2))),
        moment(500, layers=(state("dense_0", dead=1.0),)),
    )
    found = suspect(judge(LearningRateTooHigh, setup(), curve(FLAT), run))
    assert ["kernel-growth", "units-killed"] == [e.measure for e in found.evidence]


def test_a_loss_that_leaves_the_numbers_is_suspected_unless_the_inputs_did_first() -> None:
    nan = curve([*FLAT, np.nan])
    assert 201 == suspect(judge(LearningRateTooHigh, setup(), nan)).evidence[0].value
    broken = data([1.0, 2.0], [[np.nan], [1.0]])
    assert isinstance(judge(LearningRateTooHigh, setup(), nan, broken), NotApplicable)
    assert isinstance(judge(DivergingLoss, setup(), nan, broken), NotApplicable)


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_a_run_that_learns_is_cleared_with_its_measure(noise: float) -> None:
    losses = FALLING + noise * np.random.default_rng(0).normal(size=200)
    run = replay(moment(0, loss=1.0), moment(1, loss=1.1), moment(500, loss=0.1, kernels=((0.1, 5.0), (0.1, 5.0))))
    assert 2.0 == cleared(judge(LearningRateTooHigh, setup(rate=0.01), curve(losses), run)).threshold
    cleared(judge(LearningRateTooHigh, setup(rate=0.01), curve(losses)))


# learning-rate-too-low


def low(
    rate: float, moved: float, train: float, *, end: float = 0.99, kind: str = "adam", losses: Any = None
) -> Judgement:
    run = replay(moment(0, loss=1.0), moment(500, loss=end), moves=(moved, moved))
    falling = np.linspace(1.0, end, 200) if losses is None else losses
    return judge(LearningRateTooLow, setup(rate=rate, kind=kind), curve(falling), run, skill(train, 0.0), ENDED, None)


def test_adam_cannot_move_the_weights_with_a_tiny_rate_whatever_the_data() -> None:
    found = suspect(low(1e-6, 1e-4, 0.0))
    assert ("proven", "train skill", False) == (found.confidence, found.endpoint, found.impairs)
    assert "500 steps of 1e-06 reach 0.8% of the weights' size" in found.conclusion


def test_other_optimisers_have_no_such_bound() -> None:
    found = suspect(low(1e-6, 1e-4, 0.0, kind="sgd"))
    assert ("likely", False) == (found.confidence, found.impairs)


def test_a_loss_that_still_falls_from_its_start_is_suspected_and_may_be_cleared_centrally() -> None:
    found = suspect(low(0.001, 0.9, 0.05, end=0.97))
    assert ("likely", True) == (found.confidence, found.impairs)


def test_the_first_cure_reaches_the_default_rate() -> None:
    assert "learning rate × 100" == suspect(low(1e-5, 1e-3, 0.0)).cures[0].label
    assert "learning rate × 10" == suspect(low(0.001, 0.9, 0.05, end=0.97)).cures[0].label


def test_fine_tuning_with_small_steps_is_cleared() -> None:
    cleared(low(1e-5, 0.002, 0.9))


def test_a_few_steps_at_the_default_rate_are_not_the_rate() -> None:
    cleared(low(0.001, 0.03, 0.0, losses=FLAT))


def test_weights_that_did_not_move_at_all_have_another_cause() -> None:
    assert isinstance(low(0.001, 0.0, 0.0), NotApplicable)


def test_a_rate_of_zero_is_proven() -> None:
    found = suspect(low(0.0, 0.0, 0.0))
    assert "proven" == found.confidence
    assert found.fix is not None and "use Keras's default rate of 0.001" == found.fix.title


# momentum-oscillation, diverging-loss

SWINGING = 0.5 + 0.5 * np.cos(np.arange(200) / 12)


def test_heavy_momentum_that_swings_is_suspected() -> None:
    found = suspect(judge(MomentumOscillation, setup(kind="sgd", rate=0.05, momentum=0.99), curve(SWINGING)))
    assert "learning-rate-too-high" in found.leads_to
    hot = suspect(judge(MomentumOscillation, setup(kind="sgd", rate=5.0, momentum=0.99), curve(SWINGING)))
    assert "learning-rate-too-high" not in hot.leads_to


def test_usual_momentum_or_a_steady_fall_is_cleared() -> None:
    cleared(judge(MomentumOscillation, setup(kind="sgd", momentum=0.9), curve(SWINGING)))
    noisy = FALLING + 0.05 * np.random.default_rng(0).normal(size=200)
    cleared(judge(MomentumOscillation, setup(kind="sgd", momentum=0.99), curve(noisy)))
    flat = FLAT + 0.05 * np.random.default_rng(0).normal(size=200)
    cleared(judge(MomentumOscillation, setup(kind="sgd", momentum=0.99), curve(flat)))
    assert isinstance(judge(MomentumOscillation, setup(kind="sgd"), curve(SWINGING)), NotApplicable)


def test_a_loss_that_grows_without_end_is_named_as_an_echo_of_its_root() -> None:
    found = suspect(judge(DivergingLoss, setup(), curve(np.geomspace(1, 1e9, 200))))
    assert "gradient norm at most 1" == found.cures[0].label
    assert {"learning-rate-too-high", "unscaled-inputs"} <= set(DivergingLoss.echo_of)
    assert 10.0 == cleared(judge(DivergingLoss, setup(), curve(FALLING))).threshold


# model-too-small


def test_a_straight_line_through_bent_data_is_suspected() -> None:
    line = setup(dense(0, 1, "linear"))
    found = suspect(judge(ModelTooSmall, line, skill(0.05, 0.05), reference(0.99, linear=0.84)))
    assert "the best straight line reaches a skill of 0.84; boosted trees 0.99" == found.evidence[0].text
    assert "2 more layers of 64" in found.cures[0].label


def test_a_straight_line_is_enough_where_the_data_are_straight() -> None:
    line = setup(dense(0, 1, "linear"))
    cleared(judge(ModelTooSmall, line, skill(0.05, 0.05), reference(0.99, linear=0.98)))
    cleared(judge(ModelTooSmall, line, skill(0.97, 0.96), reference(0.99, linear=0.5)))


def test_a_narrow_network_that_underfits_is_suspected_and_a_wide_one_is_not() -> None:
    narrow = setup(dense(0, 2, "relu"), dense(1, 1, "sigmoid"))
    assert "has 2 units" in suspect(judge(ModelTooSmall, narrow, skill(0.3, 0.28), reference(0.9))).message
    wide = setup(dense(0, 64, "relu"), dense(1, 1, "sigmoid"))
    assert 16 == cleared(judge(ModelTooSmall, wide, skill(0.3, 0.28), reference(0.9))).threshold


def test_a_bottleneck_is_found_between_wide_layers() -> None:
    pinched = setup(dense(0, 64, "relu"), dense(1, 1, "relu"), dense(2, 64, "relu"), dense(3, 10, "softmax"))
    assert "narrowest hidden layer has 1 unit," in suspect(
        judge(ModelTooSmall, pinched, skill(0.2, 0.2), reference(0.9))
    ).message  # fmt: skip


def test_a_narrow_network_that_fits_its_training_rows_is_not_too_small() -> None:
    narrow = setup(dense(0, 4, "relu"), dense(1, 1, "sigmoid"))
    cleared(judge(ModelTooSmall, narrow, skill(0.7, 0.3), reference(0.9)))


# memorising

RISING = np.array([0.6, 0.5, 0.45, 0.5, 0.6, 0.7, 0.9, 1.1, 1.3, 1.5])


def test_training_rows_learnt_by_heart_are_suspected() -> None:
    found = suspect(judge(Memorising, setup(), skill(1.0, 0.2), curve(FALLING, RISING), reference(0.6)))
    assert "stop after 3 epochs" == found.cures[0].label
    assert found.control is not None and "labels shuffled" == found.control.label


def test_a_gap_that_costs_nothing_is_cleared() -> None:
    cleared(judge(Memorising, setup(), skill(1.0, 0.58), curve(FALLING, RISING), reference(0.6)))
    cleared(judge(Memorising, setup(), skill(0.9, 0.8), curve(FALLING, RISING), reference(0.99)))
    flat = np.full(10, 0.5)
    cleared(judge(Memorising, setup(), skill(1.0, 0.2), curve(FALLING, flat), reference(0.6)))


def test_nothing_held_out_means_nothing_to_compare() -> None:
    assert isinstance(judge(Memorising, setup(), skill(1.0), curve(FALLING)), NotApplicable)


# weight-penalty-too-strong, dropout-too-strong

L2 = {"class_name": "L2", "config": {"l2": 1.0}}
PENALISED = (dense(0, 32, "relu", kernel_regularizer=L2), dense(1, 1, "sigmoid"))


def test_a_penalty_larger_than_the_error_is_suspected() -> None:
    run = replay(
        moment(0, loss=0.7, penalty=40.0), moment(99, loss=0.69, penalty=0.001, kernels=((0, 0.001), (0.1, 0.2)))
    )
    found = suspect(judge(WeightPenaltyTooStrong, setup(*PENALISED), run))
    assert ["penalty-share", "kernel-end-over-start"] == [e.measure for e in found.evidence]


def test_a_mild_penalty_is_cleared_and_none_is_no_case() -> None:
    mild = replay(moment(0, loss=0.7, penalty=0.01), moment(99, loss=0.1, penalty=0.02))
    assert 0.5 == cleared(judge(WeightPenaltyTooStrong, setup(*PENALISED), mild)).threshold
    assert isinstance(judge(WeightPenaltyTooStrong, setup(), mild), NotApplicable)


def dropping(rate: float) -> Setup:
    return setup(dense(0, 32, "relu"), layer(1, "Dropout", None, rate=rate), dense(2, 1, "sigmoid"))


def test_strong_dropout_is_suspected_with_the_kept_share_as_first_cure() -> None:
    found = suspect(judge(DropoutTooStrong, dropping(0.9), skill(0.1, 0.1, reported_loss=1.3, evaluated_loss=1.0)))
    assert ["dropout 0.1", "no dropout"] == [cure.label for cure in found.cures]
    assert 1.3 == found.evidence[1].value


def test_usual_dropout_is_cleared() -> None:
    kept = cleared(judge(DropoutTooStrong, dropping(0.5)))
    assert (0.5, 0.7) == (kept.measured, kept.threshold)
    assert isinstance(judge(DropoutTooStrong, setup()), NotApplicable)


# all of them


@pytest.mark.parametrize("rule", MINE, ids=lambda rule: rule.name)
def test_every_section_is_written_and_short(rule: type[Rule]) -> None:
    sections = rule.sections()
    assert list(SECTIONS) == list(sections)
    written = {k: v for k, v in sections.items() if k not in ("Instead", "How good is this rule")}
    assert {} == {title: len(text.split()) for title, text in written.items() if len(text.split()) > 120}


@pytest.mark.parametrize("rule", MINE, ids=lambda rule: rule.name)
def test_a_suspect_has_a_cure_or_a_fix(rule: type[Rule]) -> None:
    assert rule.code[:3] in ("ACT", "OPT", "CAP", "NUM")
    assert rule.sick.code != rule.healthy.code
    assert rule.name not in rule.echo_of


def test_evidence_survives_a_replay_without_layers() -> None:
    bare = replace(replay(moment(0), moment(9)), moved={}, relative_moves={})
    for rule in MINE:
        if rule is not ModelTooSmall:
            judge(rule, setup(), curve(FALLING, RISING), skill(0.9, 0.85), bare, data([1.0, 0.0]), ENDED)
