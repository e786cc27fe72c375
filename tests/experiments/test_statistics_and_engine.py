"""The verdict of paired differences, and that a batched trial is the training that Keras would do."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unstuck.experiments.building import build, initial_weights
from unstuck.experiments.differences import as_on_tensorflow
from unstuck.experiments.engine import _Program, run_batched, structure
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.interventions.dropout import SetDropout
from unstuck.experiments.interventions.fresh_weights import FreshWeights
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.penalty import RemovePenalty
from unstuck.experiments.interventions.placebo import OtherSeed
from unstuck.experiments.interventions.trainable import Unfreeze
from unstuck.experiments.native import run_native
from unstuck.experiments.outcome import Job
from unstuck.experiments.statistics import WORTH, paired_effect
from unstuck.record.given import keys


def test_a_clear_gain_is_confirmed_and_its_opposite_refuted():
    gain = paired_effect([0.1, 0.12, 0.09], [0.8, 0.82, 0.79])
    assert "confirmed" == gain.decision
    assert gain.low > 0
    assert "refuted" == paired_effect([0.8, 0.82, 0.79], [0.1, 0.12, 0.09]).decision


def test_a_loss_is_confirmed_where_a_loss_was_expected():
    assert "confirmed" == paired_effect([0.8, 0.82, 0.79], [0.1, 0.12, 0.09], sign=-1).decision


def test_a_wide_spread_stays_open_and_says_how_many_seeds_would_settle_it():
    effect = paired_effect([0.0, 0.0, 0.0], [0.9, 0.0, 0.6])
    assert "inconclusive" == effect.decision
    assert 3 < effect.seeds_to_settle < 30


def test_more_interventions_widen_the_interval():
    one, many = (paired_effect([0.0, 0.1, 0.0], [0.3, 0.3, 0.4], tried=n) for n in (1, 8))
    assert many.high - many.low > one.high - one.low


def test_what_the_held_out_rows_leave_open_widens_the_interval_and_no_seed_settles_it():
    scores = [0.5, 0.6, 0.4], [0.4, 0.5, 0.31]
    sure, unsure = (paired_effect(*scores, sign=-1, rows_error=error) for error in (0.0, 0.2))
    assert ("confirmed", "inconclusive") == (sure.decision, unsure.decision)
    assert unsure.low < sure.low < sure.high < 0 < unsure.high
    assert unsure.seeds_to_settle is None


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1, 1), min_size=3, max_size=8))
def test_no_difference_is_never_confirmed(scores):
    assert "refuted" == paired_effect(scores, scores).decision


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-1, 1), min_size=3, max_size=8), st.floats(0, WORTH * 0.9))
def test_an_effect_too_small_to_matter_is_never_confirmed(scores, shift):
    assert "confirmed" != paired_effect(scores, [s + shift for s in scores]).decision


def _of(model, x, y, **settings):
    """An experiment that trains on the first 40 rows, in order, from the weights that the model has."""
    import keras

    return Experiment(
        model=keras.saving.serialize_keras_object(model),
        compile=model.get_compile_config(),
        x=(x[:40],),
        y=y[:40],
        held_x=(x[40:],),
        shuffle=False,
        initial=tuple(np.array(v) for v in model.variables),
        **settings,
    )


@pytest.fixture(scope="module")
def experiment():
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(6, activation="tanh"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), loss="mse")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 4)).astype("float32")
    y = x[:, :1] * 2 - x[:, 1:2]
    return _of(model, x, y, batch_size=16, epochs=6, learning_rate=0.01)


def test_the_batched_run_equals_model_fit_also_with_a_last_batch_that_is_not_full(experiment):
    jobs = [Job(experiment, 0)]
    batched, native = run_batched(jobs)[0], run_native(jobs)[0]
    assert batched.curve == pytest.approx(native.curve, rel=1e-5)
    assert batched.held_outputs == pytest.approx(native.held_outputs, rel=1e-3, abs=1e-4)


def test_the_same_seed_gives_the_same_numbers_and_another_one_others(experiment):
    fresh = replace(experiment, initial=None, shuffle=True)
    first, second, other = run_batched([Job(fresh, 1), Job(fresh, 1), Job(fresh, 2)])
    assert np.array_equal(first.curve, second.curve)
    assert not np.array_equal(first.curve, other.curve)


def test_what_a_run_yields_does_not_depend_on_what_is_trained_beside_it(experiment):
    faster = ScaleLearningRate(10).apply(experiment)
    alone = run_batched([Job(experiment, 0)])[0]
    beside = run_batched([Job(faster, 0), Job(experiment, 0), Job(OtherSeed().apply(experiment), 0)])[1]
    assert beside.curve == pytest.approx(alone.curve, rel=1e-4)


def test_what_was_trained_before_is_kept_by_every_seed_and_the_rest_is_drawn(experiment):
    drawn = initial_weights(replace(experiment, initial=None), 0)
    first = keys(build(experiment, 0).variables)[0]
    pretrained = replace(experiment, initial=None, kept={first: drawn[0] + 1})
    placebo = OtherSeed().apply(pretrained)
    assert placebo.initial is None
    for changed in (placebo, Unfreeze().apply(pretrained)):
        start = initial_weights(changed, 7)
        assert np.array_equal(start[0], drawn[0] + 1)
        assert not any(np.array_equal(a, b) for a, b in zip(start[1:], drawn[1:], strict=True) if np.ptp(b) > 0)
    assert not np.array_equal(initial_weights(FreshWeights().apply(pretrained), 7)[0], drawn[0] + 1)
    curves = [run_batched([Job(changed, 7)])[0].curve for changed in (pretrained, FreshWeights().apply(pretrained))]
    assert not np.allclose(*curves)


@pytest.fixture(scope="module")
def classifier():
    """A softmax over three classes, compiled with a loss of probabilities."""
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    model.compile(keras.optimizers.SGD(0.1), loss="sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 4)).astype("float32")
    return _of(model, x, x[:, :3].argmax(axis=1), batch_size=20, epochs=5, learning_rate=0.1)


def test_in_place_of_tensorflow_the_loss_sees_the_logits_which_changes_nothing_but_where_they_saturate(classifier):
    stand_in = as_on_tensorflow(classifier)
    assert stand_in.decoding.activation == "softmax"
    here, there = run_batched([Job(classifier, 0)])[0], run_batched([Job(stand_in, 0)])[0]
    assert here.curve == pytest.approx(there.curve, rel=1e-4)

    def saturated(experiment):
        kernel, bias = experiment.initial
        return replace(experiment, initial=(-1e4 * np.ones_like(kernel) * [1, 2, 3], bias))

    assert run_batched([Job(saturated(classifier), 0)])[0].moved == pytest.approx(0, abs=1e-6)
    assert run_batched([Job(saturated(stand_in), 0)])[0].moved > 0.1


def test_what_tensorflow_trains_as_it_is_written_is_left_as_it_is(classifier, experiment):
    logits = as_on_tensorflow(classifier)
    assert as_on_tensorflow(logits) is logits
    assert as_on_tensorflow(experiment) is experiment


def test_an_optimiser_recorded_under_pytorch_is_rebuilt_here(experiment):
    optimizer = experiment.compile["optimizer"] | {"module": "keras.src.backend.torch.optimizers.torch_adam"}
    elsewhere = replace(experiment, compile=experiment.compile | {"optimizer": optimizer})
    here, there = run_batched([Job(experiment, 0)])[0], run_batched([Job(elsewhere, 0)])[0]
    assert here.curve == pytest.approx(there.curve, rel=1e-6)


@pytest.fixture(scope="module")
def regularised():
    return regularised_experiment()


def regularised_experiment() -> Experiment:
    """A model with dropout and a penalty, on data it can learn."""
    import keras

    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="relu", kernel_regularizer=keras.regularizers.L2(0.05)),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), loss="mse")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(48, 4)).astype("float32")
    return Experiment(
        model=keras.saving.serialize_keras_object(model),
        compile=model.get_compile_config(),
        x=(x[:40],),
        y=x[:40, :1] * 2,
        held_x=(x[40:],),
        batch_size=16,
        epochs=4,
        shuffle=False,
        learning_rate=0.01,
    )


def test_dropout_and_penalties_are_numbers_of_one_program_and_train_as_keras_does(regularised):
    without = [RemovePenalty().apply(SetDropout(0.0).apply(regularised)), SetDropout(0.0).apply(regularised)]
    assert {structure(regularised)} == {structure(e) for e in without}
    together = run_batched([Job(e, 3) for e in (regularised, *without)])
    native = run_native([Job(e, 3) for e in without])
    assert [list(a.curve) for a in together[1:]] == [pytest.approx(list(b.curve), rel=1e-5) for b in native]
    assert together[0].curve[-1] > together[2].curve[-1] > together[1].curve[-1]


def test_the_rate_of_each_epoch_follows_what_callbacks_did(regularised):
    calm = SetDropout(0.0).apply(regularised)
    frozen = replace(calm, rates=np.array([1, 0, 0, 0], np.float32))
    batched, native = run_batched([Job(frozen, 0)])[0], run_native([Job(frozen, 0)])[0]
    assert batched.curve == pytest.approx(native.curve, rel=1e-5)
    assert batched.curve[1] == pytest.approx(batched.curve[3], rel=1e-6)


def test_a_model_with_two_outputs_is_scored_by_the_judged_one():
    import keras

    keras.utils.set_random_seed(0)
    entry = keras.Input((3,))
    hidden = keras.layers.Dense(5, activation="tanh")(entry)
    model = keras.Model(entry, {n: keras.layers.Dense(k, name=n)(hidden) for n, k in (("a", 1), ("b", 2))})
    model.compile("sgd", loss={"a": "mse", "b": "mae"}, metrics={"a": "accuracy"})
    x = np.random.default_rng(1).normal(size=(24, 3)).astype("float32")
    both = Experiment(
        model=keras.saving.serialize_keras_object(model),
        compile=model.get_compile_config(),
        x=(x,),
        y=x[:, :1],
        other_y=(x[:, 1:],),
        held_x=(x[:7],),
        batch_size=8,
        epochs=2,
        shuffle=False,
    )
    (batched, second), native = run_batched([Job(both, 0), Job(both, 1)]), run_native([Job(both, 0)])[0]
    assert (7, 1) == batched.held_outputs.shape
    assert batched.losses == pytest.approx(native.losses, rel=1e-4)
    assert batched.held_outputs == pytest.approx(native.held_outputs, abs=1e-5)
    program = _Program(both)  # jobs that do not fit into memory together are several runs of one program
    for seed, whole in enumerate((batched, second)):
        assert whole.losses == pytest.approx(program.run([Job(both, seed)])[0].losses, rel=1e-5)


@pytest.mark.parametrize("kind", ["dense", "convolution"])
def test_stacks_on_several_cores_give_each_job_what_one_stack_gives_it(kind):
    import keras

    layers = keras.layers
    body = [layers.Dense(5, activation="tanh")] if kind == "dense" else [layers.Conv1D(4, 3), layers.Flatten()]
    model = keras.Sequential([keras.Input((6, 2) if kind != "dense" else (12,)), *body, layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    x = np.random.default_rng(1).normal(size=(50, *model.input_shape[1:])).astype("float32")
    job = replace(_of(model, x, x.reshape(50, -1)[:, 0], batch_size=16, epochs=2), initial=None, learning_rate=0.01)
    jobs = [Job(replace(job, learning_rate=rate), seed) for seed in range(3) for rate in (0.01, 0.03, 0.1)]
    program = _Program(job)
    sizes = [len(stack) for stack in program.stacks(jobs, cores=2)]
    assert sizes == [3, 3, 3]
    assert [len(stack) for stack in program.stacks(jobs[:5], cores=2)] == ([3, 3] if kind == "dense" else [3, 2])
    assert [len(stack) for stack in program.stacks(jobs[:2], cores=8)] == [1, 1]
    many, one = program.run(jobs[:5], cores=2), [program.run([job], cores=1)[0] for job in jobs[:5]]
    for together, alone in zip(many, one, strict=True):
        assert together.losses == pytest.approx(alone.losses, rel=1e-4)
        assert together.held_outputs == pytest.approx(alone.held_outputs, abs=1e-5)
    assert {outcome.engine for outcome in many} == {"jax-batched" if kind == "dense" else "jax-stepped"}
