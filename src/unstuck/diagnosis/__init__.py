"""RANK: needs -> check -> experiments -> one ranked, de-duplicated report."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from unstuck.diagnosis.asked import chosen, in_force
from unstuck.diagnosis.from_source import with_source
from unstuck.diagnosis.judge import judge_all, judge_outputs
from unstuck.diagnosis.roots import link
from unstuck.diagnosis.sharing import Sharing
from unstuck.diagnosis.suppression import obeyed
from unstuck.diagnosis.testing import Tested
from unstuck.diagnosis.uphold import uphold
from unstuck.diagnosis.verdict import CONTENT, judge_fit
from unstuck.errors import UnstuckError
from unstuck.experiments.pool import Executor, Pool
from unstuck.experiments.worker import Worker, WorkerLost
from unstuck.finding import SCHEMA, SEVERITIES, Finding, Fit, Report, RuleResult, Run, Summary, Tool, Trial, Verdict
from unstuck.measure.case import Case
from unstuck.measure.data import Data
from unstuck.measure.outputs import Outputs
from unstuck.measure.training.repeats import gone_on
from unstuck.record.recorded import RecordedRun, read_run
from unstuck.record.store import Writer
from unstuck.rules import Rule
from unstuck.settings import Settings

PROBE_SECONDS = 180.0
NO_FAULT = ("unknown", "unfinished", *CONTENT)
"""Verdicts on how far a fit came: where a later one trains its model on, that one's counts."""
WORST_FIRST: tuple[Verdict, ...] = (
    "stuck",
    "misleading",
    "impaired",
    "no-signal",
    "unknown",
    "noise-floor",
    "unfinished",
    "healthy",
    "finished",
)

Progress = Callable[[str], None]


class Workers:
    """The worker processes of one diagnosis, a pool for each backend, started when first asked for.

    Args:
        paths: entries for their `sys.path`. executor: `local`, `ray`, or the address of a Ray cluster, for trials.
    """

    def __init__(self, paths: tuple[str, ...], executor: str = "local") -> None:
        self._paths = paths
        self._executor = executor
        self._pools: dict[str, Pool] = {}

    def __call__(self, backend: str) -> Worker:
        """A worker process, for questions that are not trials."""
        return self._pool(backend).first

    def executor(self, backend: str) -> Executor:
        """Where trials are trained."""
        if self._executor == "local":
            return self._pool(backend)
        from unstuck.experiments.ray_executor import RayExecutor

        return RayExecutor(backend, "" if self._executor == "ray" else self._executor)

    def _pool(self, backend: str) -> Pool:
        if backend not in self._pools:
            self._pools[backend] = Pool(lambda: Worker(backend, self._paths))
        return self._pools[backend]

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()


def diagnose_folder(
    folder: Path,
    settings: Settings | None = None,
    *,
    progress: Progress | None = None,
    workers: Workers | None = None,
    since: int = 0,
) -> Report:
    """Judge a recorded run.

    Args:
        folder: the run folder.
        settings: what to try and how long; the defaults when None.
        progress: called with a line of what is being done now.
        workers: worker processes to use and leave open; made and closed here when None.
        since: the first fit that is judged; a notebook goes on recording in one folder.

    Raises:
        UnstuckError: when the folder holds no recorded fit.
    """
    settings, progress = settings or Settings(), progress or (lambda _: None)
    began = time.monotonic()
    run = read_run(folder)
    if len(run.fits) <= since:
        raise UnstuckError(
            "E006",
            f"no fit was recorded in {folder}",
            expected="a script that calls model.fit",
            do="run the script to the point where it trains",
        )
    own = workers or Workers(_paths(run), settings.executor)
    try:
        run = _replayed(run, own, progress)
        run = replace(run, fits=run.fits[since:])
        home = Path(str(run.meta.get("script") or Path.cwd())).parent
        rules = chosen(settings, home)
        with in_force(settings.rules, home):
            sharing = Sharing(run.fits, settings.budget)
            parts = [_diagnose_fit(Case(run, fit), rules, settings, own, progress, sharing) for fit in run.fits]
    finally:
        if workers is None:
            own.close()
    return obeyed(_report(run, parts, time.monotonic() - began), settings.per_file)


def _replayed(run: RecordedRun, workers: Workers, progress: Progress) -> RecordedRun:
    """The run with a replay of every fit that has none yet.

    scikit-learn is imported meanwhile: the rules want it next, and would wait for it longer than a replay takes.
    """
    again = False
    for fit in run.fits:
        if fit.probe or not fit.steps:
            continue
        if not again:
            threading.Thread(target=importlib.import_module, args=("sklearn.ensemble",), daemon=True).start()
        progress(f"replaying fit {fit.index + 1} of {len(run.fits)}")
        data = Case(run, fit).find(Data)
        try:
            workers(fit.body["backend"]).probe(
                run.folder, fit.index, data.held_x if data else (), seconds=PROBE_SECONDS
            )
        except WorkerLost as lost:
            Writer(run.folder).event("probe", {"error": str(lost)}, fit=fit.index)
        again = True
    return read_run(run.folder) if again else run


class Part(NamedTuple):
    """What is found in one fit.

    Attributes:
        crashed: quantities whose derivation failed by a mistake of ours, and how.
        trying: seconds that the experiments took.
    """

    fit: Fit
    findings: tuple[Finding, ...]
    results: tuple[RuleResult, ...]
    tested: Tested
    crashed: dict[str, str]
    trying: float


def _diagnose_fit(
    case: Case,
    rules: tuple[type[Rule], ...],
    settings: Settings,
    workers: Workers,
    progress: Progress,
    sharing: Sharing,
) -> Part:
    progress("asking the rules")
    found = case.find(Outputs)
    outputs = found.cases if found else {}
    judged = with_source(judge_outputs(judge_all(rules, case), outputs.items()), case)
    tested = Tested(problem="experiments are off")
    began = time.monotonic()
    if settings.experiments != "off":
        tested = sharing.test(case, judged, executors=workers.executor, seeds=settings.seeds, progress=progress)
    trying = time.monotonic() - began
    findings: list[Finding] = []
    results: list[RuleResult] = []
    for entry in judged:
        if entry.suspect is None:
            results.append(entry.result)
            continue
        finding, result = uphold(entry, case, tested)
        results.append(result)
        if finding is not None:
            findings.append(finding)
    suspects = {j.rule.name: j.suspect for j in judged if j.suspect is not None}
    linked = link(findings, {r.name: r for r in rules}, suspects, tested)
    return Part(judge_fit(case, linked, tested.trials, outputs), linked, tuple(results), tested, case.crashed, trying)


def _report(run: RecordedRun, parts: list[Part], seconds: float) -> Report:
    from unstuck import __version__

    several = len(parts) > 1
    findings = tuple(_numbered(f, part.tested.fit) if several else f for part in parts for f in part.findings)
    findings = tuple(sorted(findings, key=_rank))
    own = [part for part in parts if part.tested.fit == part.fit.index]
    trials = tuple(_renamed(t, part.fit.index, several) for part in own for t in part.tested.trials)
    passing = gone_on(run.fits)
    fits = tuple(
        msgspec.structs.replace(part.fit, trained_on=part.fit.index in passing and part.fit.verdict in NO_FAULT)
        for part in parts
    )
    worst = min((fit for fit in fits if not fit.trained_on), key=lambda f: WORST_FIRST.index(f.verdict))
    problems = [f"fit {part.fit.index + 1}: {part.tested.problem}" for part in parts if part.tested.problem]
    problems += [f"{name} failed: {error}" for part in parts for name, error in part.crashed.items()]
    problems += [f"{e.body.get('where')}: {e.body.get('error')}" for e in run.events if e.kind == "fault"]
    problems += dict.fromkeys(str(e.body.get("text")) for e in run.events if e.kind == "note")
    trying = sum(part.trying for part in parts)
    counts = {s: sum(f.severity == s and f.explained_by is None for f in findings) for s in SEVERITIES}
    return Report(
        schema=SCHEMA,
        tool=Tool(name="unstuck", version=__version__),
        run=_run(run),
        summary=Summary(
            error=counts["error"],
            warning=counts["warning"],
            note=counts["note"],
            worst=next((s for s in SEVERITIES if counts[s]), None),
            verdict=worst.verdict,
            sentence=worst.sentence,
        ),
        fits=fits,
        findings=findings,
        rules=tuple(r for part in parts for r in part.results),
        experiments=trials,
        warnings=tuple(problems),
        interrupted=any(part.tested.interrupted for part in parts),
        timing={
            "record": _recorded_seconds(run),
            "diagnose": round(seconds - trying, 3),
            "experiments": round(trying, 3),
        },
        sources=_sources(run, findings, fits),
    )


def _rank(finding: Finding) -> tuple[bool, int]:
    """Causes before consequences, by severity; equals stay in the order that `link` gave them."""
    return finding.explained_by is not None, SEVERITIES.index(finding.severity)


def _numbered(finding: Finding, fit: int) -> Finding:
    """Its trials by the names they have in a report of several fits, where they were made for `fit`."""
    return msgspec.structs.replace(
        finding,
        experiments=tuple(f"f{fit}-{x}" for x in finding.experiments),
        cure=finding.cure and f"f{fit}-{finding.cure}",
    )


def _renamed(trial: Trial, fit: int, several: bool) -> Trial:  # noqa: FBT001
    return msgspec.structs.replace(trial, id=f"f{fit}-{trial.id}") if several else trial


def _run(run: RecordedRun) -> Run:
    meta, body = run.meta, run.fits[0].body
    versions: dict[str, Any] = body["environment"]["versions"]
    started = meta.get("started")
    script = str(meta.get("script", ""))
    cwd = str(meta.get("cwd", ""))
    shown = str(Path(script).relative_to(cwd)) if cwd and script and Path(script).is_relative_to(cwd) else script
    return Run(
        id=run.folder.name,
        folder=str(run.folder),
        command=tuple(meta.get("command", ())),
        script=shown,
        started=datetime.fromtimestamp(started).isoformat(timespec="seconds") if started else "",
        keras=str(versions.get("keras", "")),
        backend=body["backend"],
        python=str(body["environment"].get("python", "")),
        steps=sum(len(f.losses) for f in run.fits),
        seconds=_recorded_seconds(run),
        status=str(meta.get("status", "killed")),
    )


def _recorded_seconds(run: RecordedRun) -> float:
    return round(sum(float(f.end.get("seconds") or 0.0) for f in run.fits), 3)


def _sources(run: RecordedRun, findings: tuple[Finding, ...], fits: tuple[Fit, ...]) -> dict[str, tuple[str, ...]]:
    """The text of the files that findings point into, by the names the findings use."""
    cwd = Path(str(run.meta.get("cwd", "")))
    places = [p for f in findings for p in (f.location, *f.related, *(s.location for s in f.flow))]
    spots = [p for p in (*places, *(f.location for f in fits)) if p is not None]
    names = {p.file if p.cell is None else f"{p.file}:cell {p.cell}" for p in spots}
    names |= {e.file for f in findings if f.fix for e in f.fix.edits}
    found = {}
    for name in sorted(names):
        lines = run.sources.get(name) or run.sources.get(str(cwd / name))
        if lines:
            found[name] = lines
    return found


def _paths(run: RecordedRun) -> tuple[str, ...]:
    script = str(run.meta.get("script", ""))
    return (str(Path(script).parent),) if script else ()
