"""Two runs beside each other: what changed in the code, and what it did."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from unstuck.finding import Fit, Report
from unstuck.report.selection import Cause, causes
from unstuck.report.words import clean, number, visible, wrap

WIDTH = 80
_MEASURES = (
    ("training loss", "reported_loss"),
    ("train skill", "train_skill"),
    ("held-out skill", "held_out_skill"),
)

Sources = Mapping[str, tuple[str, ...]]


def compared(old: Report, new: Report, old_sources: Sources, new_sources: Sources) -> str:
    """What changed from one run to the other, in words and as a unified diff of the recorded code.

    Args:
        old_sources, new_sources: the recorded files under names that are the same for the same file.
    """
    lines = wrap(old.summary.sentence, WIDTH, first="before: ") + wrap(new.summary.sentence, WIDTH, first="after:  ")
    lines += ["", *_measures(old, new), *_findings(old, new), *_settings(old, new)]
    code = _code(old_sources, new_sources)
    lines += ["", *(code or ["The code is the same."])]
    return "\n".join(lines).rstrip() + "\n"


def _measures(old: Report, new: Report) -> list[str]:
    if len(old.fits) != len(new.fits):
        return [f"{len(old.fits)} fits before, {len(new.fits)} after"]
    lines = []
    for index, (a, b) in enumerate(zip(old.fits, new.fits, strict=True), 1):
        name = f"fit {index}, " if len(new.fits) > 1 else ""
        lines += [f"{name}{line}" for line in _of_fit(a, b)]
    return lines


def _of_fit(old: Fit, new: Fit) -> list[str]:
    rows = [(said, getattr(old, field), getattr(new, field)) for said, field in _MEASURES]
    known = [(said, a, b) for said, a, b in rows if a is not None and b is not None]
    return [f"{said}: {_change(said, a, b)}" for said, a, b in known]


def _change(said: str, before: float, after: float) -> str:
    if said == "training loss":  # a loss has no scale of its own: four digits, whatever its size
        return f"{before:.4g} → {after:.4g}"
    return f"{number(before)} → {number(after)} ({number(after - before, signed=True)})"


def _findings(old: Report, new: Report) -> list[str]:
    before, after = ({_identity(c): c for c in causes(report)} for report in (old, new))
    lines = [f"gone: {_named(c)}" for key, c in before.items() if key not in after]
    lines += [f"new: {_named(c)}" for key, c in after.items() if key not in before]
    lines += [f"still: {_named(c)}" for key, c in after.items() if key in before]
    return lines


def _identity(cause: Cause) -> tuple[str, tuple[tuple[str, str], ...]]:
    return cause.finding.rule, tuple(sorted(cause.finding.scope.items()))


def _named(cause: Cause) -> str:
    finding = cause.finding
    return f"{finding.severity}[{clean(finding.rule)}] {clean(finding.message)} [{cause.standing}]"


def _shown(line: str) -> str:
    return "".join(map(visible, line.expandtabs(4)))


def _settings(old: Report, new: Report) -> list[str]:
    lines = []
    for name in ("keras", "backend", "python"):
        a, b = getattr(old.run, name), getattr(new.run, name)
        if a != b:
            lines.append(f"{name}: {clean(a)} → {clean(b)}")
    return lines


def _code(before: Sources, after: Sources) -> list[str]:
    lines: list[str] = []
    for name in sorted(before.keys() | after.keys()):
        found = difflib.unified_diff(before.get(name, ()), after.get(name, ()), f"a/{name}", f"b/{name}", lineterm="")
        lines += [clean(line) if line.startswith(("---", "+++")) else _shown(line) for line in found]
    return lines
