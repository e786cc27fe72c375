"""A peer that knows nothing: random changes of what a person would turn, tried for as long as our own trials took."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.corpus.trying import tried
from unstuck.diagnosis import Workers
from unstuck.experiments.intervention import Intervention, Together
from unstuck.experiments.interventions.activations import ReplaceActivations
from unstuck.experiments.interventions.batch_size import SetBatchSize
from unstuck.experiments.interventions.dropout import SetDropout
from unstuck.experiments.interventions.epochs import ScaleEpochs
from unstuck.experiments.interventions.head import ReplaceHead
from unstuck.experiments.interventions.initialise import Reinitialise
from unstuck.experiments.interventions.learning_rate import ScaleLearningRate
from unstuck.experiments.interventions.loss import SetLoss
from unstuck.experiments.interventions.penalty import RemovePenalty
from unstuck.experiments.interventions.standardise import StandardiseInputs
from unstuck.experiments.interventions.widen import Widen
from unstuck.measure.case import Case
from unstuck.record.recorded import read_run
from unstuck.rules.rule import Suspect

DRAWN, MOST_AT_ONCE, SEEDS = 8, 3, 3
CHANGES: tuple[Intervention, ...] = (
    *(ScaleLearningRate(10.0**power) for power in (-3, -2, -1, 1, 2, 3)),
    *(ReplaceActivations(to, of=("relu", "sigmoid", "tanh", "linear")) for to in ("relu", "tanh", "elu")),
    *(ReplaceHead(activation) for activation in ("linear", "sigmoid", "softmax")),
    *(SetLoss(loss) for loss in ("mse", "binary_crossentropy", "sparse_categorical_crossentropy")),
    *(Reinitialise(name) for name in ("glorot_uniform", "he_normal")),
    *(SetBatchSize(size) for size in (16, 128)),
    ScaleEpochs(5),
    SetDropout(0.1),
    RemovePenalty(),
    StandardiseInputs(),
    Widen(),
)


def repairs(folder: Path, workers: Workers, seconds: float, *, seed: int) -> bool:
    """Whether one of `DRAWN` random changes, or several together, raises held-out skill by the same test as ours."""
    drawn = random.Random(seed)
    cures = tuple(Together(tuple(drawn.sample(CHANGES, drawn.randint(1, MOST_AT_ONCE)))) for _ in range(DRAWN))
    run = read_run(folder)
    suspect = Suspect(message="", cures=cures)
    trials = tried(Case(run, run.fits[0]), suspect, workers, seconds=seconds, seeds=SEEDS)
    return any(trial.outcome == "confirmed" and (trial.effect or 0) > 0 for trial in trials)
