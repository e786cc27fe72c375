"""The table of experiments: what was tried beside the run as written, and what difference it made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unstuck.finding import Finding, Trial
from unstuck.report.words import clean, count, number, spread

SKILL = "skill: 0 is the best constant answer, 1 is perfect; held-out: unseen rows"
LOG_LOSS = "; log-loss skill: by how sure the answers are, not by how many are right"
_ORDER = ("baseline", "rival", "placebo", "intervention", "control")


@dataclass(frozen=True)
class Row:
    """An arm of the experiment; `cells` stand under the table's heads."""

    cells: tuple[str, ...]
    winner: bool = False
    control: bool = False


@dataclass(frozen=True)
class Table:
    """The arms that share a metric. `heads[0]` says how often each was run."""

    heads: tuple[str, ...]
    rows: tuple[Row, ...]


def trials_of(finding: Finding, experiments: Sequence[Trial]) -> list[Trial]:
    """The trials that a finding names: as written, rivals, placebos, changes (the offered one last), controls."""
    known = {trial.id: trial for trial in experiments}
    named = [known[i] for i in dict.fromkeys(finding.experiments) if i in known]
    return sorted(named, key=lambda t: (_ORDER.index(t.role), t.id == finding.cure))


def tables(trials: Sequence[Trial]) -> list[Table]:
    """One table a metric; one in which nothing was changed is left out beside others."""
    changed = [t for t in trials if t.role not in ("baseline", "placebo")]
    metrics = dict.fromkeys(t.metric for t in changed or trials)
    return [_table([t for t in trials if t.metric == metric], metric) for metric in metrics]


def _table(trials: list[Trial], metric: str) -> Table:
    moved = any(t.weights_moved is not None for t in trials)
    best = winner_of(trials)
    rows = [Row(_cells(t, moved=moved), winner=t is best, control=t.role == "control") for t in trials]
    if not any(t.role == "baseline" for t in trials):
        seen = next((t.baseline for t in trials if t.baseline and t.role != "control"), ())
        if seen:
            rows.insert(0, Row(("as written", spread(seen), "", "")[: 4 if moved else 3]))
    heads = (_repeats(trials), clean(metric), "difference", *(("weights moved",) if moved else ()))
    return Table(heads, tuple(rows))


def words_on_skill(trials: Sequence[Trial]) -> str:
    """What the word means, where a table of these trials uses it; else ""."""
    metrics = {t.metric for t in trials if "skill" in t.metric}
    return (SKILL + (LOG_LOSS if any("log-loss" in m for m in metrics) else "")) if metrics else ""


def winner_of(trials: Sequence[Trial]) -> Trial | None:
    """The confirmed change that is offered: the last one, as `trials_of` puts them."""
    return next((t for t in reversed(trials) if t.role == "intervention" and t.outcome == "confirmed"), None)


def _repeats(trials: list[Trial]) -> str:
    sizes = sorted({len(_values(t)) for t in trials if _values(t)})
    if not sizes:
        return ""
    seeds = count(sizes[0], "seed") if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]} seeds"
    return f"{seeds}, paired" if sizes[-1] > 1 else seeds


def _values(trial: Trial) -> tuple[float, ...]:
    return trial.value or (trial.baseline if trial.role == "baseline" else ())


def _cells(trial: Trial, *, moved: bool) -> tuple[str, ...]:
    label = clean(trial.label) or trial.id
    if trial.role == "placebo" and not label.startswith("placebo"):
        label = f"placebo: {label}"
    value = spread(_values(trial)) or "not run"
    word = {None: "", True: "yes", False: "no"}[trial.weights_moved]
    return (label, value, _difference(trial), *((word,) if moved else ()))


def _difference(trial: Trial) -> str:
    remarks = [_effect(trial)]
    if trial.outcome == "confirmed" and trial.sufficient is False:
        remarks.append("not enough alone")
    return "; ".join(r for r in [*remarks, clean(trial.note)] if r)


def _effect(trial: Trial) -> str:
    """The paired difference; in words where the interval holds no difference worth the name."""
    if trial.effect is None or trial.role == "baseline":
        return ""
    low, high = trial.interval or (trial.effect, trial.effect)
    effect = number(trial.effect, signed=True)
    if float(f"{trial.effect:.3f}") == 0 and (trial.outcome == "refuted" or max(abs(low), abs(high)) < 5e-4):
        return "no difference"
    if trial.outcome == "refuted" and low <= 0 <= high:
        return f"{effect}, no difference"
    if trial.interval is None:
        return effect
    return f"{effect} [{number(low, signed=True)}, {number(high, signed=True)}]"
