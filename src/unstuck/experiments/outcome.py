"""What a training run of an experiment yields; plain arrays that cross process borders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unstuck.experiments.experiment import Experiment

TRAIN_ROWS = 2_000
"""Training rows whose outputs are returned, for training skill."""


@dataclass(frozen=True)
class Job:
    """One experiment with one seed."""

    experiment: Experiment
    seed: int


@dataclass(frozen=True)
class Outcome:
    """The end of one training run.

    Attributes:
        held_outputs: model outputs on the held-out inputs, (n, ...).
        train_outputs: on the first `TRAIN_ROWS` training rows.
        losses: training loss of each step, (steps,).
        curve: mean training loss an epoch, (epochs,).
        moved: largest absolute change of any trainable variable.
        engine: `jax-batched`, `jax-stepped` or `native <backend>`.
        seconds: that training took, as one of a batch, without what it takes to build and compile; a
            native fit compiles in its first step, which counts.
    """

    held_outputs: np.ndarray
    train_outputs: np.ndarray
    losses: np.ndarray
    curve: np.ndarray
    moved: float
    engine: str
    seconds: float = 0.0
