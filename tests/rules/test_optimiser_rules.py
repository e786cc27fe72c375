"""Rules about steps, schedules, clipping, decay, order, starts and precision on hand-made evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.rules.test_training_rules import (
    FALLING,
    FLAT,
    cleared,
    curve,
    data,
    dense,
    layer,
    moment,
    reference,
    replay,
    setup,
    skill,
    state,
    suspect,
)

from unstuck.measure.network.kernels import Kernel, Kernels
from unstuck.measure.room import Room
from unstuck.measure.task import Task
from unstuck.measure.training.ending import Ending
from unstuck.measure.training.rates import Rates
from unstuck.measure.training.repeats import Repeats
from unstuck.rules.activity_penalty_too_strong import ActivityPenaltyTooStrong
from unstuck.rules.batchnorm_tiny_batch import BatchnormTinyBatch
from unstuck.rules.half_precision_weights import HalfPrecisionWeights
from unstuck.rules.learning_rate_too_low import LearningRateTooLow
from unstuck.rules.loss_scale_collapse import LossScaleCollapse
from unstuck.rules.model_rebuilt_in_loop import ModelRebuiltInLoop
from unstuck.rules.no_nonlinearity import NoNonlinearity
from unstuck.rules.ordered_batches import OrderedBatches
from unstuck.rules.over_clipped_gradient import OverClippedGradient
from unstuck.rules.oversized_initialisation import OversizedInitialisation
from unstuck.rules.rule import NotApplicable
from unstuck.rules.saturated_loss_clip import SaturatedLossClip
from unstuck.rules.schedule_kills_learning import ScheduleKillsLearning
from unstuck.rules.squashed_hidden_layer import SquashedHiddenLayer
from unstuck.rules.stopped_in_warm_up import StoppedInWarmUp
from unstuck.rules.swallowed_nan import SwallowedNan
from unstuck.rules.symmetric_initialisation import SymmetricInitialisation
from unstuck.rules.too_few_updates import TooFewUpdates
from unstuck.rules.unbounded_recurrent_activation import UnboundedRecurrentActivation
from unstuck.rules.weight_decay_too_strong import WeightDecayTooStrong

ENDED = Ending(cut=False, steps=60, words="")
ONCE = Repeats(1, 1, anew=False, first=(1.0,), last=(0.5,))


def with_optimizer(kind: str = "sgd", rate: float = 0.1, **config: Any) -> Any:
    made = setup(kind=kind, rate=rate)
    return replace(made, optimizer=replace(made.optimizer, config=dict(made.optimizer.config) | config))


# too-few-updates


def test_few_steps_at_chance_are_suspected_and_the_batch_is_the_first_cure() -> None:
    big = replace(setup(rows=800), batch_size=512)
    found = suspect(
        TooFewUpdates().check(big, curve(np.linspace(1, 0.98, 6), epochs=3), skill(0.02), ONCE, ENDED, None)
    )
    assert ["batches of 32", "batches of 32 + epochs × 13", "batches of 32 + epochs × 10"][0] == found.cures[0].label
    assert "800 rows in batches of 512 for 3 epochs: 6 optimiser steps" == found.evidence[0].text
    assert "learning-rate-too-low" in found.leads_to


def test_few_steps_that_learn_are_unfinished_not_stuck() -> None:
    cleared(TooFewUpdates().check(setup(), curve(np.linspace(1, 0.7, 60)), skill(0.4), ONCE, ENDED, None))
    cleared(TooFewUpdates().check(setup(), curve(FLAT), skill(0.0), ONCE, ENDED, None))


def test_a_handful_of_steps_that_leave_something_to_learn_are_a_possible_warning_for_the_trial_to_decide() -> None:
    short, room = curve(np.linspace(1, 0.7, 4), epochs=1), Room(0.4, 0.9, 0.5, True)
    found = suspect(TooFewUpdates().check(setup(), short, skill(0.4), ONCE, ENDED, room))
    assert ("possible", "warning") == (found.confidence, found.severity)
    assert "4 steps were enough to leave chance: training skill 0.40" == found.unless_confirmed
    cleared(TooFewUpdates().check(setup(), short, skill(0.4), ONCE, ENDED, replace(room, exists=False)))


def test_a_fit_of_hundreds_of_steps_is_short_only_while_its_loss_falls() -> None:
    room = Room(0.4, 0.9, 0.5, True)
    flat = curve(np.full(200, 0.7))
    falling = replace(flat, falling=0.02)
    assert "warning" == suspect(TooFewUpdates().check(setup(), falling, skill(0.4), ONCE, ENDED, room)).severity
    cleared(TooFewUpdates().check(setup(), flat, skill(0.4), ONCE, ENDED, room))
    long = replace(curve(np.full(2000, 0.7)), falling=0.02)
    cleared(TooFewUpdates().check(setup(), long, skill(0.4), ONCE, ENDED, room))


def test_with_a_tiny_rate_few_steps_are_no_excuse_for_it() -> None:
    found = suspect(TooFewUpdates().check(setup(rate=1e-6), curve(FLAT[:60]), skill(0.0), ONCE, ENDED, None))
    assert () == found.leads_to
    run = replay(moment(0), moment(60, loss=0.999), moves=(1e-4, 1e-4))
    low = suspect(LearningRateTooLow().check(setup(rate=1e-6), curve(FLAT[:60]), run, skill(0.0), ENDED, None))
    assert ("proven", ("too-few-updates",)) == (low.confidence, low.leads_to)


def test_where_training_rows_lack_what_is_learnable_small_steps_are_accused_only_if_a_trial_confirms_it() -> None:
    run = replay(moment(0, loss=2.4), moment(330, loss=2.17), moves=(0.06, 0.06))
    slow, behind = curve(np.linspace(2.4, 2.17, 330), epochs=15), Room(0.2, 0.96, 0.7, True)
    found = suspect(LearningRateTooLow().check(setup(rate=1e-3), slow, run, skill(0.3), ENDED, behind))
    assert "6% of its size" in found.unless_confirmed
    cleared(LearningRateTooLow().check(setup(rate=1e-3), slow, run, skill(0.3), ENDED, Room(0.3, 0.35, 0.0, False)))
    cleared(LearningRateTooLow().check(setup(rate=1e-3), slow, run, skill(0.93), ENDED, behind))


# schedule-kills-learning


def test_a_rate_that_is_gone_for_most_steps_is_suspected() -> None:
    found = suspect(
        ScheduleKillsLearning().check(setup(), Rates(0.5 ** np.arange(200.0), "ExponentialDecay"), curve(FLAT), None)
    )
    assert pytest.approx(0.965) == found.evidence[0].value
    assert "constant learning rate 1" == found.cures[0].label


def test_a_cosine_over_the_whole_run_is_cleared_and_a_constant_rate_no_case() -> None:
    cosine = 0.5 * (1 + np.cos(np.pi * np.arange(200) / 200))
    assert 0.06 == pytest.approx(
        cleared(ScheduleKillsLearning().check(setup(), Rates(cosine, ""), curve(FLAT), None)).measured, abs=0.01
    )
    assert isinstance(
        ScheduleKillsLearning().check(setup(), Rates(np.full(200, 0.1), ""), curve(FLAT), None), NotApplicable
    )


# over-clipped-gradient


def test_plain_descent_with_a_tiny_bound_is_proven() -> None:
    run = replay(moment(0), moment(500))
    found = suspect(OverClippedGradient().check(with_optimizer(clipnorm=1e-6), run, skill(0.0)))
    assert "proven" == found.confidence
    assert (
        "likely"
        == suspect(OverClippedGradient().check(with_optimizer("adam", clipvalue=1e-6), run, skill(0.0))).confidence
    )


def test_adam_is_bounded_only_far_below_its_epsilon() -> None:
    run = replay(moment(0), moment(500))
    found = suspect(OverClippedGradient().check(with_optimizer("adam", 0.001, clipvalue=1e-12), run, skill(0.0)))
    assert "proven" == found.confidence


def test_usual_clipping_is_cleared() -> None:
    run = replay(moment(0), moment(500))
    assert 1.0 == cleared(OverClippedGradient().check(with_optimizer(clipnorm=1.0), run, skill(0.0))).measured
    assert isinstance(OverClippedGradient().check(setup(), run, skill(0.0)), NotApplicable)


def test_a_bound_far_below_the_gradients_of_plain_descent_is_suspected() -> None:
    steep = replay(moment(0, kernels=((1e4, 0.2), (1e4, 0.2))), moment(500))
    suspect(OverClippedGradient().check(with_optimizer(clipnorm=1.0), steep, skill(0.3)))
    cleared(OverClippedGradient().check(with_optimizer("adam", clipnorm=1.0), steep, skill(0.3)))


# weight-decay-too-strong


def test_decay_that_takes_a_hundredth_a_step_is_suspected() -> None:
    run = replay(moment(0), moment(99))
    found = suspect(WeightDecayTooStrong().check(with_optimizer("adamw", 0.01, weight_decay=50.0), run))
    assert 0.5 == found.evidence[0].value
    cleared(WeightDecayTooStrong().check(with_optimizer("adamw", 0.001, weight_decay=0.004), run))
    assert isinstance(WeightDecayTooStrong().check(setup(), run), NotApplicable)


# ordered-batches


def ordered(y: Any, *, shuffle: bool) -> Any:
    labels = np.asarray(y)
    task = Task("binary", 2, labels, labels[:10], np.bincount(labels) / len(labels))
    made = replace(setup(), batch_size=8, shuffle=shuffle)
    return OrderedBatches().check(made, data(labels), task, skill(0.0, reported_loss=0.04, evaluated_loss=3.4))


def test_sorted_labels_are_suspected_and_interleaved_or_shuffled_ones_are_not() -> None:
    found = suspect(ordered([0] * 80 + [1] * 80, shuffle=False))
    assert (0.0, 0.04) == (found.evidence[0].value, found.evidence[1].value)
    assert 1.0 == cleared(ordered([0, 1] * 80, shuffle=False)).measured
    assert isinstance(ordered([0] * 80 + [1] * 80, shuffle=True), NotApplicable)


# no-nonlinearity

LINEAR = (dense(0, 32, "linear"), dense(1, 32, "linear"), dense(2, 1, "sigmoid"))


def test_linear_layers_on_bent_data_are_suspected() -> None:
    found = suspect(NoNonlinearity().check(setup(*LINEAR), skill(0.05, 0.05), reference(0.95, linear=0.1)))
    assert "relu instead of linear" == found.cures[0].label
    assert ("model-too-small",) == found.leads_to


def test_linear_layers_are_enough_for_straight_data() -> None:
    cleared(NoNonlinearity().check(setup(*LINEAR), skill(0.05, 0.05), reference(0.95, linear=0.93)))
    cleared(NoNonlinearity().check(setup(*LINEAR), skill(0.94, 0.94), reference(0.95, linear=0.1)))


def test_one_bend_anywhere_clears_it() -> None:
    bent = (dense(0, 32, "linear"), layer(1, "ReLU", 0), dense(2, 1, "sigmoid"))
    cleared(NoNonlinearity().check(setup(*bent), skill(0.05, 0.05), reference(0.95, linear=0.1)))
    gated = (dense(0, 32, "linear"), layer(1, "LSTM", units=8, activation="tanh"), dense(2, 1, "sigmoid"))
    cleared(NoNonlinearity().check(setup(*gated), skill(0.05, 0.05), reference(0.95, linear=0.1)))


# symmetric- and oversized-initialisation


def kernel(name: str, *, gain: float = 1.0, alike: bool = False, last: bool = False) -> Kernel:
    return Kernel(f"{name}/kernel", name, 32, gain, gain, alike, last)


def test_units_that_stay_alike_are_proven_where_something_is_lost() -> None:
    copies = Kernels((kernel("dense_0", alike=True, last=True),), 100)
    assert "proven" == suspect(SymmetricInitialisation().check(setup(), copies, Room(0.1, 0.9, 0.7, True))).confidence
    assert "likely" == suspect(SymmetricInitialisation().check(setup(), copies, Room(0.9, 0.9, 0.0, False))).confidence


def test_units_that_part_during_training_are_cleared() -> None:
    parted = Kernels((kernel("dense_0", alike=True, last=False),), 100)
    cleared(SymmetricInitialisation().check(setup(), parted, None))


def test_a_kernel_that_multiplies_the_spread_is_suspected() -> None:
    found = suspect(OversizedInitialisation().check(setup(), Kernels((kernel("dense_0", gain=28.0),), 9), None, None))
    assert "starts 28 times too large" in found.message
    for usual in (0.8, 1.42):
        cleared(OversizedInitialisation().check(setup(), Kernels((kernel("dense_0", gain=usual),), 9), None, None))


# batchnorm-tiny-batch


def normalising(size: int, rank: int = 2) -> Any:
    norm = replace(layer(1, "BatchNormalization"), output_shape=(None, 8) if rank == 2 else (None, 4, 4, 8))
    return replace(setup(dense(0, 8, "linear"), norm, dense(2, 1, "sigmoid")), batch_size=size)


def test_one_row_a_batch_is_proven_and_two_are_likely() -> None:
    assert "proven" == suspect(BatchnormTinyBatch().check(normalising(1), skill(0.0))).confidence
    assert "likely" == suspect(BatchnormTinyBatch().check(normalising(2), skill(0.0))).confidence


def test_pixels_count_as_rows_and_eight_rows_are_enough() -> None:
    cleared(BatchnormTinyBatch().check(normalising(1, rank=4), skill(0.0)))
    assert 8 == cleared(BatchnormTinyBatch().check(normalising(8), skill(0.0))).measured


# swallowed-nan, saturated-loss-clip


def test_nan_weights_behind_a_finite_loss_are_proven() -> None:
    sound = moment(64)
    lost = replace(sound, variables=(replace(sound.variables[0], finite=False), sound.variables[1]))
    found = suspect(SwallowedNan().check(setup(), curve(FLAT), replay(moment(0), lost), None, None))
    assert ("proven", 1, 2) == (found.confidence, found.evidence[0].value, found.evidence[0].of)
    cleared(SwallowedNan().check(setup(), curve(FLAT), replay(moment(0), sound), None, None))
    cleared(SwallowedNan().check(setup(), curve([*FLAT, np.nan]), replay(moment(0), lost), None, None))


def pinned(outputs: Any, y: Any) -> Any:
    labels = np.asarray(y)
    task = Task("binary", 2, labels, labels, np.bincount(labels, minlength=2) / len(labels))
    made = setup()
    made = replace(made, loss=replace(made.loss, name="binary_crossentropy"))
    run = replay(moment(0), moment(9), outputs=np.asarray(outputs, dtype=float).reshape(-1, 1))
    return SaturatedLossClip().check(made, run, skill(0.0, evaluated_loss=7.97), task)


def test_certain_and_wrong_answers_are_suspected_certain_and_right_ones_are_not() -> None:
    found = suspect(pinned(np.ones(20), [0] * 10 + [1] * 10))
    assert (0.5, 15.94) == (found.evidence[0].value, found.evidence[1].value)
    cleared(pinned([0.0] * 10 + [1.0] * 10, [0] * 10 + [1] * 10))
    cleared(pinned(np.full(20, 0.5), [0] * 10 + [1] * 10))


# unbounded-recurrent-activation, squashed-hidden-layer


def recurrent(activation: str, largest: float, losses: Any = FALLING) -> Any:
    made = setup(layer(0, "GRU", units=8, activation=activation), dense(1, 1, "linear"))
    seen = replace(state("gru_0", activation), maximum=largest)
    return UnboundedRecurrentActivation().check(made, curve(losses), replay(moment(0), moment(99, layers=(seen,))))


def test_a_relu_state_that_explodes_is_suspected_and_one_that_works_is_cleared() -> None:
    assert "tanh in recurrent layers" == suspect(recurrent("relu", 1e6)).cures[0].label
    suspect(recurrent("relu", 5.0, [*FALLING, np.nan]))
    cleared(recurrent("relu", 16.0))
    assert isinstance(recurrent("tanh", 1.0, [*FALLING, np.nan]), NotApplicable)


def test_softmax_inside_is_likely_sigmoid_possible_and_a_gate_cleared() -> None:
    inner = setup(dense(0, 64, "softmax"), dense(1, 1, "linear"))
    assert "likely" == suspect(SquashedHiddenLayer().check(inner, None)).confidence
    sigmoid = setup(dense(0, 64, "sigmoid"), dense(1, 1, "linear"))
    assert "possible" == suspect(SquashedHiddenLayer().check(sigmoid, None)).confidence
    gated = setup(dense(0, 64, "softmax"), layer(1, "Multiply", 0), dense(2, 1, "linear"))
    cleared(SquashedHiddenLayer().check(gated, None))


# stopped-in-warm-up, model-rebuilt-in-loop


def stopped(epochs: int, asked: int) -> Any:
    made = replace(setup(), callbacks=("EarlyStopping",), epochs=asked)
    return StoppedInWarmUp().check(made, curve(FALLING, epochs=epochs), skill(0.1), ENDED)


def test_an_early_stop_after_two_of_fifty_epochs_is_suspected() -> None:
    assert "all 50 epochs" == suspect(stopped(2, 50)).cures[0].label
    cleared(stopped(12, 50))
    cleared(stopped(3, 5))
    assert isinstance(StoppedInWarmUp().check(setup(), curve(FALLING), skill(0.1), ENDED), NotApplicable)


def test_short_fits_from_new_weights_are_suspected_at_the_last_of_them() -> None:
    again = Repeats(8, 8, anew=True, first=(2.3,) * 8, last=(2.0,) * 8)
    short = curve(FALLING, epochs=1)
    assert "one model for all 8 fits" == suspect(ModelRebuiltInLoop().check(setup(), again, short)).cures[0].label
    assert isinstance(ModelRebuiltInLoop().check(setup(), replace(again, position=3), short), NotApplicable)
    cleared(ModelRebuiltInLoop().check(setup(), replace(again, anew=False), short))
    cleared(ModelRebuiltInLoop().check(setup(), again, curve(FALLING, epochs=30)))


# activity-penalty-too-strong, half-precision-weights, loss-scale-collapse


def test_a_penalty_on_outputs_is_not_one_on_weights() -> None:
    regular = {"class_name": "L1", "config": {"l1": 1.0}}
    sparse = setup(dense(0, 32, "relu", activity_regularizer=regular), dense(1, 1, "sigmoid"))
    heavy = replay(moment(0, loss=0.7, penalty=9.0), moment(99, loss=0.7, penalty=0.1))
    assert "no activity penalty" == suspect(ActivityPenaltyTooStrong().check(sparse, heavy)).cures[0].label
    cleared(ActivityPenaltyTooStrong().check(sparse, replay(moment(0, loss=0.7, penalty=0.01), moment(99))))
    weights = setup(dense(0, 32, "relu", kernel_regularizer=regular), dense(1, 1, "sigmoid"))
    assert isinstance(ActivityPenaltyTooStrong().check(weights, heavy), NotApplicable)


def policy(name: str) -> Any:
    dtype = {"class_name": "DTypePolicy", "config": {"name": name}}
    return setup(dense(0, 32, "relu", dtype=dtype), dense(1, 1, "sigmoid"))


def test_weights_in_16_bits_are_suspected_and_mixed_policies_are_not() -> None:
    assert 11 == suspect(HalfPrecisionWeights().check(policy("float16"), None, None)).evidence[0].value
    for name in ("float32", "mixed_float16", "mixed_bfloat16"):
        assert isinstance(HalfPrecisionWeights().check(policy(name), None, None), NotApplicable)


def test_skipped_steps_and_overflow_are_suspected_in_mixed_precision_only() -> None:
    still = replay(moment(0), moment(99), moves=(0.0, 0.0))
    assert "the steps are skipped" in suspect(LossScaleCollapse().check(policy("mixed_float16"), still, None)).message
    cleared(LossScaleCollapse().check(policy("mixed_float16"), replay(moment(0), moment(99)), None))
    assert isinstance(LossScaleCollapse().check(policy("mixed_bfloat16"), still, None), NotApplicable)
