"""Every rule on every example, its own and the others': is the cause found first, is a healthy program left alone?

The parent runs one process a backend and shard; each diagnoses its examples with open workers and prints a line of JSON
for each: `python -m benchmarks.rules SHARD SHARDS`.
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

from benchmarks.confusion import NOTHING, confusion
from benchmarks.row import Row, row

BACKENDS = ("jax", "tensorflow", "torch")
SHARDS = 2
BUDGET = 40.0
OWN_PROCESS = ("preprocessing-before-split", "selection-before-split", "resampled-before-split")
"""Rules whose examples hand raw rows to scikit-learn: they are recorded in a process of their own."""


def quality() -> Iterator[Row]:
    answers: list[dict[str, Any]] = []
    for backend in BACKENDS:
        shards = [_start(backend, shard) for shard in range(SHARDS)]
        for shard in shards:
            lines = shard.communicate()[0].splitlines()
            answers += [json.loads(line) | {"backend": backend} for line in lines if line.startswith("{")]
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


def _start(backend: str, shard: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.rules", str(shard), str(SHARDS)],
        env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _answers(shard: int, shards: int) -> Iterator[dict[str, Any]]:
    from tests.harness import Bench

    from unstuck.rules import catalogue
    from unstuck.settings import Settings

    backend, bench = os.environ["KERAS_BACKEND"], Bench()
    codes = {rule.name: rule.code for rule in catalogue()}
    cases = [(rule, kind) for rule in catalogue() for kind in ("sick", "healthy") if rule.name not in OWN_PROCESS]
    with tempfile.TemporaryDirectory() as folder:
        for number, (rule, kind) in enumerate(cases[shard::shards]):
            example = getattr(rule, kind)
            if backend not in example.backends:
                continue
            began = time.perf_counter()
            report = bench.diagnose(example, Path(folder) / str(number), Settings(budget=BUDGET))
            roots = [f.rule for f in report.findings if f.explained_by is None and f.outcome == "found"]
            errors = [f.rule for f in report.findings if f.severity == "error"]
            told = roots if kind == "sick" else errors
            echo = any(f.rule == rule.name and f.explained_by for f in report.findings)
            sick = kind == "sick"
            yield {
                "rule": rule.name,
                "code": rule.code,
                "kind": kind,
                "named": next((codes[name][:3] for name in told), NOTHING),
                "roots": roots,
                "echo": echo,
                "errors": len(errors),
                "right": rule.name in roots[:1] or echo if sick else not errors,
                "outcome": next((f"{r.outcome}: {r.reason}" for r in report.rules if r.rule == rule.name), ""),
                "seconds": time.perf_counter() - began,
            }
    bench.workers.close()


if __name__ == "__main__":
    for found in _answers(int(sys.argv[1]), int(sys.argv[2])):
        print(json.dumps(found), flush=True)
