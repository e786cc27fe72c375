"""Compiled Keras models and their initial weights from an experiment."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np

from unstuck.experiments.experiment import Experiment, optimizer_config
from unstuck.record import custom
from unstuck.record.given import keys
from unstuck.record.rebuild import rebuild


def build(experiment: Experiment, seed: int) -> Any:
    """A freshly initialised, compiled model of the experiment.

    Raises:
        CannotRebuild: when Keras cannot make the model from its configuration.
    """
    _seed(seed)
    settings = experiment.with_compile()[1]
    if experiment.learning_rate is not None:
        optimizer_config(settings)["learning_rate"] = experiment.learning_rate
    return rebuild(experiment.model, settings, _custom_objects(experiment), experiment.x, experiment.names)


def initial_weights(experiment: Experiment, seed: int) -> list[np.ndarray]:
    """`model.variables` that a seed gives, without compiling; the recorded ones where the experiment has them.

    A kept variable whose shape a change has altered is initialised as the others are.
    """
    if experiment.initial is not None:
        return list(experiment.initial)
    import keras

    _seed(seed)
    model = rebuild(experiment.model, None, _custom_objects(experiment), experiment.x, experiment.names)
    drawn = (np.array(keras.ops.convert_to_numpy(v)) for v in model.variables)
    kept = (experiment.kept.get(name) for name in keys(model.variables))
    return [value if old is None or old.shape != value.shape else old for value, old in zip(drawn, kept, strict=True)]


def _seed(seed: int) -> None:
    """What `keras.utils.set_random_seed` does for weights; that function imports TensorFlow, seconds a worker."""
    random.seed(seed)
    np.random.seed(seed % 2**32)


def _custom_objects(experiment: Experiment) -> dict[str, Any]:
    if not experiment.custom:
        return {}
    loaded = custom.load(Path(experiment.custom[0]), experiment.custom[1])
    return loaded if isinstance(loaded, dict) else {}
