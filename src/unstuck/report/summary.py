"""The closing lines: what was found, what every other rule said, what was not checked and why."""

from __future__ import annotations

from collections.abc import Sequence

from unstuck.finding import Report, RuleResult
from unstuck.report.selection import Cause, consequences, outcomes, tally
from unstuck.report.words import clean, count, duration, elide, home_of, listing, near, wrap

FAMILIES = {
    "OUT": "output",
    "DAT": "data",
    "LEK": "leakage",
    "ACT": "activation",
    "OPT": "optimiser",
    "CAP": "capacity",
    "NET": "architecture",
    "PIP": "input-pipeline",
    "NUM": "numerical",
    "API": "Keras API",
    "EVA": "evaluation",
    "OBJ": "objective",
}
_ALWAYS = ("cleared", "not-checked", "crashed")
_WORDS = ("cleared", "refuted", "inconclusive", "not-applicable", "not-checked", "suppressed", "crashed")
_EXPLAINED = 3
"""Rules whose page is offered at the end."""


def closing(report: Report, shown: tuple[Cause, ...], *, width: int, verbosity: int = 0) -> list[str]:
    """Everything below the findings."""
    lines = wrap(f"{found_line(report, shown)} {checked_line(report, shown)}".strip(), width)
    if verbosity < 0:
        return lines
    lines += _experiments(report, width)
    lines += not_checked(report, width=width, verbosity=verbosity)
    lines += _crashed(report, width)
    for warning in report.warnings:
        lines += wrap(warning, width, first="Note: ")
    if report.run.folder and (shown or verbosity > 0):
        lines.append("Run:     " + elide(near(report.run.folder, home_of(report.run)), width - 9))
    if report.run.folder and shown:
        lines.append("Page:    unstuck report")
    for rule in list(dict.fromkeys(c.finding.rule for c in shown))[:_EXPLAINED]:
        lines.append("Explain: " + elide(f"unstuck explain {clean(rule)}", width - 9))
    return lines


def found_line(report: Report, shown: tuple[Cause, ...]) -> str:
    """`Found 2 errors (1 proven, 1 likely) and 1 note (likely); 3 consequences are folded into them.`"""
    parts = [f"{count(amount, severity)} ({sure})" for severity, amount, sure in tally(shown)]
    folded = len(consequences(report))
    if not parts:
        return "No findings."
    tail = f", with {count(folded, 'consequence')} folded in" if folded else ""
    return f"Found {listing(parts)}{tail}."


def checked_line(report: Report, shown: tuple[Cause, ...]) -> str:
    """`Checked 38 rules: 31 cleared, 6 not checked, 0 crashed.`"""
    numbers = outcomes(report)
    if not numbers:
        return ""
    words = [w for w in _WORDS if numbers[w] or (shown and w in _ALWAYS)]
    counted = ", ".join(f"{numbers[w]} {w.replace('-', ' ')}" for w in words)
    return f"Checked {count(numbers.total(), 'rule')}" + (f": {counted}." if counted else ".")


def _experiments(report: Report, width: int) -> list[str]:
    run = [t for t in report.experiments if t.outcome != "not-run"]
    if not run:
        return []
    trainings = sum(max(len(t.seeds), len(t.value)) for t in run)
    seconds = report.timing.get("experiments") or sum(t.seconds for t in run)
    time = f", {duration(seconds)}" if seconds else ""
    return wrap(f"Experiments: {count(len(run), 'arm')}, {count(trainings, 'training run')}{time}.", width)


def not_checked(report: Report, *, width: int, verbosity: int = 0) -> list[str]:
    """The rules that lacked evidence, one line a reason, with what would supply it."""
    groups: dict[tuple[str, str], dict[str, RuleResult]] = {}
    for result in report.rules:
        if result.outcome == "not-checked":
            needs = f"needs {listing(result.needs)}" if result.needs else "no reason was given"
            key = (clean(result.reason or needs), clean(result.supply))
            groups.setdefault(key, {})[result.rule] = result
    lines = []
    for (reason, supply), rules in groups.items():
        who = _who(list(rules.values()), named=verbosity > 0)
        lines.append(f"{who}: {reason.rstrip('.')}{f' ({supply})' if supply else ''}.")
    if len(lines) < 2:
        return [part for line in lines for part in wrap(line, width, first="Not checked: ", rest="  ")]
    return ["Not checked:", *(part for line in lines for part in wrap(line, width, first="  ", rest="    "))]


def _who(results: Sequence[RuleResult], *, named: bool) -> str:
    names = sorted({clean(r.rule) for r in results})
    if named or len(names) == 1:
        return ", ".join(names)
    families = {r.code[:3] for r in results}
    family = FAMILIES.get(families.pop(), "") if len(families) == 1 else ""
    return f"{len(names)} {family} rules" if family else f"{len(names)} rules"


def _crashed(report: Report, width: int) -> list[str]:
    crashed = {r.rule: r for r in report.rules if r.outcome == "crashed"}
    lines: list[str] = []
    for result in crashed.values():
        said = f"{result.rule}: {result.reason or 'no reason was given'}"
        lines += wrap(said, width, first="Crashed: ", rest="  ")
    return lines
