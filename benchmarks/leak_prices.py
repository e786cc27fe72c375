"""The price of a leak as trials measure it, beside what it is worth when data can be drawn anew without end.

A planted program is recorded, diagnosed and priced. Its true price is the mean score of the program as written, over
fresh draws of its data, less that of its honest twin, over as many.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.harness import Bench
from tests.quality.leakage import planted
from tests.quality.leakage.planted import Make, Planted

from benchmarks.row import Row, row
from unstuck.experiments.base import as_written
from unstuck.experiments.engine import run_batched
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.outcome import Job
from unstuck.finding import Report, Trial
from unstuck.measure.case import Case
from unstuck.measure.task import Task
from unstuck.record.recorded import read_run
from unstuck.rules import catalogue
from unstuck.rules.rule import Example
from unstuck.settings import Settings

ROWS, DRAWS, BUDGET = 600, 40, 60.0
PROBLEMS = 3
"""Problems of each kind, with data of their own."""
KINDS: tuple[Make, ...] = (
    planted.overlap("numeric"),
    planted.oversampled("numeric"),
    planted.blended,
    planted.augmented("numeric"),
    planted.grouped,
    planted.windowed,
    planted.scaled("scaling by hand"),
    planted.target_copy("numeric"),
    planted.same_rows("numeric"),
)
SCRIPT = """
stored = np.load({path!r})
globals().update({{name: stored[name] for name in stored.files}})
model = keras.Sequential([
    keras.Input((x.shape[1],)),
    keras.layers.Dense(64, activation="relu"),
    keras.layers.Dense(1{activation}),
])
model.compile(keras.optimizers.Adam(0.005), loss="{loss}")
model.fit(x, y, validation_data=(x_val, y_val), epochs=30, verbose=0)
"""


def prices() -> Iterator[Row]:
    bench = Bench()
    inside, errors, falsely = [], [], []
    try:
        for number, make in enumerate(KINDS * PROBLEMS):
            leak, twin = make(ROWS, _drawn(number, 0))
            with tempfile.TemporaryDirectory() as folder:
                report = _diagnosed(bench, leak, Path(folder) / "leak")
                trial = _trial(report, leak)
                healthy = _diagnosed(bench, twin, Path(folder) / "twin")
                true = _true_price(Path(folder), make, number)
            falsely.append(any(f.severity == "error" and f.outcome == "found" for f in healthy.findings))
            if trial is None or trial.effect is None or trial.interval is None:
                yield row(f"price, {leak.kind}", [float("nan")], "skill", note="no trial measured it")
                continue
            low, high = trial.interval
            inside.append(low <= true <= high)
            errors.append(abs(trial.effect - true))
            yield row(f"price, {leak.kind}", [trial.effect], "skill") | {"spread": [low, high], "n": len(trial.seeds)}
            yield row(f"true price, {leak.kind}", [true], "skill") | {"n": DRAWS}
    finally:
        bench.workers.close()
    yield row("true price within the interval", [float(np.mean(inside))], "share", goal=0.9) | {"n": len(inside)}
    yield row("error of the price", errors, "skill", better="lower")
    yield row("honest twins called an error", [float(np.mean(falsely))], "share", goal=0.0, better="lower") | {
        "n": len(falsely)
    }


def _diagnosed(bench: Bench, case: Planted, folder: Path) -> Report:
    path = folder.with_suffix(".npz")
    prepared = _standardised(case)
    arrays = dict(zip(("x", "y", "x_val", "y_val"), prepared, strict=True))
    beside = {name: _scaled(case, v) if np.ndim(v) == 2 else v for name, v in case.variables.items()}
    np.savez(path, **arrays, **beside)
    classes = case.y.dtype.kind == "i"
    code = SCRIPT.format(
        path=str(path),
        activation=', activation="sigmoid"' if classes else "",
        loss="binary_crossentropy" if classes else "mse",
    )
    leaks = tuple(rule.name for rule in catalogue() if rule.code.startswith("LEK"))
    return bench.diagnose(Example(code, data="noise"), folder, Settings(budget=BUDGET, only=leaks))


def _standardised(case: Planted) -> tuple[np.ndarray, ...]:
    """Inputs on a scale that networks learn on, by the training rows; the same map for copies, so they stay copies."""
    kind = np.float32
    return _scaled(case, case.x), case.y.astype(kind), _scaled(case, case.held_x), case.held_y.astype(kind)


def _scaled(case: Planted, rows: np.ndarray) -> np.ndarray:
    if "before the split" in case.kind:
        return rows.astype(np.float32)
    axis = None if case.data == "time" else 0  # the steps of a window are of one series
    spread = case.x.std(axis=axis)
    return np.asarray((rows - case.x.mean(axis=axis)) / np.where(spread > 0, spread, 1), np.float32)


def _trial(report: Report, case: Planted) -> Trial | None:
    """The trial that priced the expected finding; of suspicions that were refuted, that of the highest price."""
    chosen = [f.cure for f in report.findings if f.rule in case.expected and f.cure]
    trials = {t.id: t for t in report.experiments if t.role == "intervention" and t.effect is not None}
    named = [trials[i] for i in chosen if i in trials]
    return next(iter(named), None) or min(trials.values(), key=lambda t: t.effect or 0.0, default=None)


def _true_price(folder: Path, make: Make, number: int) -> float:
    """Mean skill of honest twins less that of programs as written, over fresh draws, trained by the same engine.

    Args:
        folder: with the recorded runs `leak` and `twin`.
    """
    leaks, twins = zip(*(make(ROWS, _drawn(number, draw)) for draw in range(1, DRAWS + 1)), strict=True)
    task = _case(folder / "leak").get(Task)  # both are read alike: accuracy or balanced accuracy
    rng = np.random.default_rng([13, number])
    return _mean_skill(folder / "twin", twins, task, rng) - _mean_skill(folder / "leak", leaks, task, rng)


def _drawn(number: int, draw: int) -> np.random.Generator:
    """Of one seed, so that all draws are of the same problem."""
    rng = np.random.default_rng([11, number])
    rng.bit_generator.advance(draw << 64)  # type: ignore[attr-defined]
    return rng


def _case(folder: Path) -> Case:
    run = read_run(folder)
    return Case(run, run.fits[0])


def _mean_skill(folder: Path, drawn: Sequence[Planted], task: Task, rng: np.random.Generator) -> float:
    """Held-out skill of the recorded experiment on other data, over its draws."""
    base = as_written(_case(folder))
    sizes = len(base.y), len(base.held_x[0])
    group = [_experiment(base, each, sizes, task, rng) for each in drawn]
    outcomes = run_batched([Job(experiment, seed + 1) for seed, (experiment, _) in enumerate(group)])
    scores = [
        task.skill(task.read(outcome.held_outputs), labels)
        for outcome, (_, labels) in zip(outcomes, group, strict=True)
    ]
    return float(np.mean(scores))


def _experiment(
    base: Experiment, case: Planted, sizes: tuple[int, int], task: Task, rng: np.random.Generator
) -> tuple[Experiment, np.ndarray]:
    """The recorded experiment on other data, and the canonical labels of its held-out rows.

    Rows are repeated or left out until the sizes are equal for all draws, so that they train together; held-out
    classes are repeated until they are as frequent as they were, for skill is read against their shares.
    """
    x, y, held_x, held_y = _standardised(case)
    train = _resized(np.arange(len(y)), sizes[0], rng)
    held = np.arange(len(held_y))
    if task.is_classes:
        shares = np.bincount(task.held_y, minlength=task.classes) / len(task.held_y)
        held = np.concatenate(
            [_resized(np.flatnonzero(held_y == c), round(shares[c] * sizes[1]), rng) for c in range(task.classes)]
        )
    held = _resized(held, sizes[1], rng)
    labels: Any = held_y[held].astype(int) if task.is_classes else held_y[held].reshape(-1, 1)
    changed = replace(
        base, x=(x[train],), y=y[train].reshape(-1, *base.y.shape[1:]), held_x=(held_x[held],), initial=None
    )
    return changed, labels


def _resized(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    return np.concatenate([rows[:count], rng.choice(rows, max(0, count - len(rows)))])
