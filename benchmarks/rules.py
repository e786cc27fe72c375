"""Every rule on every example, its own and the others', and on the published programs: is the cause found first, is a
healthy program left alone?

The parent runs one process a backend and shard; each diagnoses its examples with open workers and keeps the answers:
`KERAS_BACKEND=jax python -m benchmarks.rules SHARD SHARDS`. A run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from tests.harness import Bench, written

from benchmarks import corpus
from benchmarks.confusion import NOTHING, confusion
from benchmarks.kept import place
from benchmarks.row import Row, row
from benchmarks.shards import side_by_side
from unstuck.finding import Report
from unstuck.rules import catalogue
from unstuck.rules.rule import Example, Rule
from unstuck.settings import Settings

BACKENDS = ("jax", "tensorflow", "torch")
KINDS = ("sick", "healthy")
SHARDS = 2
BUDGET = 40.0
OWN_PROCESS = ("preprocessing-before-split", "selection-before-split", "resampled-before-split")
"""Rules whose examples hand raw rows to scikit-learn, which this process hooks too late: `unstuck run` runs them."""


def quality() -> Iterator[Row]:
    for backend in BACKENDS:
        side_by_side("benchmarks.rules", ((backend, shard, SHARDS) for shard in range(SHARDS)))
    places = [(backend, _place(backend, rule, kind)) for backend in BACKENDS for rule, kind in _cases(backend)]
    answers = [json.loads(at.read_text()) | {"backend": backend} for backend, at in places if at.exists()]
    yield row("examples", [len(answers)], "examples", goal=len(places), note="that have an answer")
    for backend in BACKENDS:
        own = [a for a in answers if a["backend"] == backend]
        yield from _summary(backend, own)
        yield from confusion(backend, ((a["code"][:3] if a["kind"] == "sick" else NOTHING, a["named"]) for a in own))
    families = sorted({a["code"][:3] for a in answers})
    for family in families:
        yield from _summary(family, [a for a in answers if a["code"][:3] == family])
    for answer in answers:
        if not answer["right"]:
            name = f"{answer['backend']}: {answer['rule']} {answer['kind']}"
            yield row(f"miss {name}", [0], "found", note=", ".join(answer["roots"]) or answer["outcome"])
    yield from corpus.published()


def _summary(group: str, answers: list[dict[str, Any]]) -> Iterator[Row]:
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for answer in answers:
        by_kind[answer["kind"]].append(answer)
    sick, healthy = by_kind["sick"], by_kind["healthy"]
    if sick:
        first = [a["rule"] in a["roots"][:1] or a["echo"] for a in sick]
        third = [a["rule"] in a["roots"][:3] or a["echo"] for a in sick]
        yield row(f"{group}-sick-top-1", [sum(first) / len(sick)], "share", goal=0.95, note=f"of {len(sick)}")
        yield row(f"{group}-sick-top-3", [sum(third) / len(sick)], "share", note=f"of {len(sick)}")
    if healthy:
        alarms = sum(a["errors"] > 0 for a in healthy)
        yield row(
            f"{group}-healthy-with-errors", [alarms], "programs", goal=0, better="lower", note=f"of {len(healthy)}"
        )
    yield row(f"{group}-seconds", [a["seconds"] for a in answers] or [0.0], "s", better="lower")


def _cases(backend: str) -> list[tuple[type[Rule], str]]:
    return [(rule, kind) for rule in catalogue() for kind in KINDS if backend in getattr(rule, kind).backends]


def _place(backend: str, rule: type[Rule], kind: str) -> Path:
    return place("rules", f"{backend} {rule.name} {kind}")


def main(shard: int, shards: int) -> None:
    backend, bench = os.environ["KERAS_BACKEND"], Bench()
    with tempfile.TemporaryDirectory() as folder:
        for number, (rule, kind) in enumerate(_cases(backend)[shard::shards]):
            at = _place(backend, rule, kind)
            if at.exists():
                continue
            answer = _answer(bench, rule, kind, Path(folder) / str(number))
            at.write_text(json.dumps(answer))
            said = "right" if answer["right"] else f"wrong: {', '.join(answer['roots'])} {answer['outcome']}"
            print(f"{backend}: {rule.name} {kind}: {said}", flush=True)
    bench.workers.close()


def _answer(bench: Bench, rule: type[Rule], kind: str, folder: Path) -> dict[str, Any]:
    began = time.perf_counter()
    example: Example = getattr(rule, kind)
    if rule.name in OWN_PROCESS:
        report = _run(example, folder)
    else:
        report = bench.diagnose(example, folder, Settings(budget=BUDGET))
    found = [f for f in report.findings if f.outcome == "found" and f.confidence != "possible"]
    roots = [f for f in found if f.explained_by is None]
    errors = [f.rule for f in report.findings if f.severity == "error"]
    names = [f.rule for f in roots]
    told = names if kind == "sick" else errors
    codes = {one.name: one.code for one in catalogue()}
    echo = any(f.rule == rule.name and f.explained_by for f in report.findings)
    return {
        "rule": rule.name,
        "code": rule.code,
        "kind": kind,
        "named": next((codes[name][:3] for name in told), NOTHING),
        "roots": names,
        "echo": echo,
        "errors": len(errors),
        "right": rule.name in names[:1] or echo if kind == "sick" else not errors,
        "outcome": next((f"{r.outcome}: {r.reason}" for r in report.rules if r.rule == rule.name), ""),
        "seconds": time.perf_counter() - began,
    }


def _run(example: Example, folder: Path) -> Report:
    script, said = written(example, folder), folder / "report.json"
    options = ["--budget", str(BUDGET), "--format", "json", "--output", str(said)]
    subprocess.run([sys.executable, "-m", "unstuck", "run", *options, str(script)], cwd=folder, check=False)
    return msgspec.json.decode(said.read_bytes(), type=Report)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
