"""The experiment as written: the recorded fit as plain data, for interventions to start from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from unstuck.experiments.experiment import Decoding, Experiment, layer_configs
from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.network.given import Given
from unstuck.measure.network.normalisers import Normalisers, belongs
from unstuck.measure.setup import Setup, wrapped_dense
from unstuck.measure.skill import reading_activation
from unstuck.measure.task import to_classes

MAX_ROWS = 5_000
"""Training rows a trial uses at most; more are a seeded subsample and the report says so."""
SUBSAMPLE_SEED = 5


def as_written(case: Case) -> Experiment:
    """The recorded fit as an experiment.

    Raises:
        Missing: when rows or a configuration to rebuild the model from are not in the record.
    """
    data, setup, body = case.get(Data), case.get(Setup), case.fit.body
    model = body["model"]
    if model.get("config") is None or model.get("compile") is None:
        reason = model.get("config_error") or model.get("compile_error") or "it has no configuration"
        raise Missing(f"a model that can be rebuilt ({reason.splitlines()[0]})", "give custom classes a get_config")
    rows, initial = data.fit_rows, _initial(case)
    experiment = Experiment(
        model={k: v for k, v in model["config"].items() if k != "compile_config"},
        compile=model["compile"],
        x=tuple(a[rows] for a in data.x),
        y=data.y[rows],
        held_x=data.held_x,
        batch_size=min(setup.batch_size, len(rows)),
        epochs=max(1, len(case.fit.epochs) or setup.epochs),
        shuffle=bool(body.get("shuffle", True)),
        weight=_weights(case, data, setup, rows),
        learning_rate=setup.optimizer.learning_rate if not setup.optimizer.schedule else None,
        rates=_rates(case, setup),
        other_y=tuple(a[rows] for a in data.other_y),
        initial=initial,
        kept=_kept(case, initial),
        names=case.fit.input_names,
        decoding=Decoding(activation=reading_activation(setup)),
        custom=(str(case.run.folder), f"custom-{case.fit.index}"),
    )
    return _plain_types(_as_adapted(case, _without_wrappers(experiment)))


def _without_wrappers(experiment: Experiment) -> Experiment:
    """TimeDistributed(Dense) as the Dense that it is, as `Setup` shows it, so that interventions find its settings."""
    if "TimeDistributed" not in {layer["class_name"] for layer in layer_configs(experiment.model)}:
        return experiment
    changed, model = experiment.with_model()
    for layer in layer_configs(model):
        inner = wrapped_dense(layer["class_name"], layer["config"])
        if inner is not None:
            config = {**inner, "name": layer["config"]["name"]}
            layer.update(module="keras.layers", class_name="Dense", config=config)
            layer.pop("build_config", None)
    return changed


def _as_adapted(case: Case, experiment: Experiment) -> Experiment:
    """Adapted Normalization layers with their mean and variance as settings: no seed initialises them anew."""
    normalisers = case.find(Normalisers)
    if normalisers is None or not normalisers.learnt:
        return experiment
    changed, model = experiment.with_model()
    for layer in layer_configs(model):
        moments = normalisers.learnt.get(layer["config"].get("name"))
        if moments is not None and layer["class_name"] == "Normalization":
            layer["config"].update(mean=moments[0].tolist(), variance=moments[1].tolist())
    paths = [variable["path"] for variable in case.fit.body["model"].get("variables") or []]
    kept = [not any(belongs(path, name) for name in normalisers.learnt) for path in paths]
    values = experiment.initial
    initial = None if values is None else tuple(v for v, keep in zip(values, kept, strict=True) if keep)
    return replace(changed, initial=initial)


def _rates(case: Case, setup: Setup) -> np.ndarray | None:
    """What callbacks made of the learning rate in each epoch, as factors of the rate that was compiled; (epochs,).

    LearningRateScheduler and ReduceLROnPlateau log the rate that an epoch was trained with.
    """
    rates = [epoch["logs"].get("learning_rate") for epoch in case.fit.epochs]
    first = setup.optimizer.learning_rate
    if not first or not rates or None in rates or setup.optimizer.schedule:
        return None
    factors = np.asarray(rates, dtype=np.float32) / first
    return None if np.allclose(factors, 1) else factors


def _initial(case: Case) -> tuple[np.ndarray, ...] | None:
    if 0 not in case.fit.steps:
        return None
    return case.run.weights(case.fit, 0) or None


def _kept(case: Case, initial: tuple[np.ndarray, ...] | None) -> dict[str, np.ndarray]:
    """What seeds do not draw anew: all weights where the optimiser goes on, else those that no initialiser drew."""
    given = case.find(Given)
    if initial is None or given is None or len(initial) != len(given.variables):
        return {}
    going_on = bool((case.fit.body["model"].get("optimizer") or {}).get("iterations"))
    named = zip(given.variables, initial, strict=True)  # states of seed generators are integers, and drawn anew
    return {name: a for name, a in named if name in given.names or (going_on and a.dtype.kind == "f")}


def _weights(case: Case, data: Data, setup: Setup, rows: np.ndarray) -> np.ndarray | None:
    """Sample weights times class weights, (n,), or None when there are neither."""
    weight = None if data.weight is None else data.weight[rows].astype(np.float32).reshape(len(rows), -1)[:, 0]
    if setup.class_weight:
        labels = to_classes(data.y[rows])
        table = {int(float(k)): float(v) for k, v in setup.class_weight.items()}
        by_class = np.array([table.get(int(label), 1.0) for label in labels], dtype=np.float32)
        weight = by_class if weight is None else weight * by_class
    return weight


def _plain_types(experiment: Experiment) -> Experiment:
    """float64 as float32, booleans as numbers: what Keras makes of them."""

    def cast(array: np.ndarray) -> np.ndarray:
        return array.astype(np.float32) if array.dtype.kind in "fb" else array

    return replace(
        experiment,
        x=tuple(map(cast, experiment.x)),
        held_x=tuple(map(cast, experiment.held_x)),
        y=cast(experiment.y),
    )


def kept_rows(recorded: int, used: int) -> np.ndarray:
    """Rows of the record that an experiment of `used` rows trains on: all of them, or a seeded subsample in order."""
    if used >= recorded:
        return np.arange(recorded)
    return np.sort(np.random.default_rng(SUBSAMPLE_SEED).choice(recorded, used, replace=False))


def shortened(experiment: Experiment, share: float) -> tuple[Experiment, str]:
    """The experiment cut to about `share` of its cost, rows first and then epochs; and what was cut, in words."""
    rows, epochs = len(experiment.y), experiment.epochs
    words = []
    if rows > MAX_ROWS:
        keep = kept_rows(rows, MAX_ROWS)
        experiment = experiment.at(keep)
        share *= rows / MAX_ROWS
        words.append(f"{MAX_ROWS} of {rows} rows")
    if share < 1:
        fewer = max(1, int(epochs * share))
        experiment = experiment.lasting(fewer)
        if fewer < epochs:
            words.append(f"{fewer} of {epochs} epochs")
    return experiment, " and ".join(words)
