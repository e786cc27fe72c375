"""Fixes applied to the person's files: exactly the edits that were tried, everything else byte for byte."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from unstuck.errors import UnstuckError
from unstuck.finding import Edit, Finding, Report
from unstuck.report.diff import changes
from unstuck.report.selection import causes
from unstuck.report.terminal import tested
from unstuck.report.words import clean


@dataclass(frozen=True)
class Left:
    """A finding whose fix is not applied, and why."""

    finding: Finding
    reason: str


@dataclass(frozen=True)
class Patch:
    """The fixes to apply: the new text of each file by path."""

    applied: tuple[Finding, ...]
    left: tuple[Left, ...]
    before: dict[Path, str]
    after: dict[Path, str]


def patch(report: Report, home: Path, *, unsafe: bool, only: Sequence[str] = ()) -> Patch:
    """The fixes of a report's causes, worked into the files as they are now.

    Args:
        home: folder that the report's relative paths start from.
        unsafe: also fixes that change what the model computes.
        only: names or codes of the rules to fix; all when empty.

    Raises:
        UnstuckError: E020 if a file is not what it was when the run was recorded.
    """
    applied: list[Finding] = []
    left: list[Left] = []
    edits: list[Edit] = []
    for finding in (cause.finding for cause in causes(report)):
        if only and finding.rule not in only and finding.code not in only:
            continue
        reason = _obstacle(finding, report, edits, unsafe=unsafe)
        if reason:
            left.append(Left(finding, reason))
        elif finding.fix is not None:
            applied.append(finding)
            edits += [edit for edit in finding.fix.edits if edit not in edits]
    before = {home / file: _unchanged(home / file, report.sources[file]) for file in {e.file for e in edits}}
    after = {
        home / file: rewritten(before[home / file], [e for e in edits if e.file == file])
        for file in {e.file for e in edits}
    }
    return Patch(tuple(applied), tuple(left), before, after)


def _obstacle(finding: Finding, report: Report, taken: list[Edit], *, unsafe: bool) -> str:
    """Why a fix is not applied; "" if nothing is in the way."""
    fix = finding.fix
    if fix is None or not fix.edits or fix.applicability == "sketch":
        return (
            "has no complete edit"
            if fix is None or fix.applicability != "sketch"
            else "is a sketch, for you to fill in"
        )
    if finding.outcome == "inconclusive":
        return "is not settled by the experiments"
    if fix.applicability == "suggested" and not unsafe:
        return "changes what the model computes; --unsafe applies it"
    if fix.applicability == "suggested" and not tested(finding, report):
        return "was not tried"
    fresh = [edit for edit in fix.edits if edit not in taken]
    if changes((*taken, *fresh), report.sources) is None:
        return "meets another fix in the same place; apply that one, run again, then this one"
    return ""


def _unchanged(path: Path, recorded: tuple[str, ...]) -> str:
    """The text of a file, with its own line ends, if it still is what was recorded."""
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise _refusal(f"{path} cannot be read ({reason})") from None
    if tuple(text.replace("\r\n", "\n").split("\n")) != recorded:
        raise _refusal(f"{path} is not what it was when the run was recorded")
    return text


def _refusal(happened: str) -> UnstuckError:
    return UnstuckError(
        "E020", happened, expected="expected the recorded file", do="record the run again with `unstuck run`"
    )


def rewritten(text: str, edits: Sequence[Edit]) -> str:
    """A text with edits worked in; new lines get the line end that the text has.

    >>> rewritten("a = 1\\r\\nb = 2\\r\\n", [Edit(file="x", start=(1, 5), end=(1, 6), text="3\\nc = 4")])
    'a = 3\\r\\nc = 4\\r\\nb = 2\\r\\n'
    """
    ends = "\r\n" if "\r\n" in text else "\n"
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    for edit in sorted(edits, key=lambda e: e.start, reverse=True):
        first, last = (starts[line - 1] + column - 1 for line, column in (edit.start, edit.end))
        text = text[:first] + edit.text.replace("\n", ends) + text[last:]
    return text


def unified(made: Patch, home: Path) -> Iterator[str]:
    """The change as a unified diff, which `git apply` and `patch` take."""
    for path in sorted(made.after):
        name = str(path.relative_to(home)) if path.is_relative_to(home) else str(path)
        old, new = (made.before[path].splitlines(keepends=True), made.after[path].splitlines(keepends=True))
        for line in difflib.unified_diff(old, new, f"a/{name}", f"b/{name}"):
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def told(made: Patch) -> list[str]:
    """A line a finding: fixed, or not and why."""
    lines = [f"fixed {clean(f.rule)}: {clean(f.fix.title)}" for f in made.applied if f.fix is not None]
    return lines + [f"not fixed {clean(left.finding.rule)}: its fix {left.reason}" for left in made.left]
