"""One shard of the programs of this process's backend: record, diagnose, keep the answer."""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import psutil
from tests.harness import Bench

from benchmarks.corpus import entries, place, shown
from benchmarks.corpus.again import stand_again
from benchmarks.corpus.limit import TrainsTooLong, at_most
from benchmarks.corpus.random_search import repairs
from unstuck.diagnosis import diagnose_folder
from unstuck.finding import Finding, Report
from unstuck.rules import catalogue
from unstuck.settings import Settings

BUDGET = 60.0
MIN_SECONDS = 5.0
"""Of random search at least, where our own answer took less."""
LONGEST = 120
"""Seconds a program may train on this machine; one that takes longer (an LSTM over 1,000 steps) is left out."""
EVERY = 3
"""One sick program in so many is also given to random search, which takes as long as our own answer."""


def main(shard: int, shards: int, *, only: str = "") -> None:
    bench = Bench()
    own = [entry for entry in entries() if entry["backend"] == os.environ.get("KERAS_BACKEND", "jax")]
    own.sort(key=lambda entry: place(entry).name)  # a run that is stopped has answered a fair sample
    for number, entry in enumerate(own[shard::shards]):
        if place(entry).exists() or not re.search(only, shown(entry)):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                answer = _answer(bench, entry, Path(folder) / str(number))
            except (Exception, TrainsTooLong):
                traceback.print_exc()
                print(f"{shown(entry)}: no answer", flush=True)
                continue
        place(entry).write_text(json.dumps(answer))
        print(f"{shown(entry)}: {answer['verdict']}: {', '.join(answer['roots'])}", flush=True)
    bench.workers.close()


def _answer(bench: Bench, entry: dict[str, Any], folder: Path) -> dict[str, Any]:
    script = folder / "train.py"
    folder.mkdir(parents=True)
    script.write_text(entry["script"])
    with at_most(LONGEST):
        bench.record(script, folder)
    began = time.perf_counter()
    report = diagnose_folder(folder, Settings(budget=BUDGET), workers=bench.workers)
    seconds = time.perf_counter() - began
    plain = diagnose_folder(folder, Settings(experiments="off"), workers=bench.workers)
    causes = _roots(report)
    cured = [t for f in causes for t in report.experiments if t.id == f.cure]
    first = next(iter((*causes, *_told_as_notes(report))), None)
    places = [p for p in (first.location, *first.related) if p is not None] if first else []
    drawn = entry["kind"] != "healthy" and int(place(entry).stem, 16) % EVERY == 0
    lucky = repairs(folder, bench.workers, max(MIN_SECONDS, seconds), seed=len(folder.name)) if drawn else None
    return {
        **told(report),
        "lines": sorted({line for p in places for line in range(p.line, (p.end_line or p.line) + 1)}),
        "verified": any(t.outcome == "confirmed" for t in cured) if causes else None,
        "repaired_at_random": lucky,
        "again": stand_again(report, folder, bench.workers, budget=BUDGET),
        "keras_warnings": _warned(report),
        "without_experiments": [f.rule for f in plain.findings if f.severity == "error"],
        "seconds": seconds,
        "mebibytes": _peak(),
    }


def told(report: Report) -> dict[str, Any]:
    """What a report says, as far as it is right or wrong."""
    roots = _roots(report)
    return {
        "verdict": report.summary.verdict,
        "roots": [f.rule for f in roots],
        "notes": [f.rule for f in _told_as_notes(report)],
        "errors": [f.rule for f in roots if f.severity == "error"],
        "said": {f.rule: f.confidence for f in roots},
    }


def _roots(report: Report) -> list[Finding]:
    """What is shown as a cause: the less than likely is left out, as in the report."""
    found = [f for f in report.findings if f.outcome == "found" and f.confidence != "possible"]
    return [f for f in found if f.explained_by is None and f.severity != "note"]


def _told_as_notes(report: Report) -> list[Finding]:
    """Labels without signal, leaks that cost nothing, and faults that do no harm here."""
    faults = {rule.name for rule in catalogue() if rule.severity == "error"}
    notes = [f for f in report.findings if f.explained_by is None and f.outcome == "found" and f.severity == "note"]
    return [f for f in notes if f.rule == "no-signal" or f.code.startswith("LEK") or f.rule in faults]


def _peak() -> float:
    """Peak resident memory of this process and those it started, MiB; workers stay open, so it only grows."""
    own = psutil.Process()
    return sum(p.memory_info().rss for p in (own, *own.children(recursive=True))) / 2**20


def _warned(report: Report) -> list[str]:
    return [e.text for f in report.findings for e in f.evidence if "Keras warned" in e.text]


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), only=sys.argv[3] if len(sys.argv) > 3 else "")
