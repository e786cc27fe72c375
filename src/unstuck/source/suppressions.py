"""`# unstuck: ignore[name] reason` beside the code, and `# unstuck: file-ignore[name] reason` for a whole file.

Findings of `check` and of a run obey the same comments: one at a line that the finding points at.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch

import msgspec

from unstuck.finding import Finding, Location

_DIRECTIVE = re.compile(r"#\s*unstuck:\s*(file-ignore|ignore)\s*(?:\[([^\]]*)\])?\s*(.*)")


@dataclass(frozen=True)
class Directive:
    """One comment. `names`: rule names or codes; `whole_file`: it holds for every line."""

    names: tuple[str, ...]
    reason: str
    whole_file: bool
    location: Location

    def speaks_of(self, finding: Finding) -> bool:
        return finding.rule in self.names or finding.code in self.names

    def covers(self, finding: Finding) -> bool:
        """Whether the comment is on a line of the finding: of what it points at, or of what it names beside."""
        if not self.speaks_of(finding):
            return False
        spots = [spot for spot in (finding.location, *finding.related) if spot and spot.file == self.location.file]
        if self.whole_file:
            return bool(spots)
        here = self.location
        return any(s.cell == here.cell and s.line <= here.line <= (s.end_line or s.line) for s in spots)


def directives(lines: Sequence[str], file: str, cell: int | None = None) -> tuple[Directive, ...]:
    """The comments for us in a file or cell; strings that look like comments are none."""
    if not any("unstuck:" in line for line in lines):
        return ()
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            match = _DIRECTIVE.match(token.string) if token.type == tokenize.COMMENT else None
            if match:
                names = tuple(name.strip() for name in (match[2] or "").split(",") if name.strip())
                (line, column), end = token.start, token.end[1]
                place = Location(file=file, cell=cell, line=line, column=column + 1, end_line=line, end_column=end + 1)
                found.append(Directive(names, match[3].strip(), match[1] == "file-ignore", place))
    except (tokenize.TokenError, SyntaxError):  # what was read before stands
        pass
    return tuple(found)


def is_exempt(finding: Finding, per_file: Mapping[str, Collection[str]]) -> bool:
    """Whether the settings set aside what this rule finds in this file: patterns with names, codes or families."""
    file = finding.location.file if finding.location else ""
    names = {name for pattern, listed in per_file.items() if fnmatch(file, pattern) for name in listed}
    return bool(names & {finding.rule, finding.code, finding.code[:3]})


@dataclass(frozen=True)
class Obeyed:
    """Findings that stay, findings that are suppressed, and notes on the comments themselves."""

    kept: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]
    notes: tuple[Finding, ...]


def obey(findings: Iterable[Finding], known: Sequence[Directive], judged: Collection[str]) -> Obeyed:
    """Take the suppressed findings out.

    Args:
        findings: of the files that the directives are from.
        known: their directives.
        judged: names and codes of the rules that were tried; a comment for another one is not called unused.
    """
    kept: list[Finding] = []
    suppressed: list[Finding] = []
    used: set[int] = set()
    for finding in findings:
        covering = [i for i, directive in enumerate(known) if directive.covers(finding)]
        used.update(covering)
        if covering:
            suppressed.append(msgspec.structs.replace(finding, outcome="suppressed"))
        else:
            kept.append(finding)
    notes = [note for i, d in enumerate(known) for note in _notes(d, judged, is_used=i in used)]
    return Obeyed(tuple(kept), tuple(suppressed), tuple(notes))


def _notes(directive: Directive, judged: Collection[str], *, is_used: bool) -> list[Finding]:
    if not directive.names:
        message = "a suppression without names has no effect; write `# unstuck: ignore[name] reason`"
        return [_note("unused-suppression", "SUP101", message, directive)]
    if not is_used and all(name in judged for name in directive.names):
        message = f"nothing is suppressed by this comment ({', '.join(directive.names)})"
        return [_note("unused-suppression", "SUP101", message, directive)]
    if is_used and not directive.reason:
        return [_note("suppression-without-reason", "SUP102", "say after the bracket why this is fine here", directive)]
    return []


def _note(rule: str, code: str, message: str, directive: Directive) -> Finding:
    place = directive.location
    mark = f"{place.file}:{place.cell}:{place.line}"
    return Finding(
        rule=rule,
        code=code,
        fingerprint=f"v1:{rule}:{mark}",
        severity="note",
        confidence="proven",
        message=message,
        location=place,
    )
