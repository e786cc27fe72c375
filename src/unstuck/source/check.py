"""From paths to a report: find the files, read each by itself, gather what the witnesses say."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from unstuck.finding import (
    SCHEMA,
    SEVERITIES,
    Edit,
    Finding,
    Fix,
    Location,
    Report,
    RuleResult,
    Run,
    Step,
    Summary,
    Tool,
)
from unstuck.source.interpreter import Interpreter
from unstuck.source.reading import Program, Unreadable, read
from unstuck.source.sighting import Sighting
from unstuck.source.suppressions import directives, obey
from unstuck.source.witnesses import Witness, witnesses

_SUFFIXES = (".py", ".ipynb")
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "venv", "env", "build", "dist"})
"""Folders that hold other people's code or products; so do folders whose names begin with a dot."""
ALONE = 24
"""Files up to which one process is faster than starting others (about 0.1 s each)."""
_AT_ONCE = 8
"""Files handed to a process at a time."""


@dataclass(frozen=True)
class Asked:
    """What to judge by. `only` and `ignore`: rule names, codes or families (`LEK`)."""

    only: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def wants(self, witness: Witness) -> bool:
        names = (witness.name, witness.code, witness.code[:3])
        return (not self.only or any(n in self.only for n in names)) and not any(n in self.ignore for n in names)


@dataclass(frozen=True)
class Checked:
    """What one file says. `trouble`: why it could not be read."""

    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Finding, ...] = ()
    sources: tuple[tuple[str, tuple[str, ...]], ...] = ()
    crashed: tuple[tuple[str, str], ...] = ()
    trouble: str = ""


@dataclass(frozen=True)
class Outcome:
    """The report, how many files there were, and a line for each that could not be read."""

    report: Report
    files: int
    troubles: tuple[str, ...]


def check(paths: Sequence[Path], asked: Asked, version: str) -> Outcome:
    """Judge all files at and below some paths."""
    files = list(found_files(paths, asked.exclude))
    results = _each(files, asked)
    findings = tuple(finding for result in results for finding in result.findings)
    troubles = tuple(result.trouble for result in results if result.trouble)
    sources = {name: lines for result in results for name, lines in result.sources}
    counts = {s: sum(f.severity == s and f.confidence != "possible" for f in findings) for s in SEVERITIES}
    report = Report(
        schema=SCHEMA,
        tool=Tool(name="unstuck", version=version),
        run=Run(id="check", command=("check", *map(str, paths)), script=str(paths[0])),
        summary=Summary(
            error=counts["error"],
            warning=counts["warning"],
            note=counts["note"],
            worst=next((s for s in SEVERITIES if counts[s]), None),
            sentence=_sentence(len(files), len(troubles)),
        ),
        findings=findings,
        suppressed=tuple(finding for result in results for finding in result.suppressed),
        rules=_outcomes(asked, results),
        warnings=troubles,
        sources=sources,
    )
    return Outcome(report, len(files), troubles)


def found_files(paths: Iterable[Path], exclude: Sequence[str]) -> Iterator[Path]:
    """The scripts and notebooks at and below some paths, in order, each once."""
    seen: set[Path] = set()
    for path in paths:
        for file in sorted(_below(path)) if path.is_dir() else [path]:
            shown = file.as_posix()
            if file not in seen and not any(fnmatch.fnmatch(shown, pattern) for pattern in exclude):
                seen.add(file)
                yield file


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _SKIPPED and not name.startswith(".")]
        yield from (Path(place, name) for name in names if name.endswith(_SUFFIXES))


def _each(files: Sequence[Path], asked: Asked) -> list[Checked]:
    workers = min(os.cpu_count() or 1, len(files) // _AT_ONCE)
    if len(files) <= ALONE or workers < 2:
        return [check_file(file, asked) for file in files]
    import multiprocessing  # with what it needs a third of the start-up, for large folders only
    from concurrent.futures import ProcessPoolExecutor

    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in methods else None)
    with ProcessPoolExecutor(workers, context) as pool:
        return list(pool.map(check_file, files, [asked] * len(files), chunksize=_AT_ONCE))


def check_file(path: Path, asked: Asked) -> Checked:
    """What the witnesses say of one file."""
    shown = path.as_posix()
    try:
        program = read(path, shown)
    except Unreadable as error:
        return Checked(trouble=str(error))
    chosen = [witness for witness in witnesses() if asked.wants(witness)]
    try:
        findings, crashed = seen_in(program, chosen)
    except Exception as error:  # a fault of ours in one file must not hide the others
        return Checked(trouble=f"{shown}: unstuck could not follow it ({type(error).__name__}: {error}); please report")
    comments = [d for cell in program.cells for d in directives(cell.lines, shown, cell.number)]
    judged = {name for witness in chosen for name in (witness.name, witness.code)}
    obeyed = obey(findings, comments, judged)
    kept = (*obeyed.kept, *obeyed.notes)
    sources = tuple(program.sources().items()) if kept or obeyed.suppressed else ()
    return Checked(kept, obeyed.suppressed, sources, tuple(crashed))


def seen_in(program: Program, chosen: Iterable[Witness]) -> tuple[list[Finding], list[tuple[str, str]]]:
    """What these witnesses say of a program, worst first; and the names of those that crashed, with the error."""
    story = Interpreter(program).follow()
    crashed: list[tuple[str, str]] = []
    findings: list[Finding] = []
    for witness in chosen:
        try:
            findings += _once(_finding(witness, sighting, program) for sighting in witness.sightings(story))
        except Exception as error:
            crashed.append((witness.name, f"{program.file}: {type(error).__name__}: {error}"))
    findings.sort(key=lambda f: (SEVERITIES.index(f.severity), *_spot(f.location)))
    return findings, crashed


def _spot(location: Location | None) -> tuple[int, int, int]:
    return (location.cell or 0, location.line, location.column) if location else (0, 0, 0)


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """One finding a place: a function that is called twice is followed twice."""
    return list({_spot(finding.location): finding for finding in findings}.values())


def _finding(witness: Witness, sighting: Sighting, program: Program) -> Finding:
    import hashlib  # where something is found: with OpenSSL it is a good part of what `check` takes to start

    place = program.location(sighting.node, sighting.label)
    mark = f"{witness.name}|{place.file}|{place.cell}|{program.text(place)}"
    severity = sighting.severity or ("error" if sighting.confidence == "proven" else "warning")
    return Finding(
        rule=witness.name,
        code=witness.code,
        fingerprint="v1:" + hashlib.sha256(mark.encode()).hexdigest()[:12],
        severity=severity,
        confidence=sighting.confidence,
        message=sighting.message,
        location=place,
        related=tuple(program.location(node, label) for node, label in sighting.related),
        flow=tuple(Step(text=stop.text, location=program.location(stop.node)) for stop in sighting.flow),
        evidence=sighting.evidence,
        conclusion=sighting.conclusion,
        fix=_fix(sighting, program),
        explained_by=sighting.explained_by,
        url=f"https://unstuck.readthedocs.io/rules/{witness.name}",
    )


def _fix(sighting: Sighting, program: Program) -> Fix | None:
    if not sighting.help:
        return None
    places = [(program.location(node), text) for node, text in sighting.edits]
    edits = tuple(
        Edit(file=p.file, start=(p.line, p.column), end=(p.end_line or p.line, p.end_column or p.column), text=text)
        for p, text in places
        if p.cell is None  # an edit has no cell
    )
    applicability = "suggested" if edits else "sketch"
    return Fix(title=sighting.help, applicability=applicability, edits=edits, alternative=sighting.alternative)  # type: ignore[arg-type]


def _outcomes(asked: Asked, results: Sequence[Checked]) -> tuple[RuleResult, ...]:
    found = {f.rule for result in results for f in result.findings if f.confidence != "possible"}
    hidden = {f.rule for result in results for f in result.suppressed}
    crashed = dict(entry for result in results for entry in result.crashed)
    made = []
    for witness in witnesses():
        if not asked.wants(witness):
            continue
        name = witness.name
        reason = crashed.get(name, "")
        outcome = "crashed" if reason else "found" if name in found else "suppressed" if name in hidden else "cleared"
        if all(result.trouble for result in results):
            outcome, reason = "not-applicable", "nothing could be read"
        made.append(RuleResult(rule=name, code=witness.code, outcome=outcome, reason=reason))  # type: ignore[arg-type]
    return tuple(made)


def _sentence(files: int, unread: int) -> str:
    if not files:
        return "No scripts or notebooks were found."
    read_ = files - unread
    few = f"; {unread} could not be read" if unread else ""
    return f"Read {read_} file{'' if read_ == 1 else 's'} without running anything{few}."
