"""Recorded runs judged again, on another commit and on the working tree: what changed in verdict, roots and confidence.

    python -m benchmarks.replay [REF] [BUDGET]    judge and compare; REF is main by default
    python -m benchmarks.replay --record          make the recordings anew

The recordings, in `benchmarks/recorded`, are runs of the corpus without code of their own, so that they open on any
machine. Trials are off unless a BUDGET of seconds is given: without them an answer depends on the code alone, and what
differs is what the change did; with them it depends on how many trials a loaded machine finishes too.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.kept import HOME

RECORDED = Path(__file__).parent / "recorded"
RUNS = (
    "deepmufl:34673164",
    "deepmufl:44758894",
    "deeplocalize:51930566",
    "rate too low, two-classes, strong",
    "rate too high, two-classes, medium",
    "zero kernels, three-classes, strong",
    "frozen, two-classes, strong",
    "dropout, two-classes, strong",
    "inputs unscaled, three-classes, medium",
    "targets unscaled, regression, medium",
    "labels shuffled, two-classes, strong",
    "NaN in inputs, two-classes, strong",
    "target among the features, regression, strong",
    "validation is training, two-classes, strong",
    "mlp relu",
    "three one-hot",
    "regression mse",
    "sequence gru",
    "imbalanced",
    "loss near zero on a solved task",
)
"""Programs of the corpus: small, of many families, sick and healthy."""

Answer = dict[str, Any]


def archive(name: str) -> Path:
    return RECORDED / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}.tar.xz"


def main(ref: str, budget: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        base.mkdir()
        text = subprocess.run(["git", "archive", ref, "src"], cwd=HOME, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", str(base)], input=text, check=True)
        both = [_start(src, budget) for src in (base / "src", HOME / "src")]
        before, after = ([json.loads(line) for line in process.communicate()[0].splitlines()] for process in both)
    if any(process.returncode for process in both):
        sys.exit(f"judging ended early, on {ref} after {len(before)} runs, on the working tree after {len(after)}")
    changed = list(changes(before, after))
    table = Table("run", f"on {ref}", "on the working tree", title="What changed")
    for row in changed:
        table.add_row(*row)
    if changed:
        Console().print(table)
    Console().print(
        f"{len(after) - len(changed)} of {len(after)} recorded runs are judged as on {ref}.", highlight=False
    )


def changes(before: list[Answer], after: list[Answer]) -> Iterator[tuple[str, str, str]]:
    """Name, what was said before, what is said now, for each run where they differ."""
    known = {answer["run"]: answer for answer in before}
    for answer in after:
        old, new = _words(known.get(answer["run"], {})), _words(answer)
        if old != new:
            yield answer["run"], old, new


def _words(answer: Answer) -> str:
    roots = [f"{rule} ({confidence} {severity})" for rule, confidence, severity in answer.get("roots", [])]
    return ": ".join(part for part in (answer.get("verdict", "not judged"), ", ".join(roots)) if part)


def _start(source: Path, budget: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.replay", "--judge", str(source), str(budget)],
        env={**os.environ, "PYTHONPATH": str(source), "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"},
        cwd=HOME,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def judged(budget: float, names: tuple[str, ...] = RUNS) -> Iterator[Answer]:
    """Each recorded run with the verdict and the roots that this process's `unstuck` finds."""
    from unstuck.diagnosis import Workers, diagnose_folder
    from unstuck.settings import Settings

    settings = Settings(budget=budget) if budget else Settings(experiments="off")
    workers = Workers(())
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            with tarfile.open(archive(name)) as packed:
                packed.extractall(Path(folder) / archive(name).stem, filter="data")
            try:
                report = diagnose_folder(Path(folder) / archive(name).stem, settings, workers=workers)
            except Exception as error:
                yield {"run": name, "verdict": f"crashed: {type(error).__name__}: {error}"}
                continue
            roots = [f for f in report.findings if f.explained_by is None and f.outcome == "found"]
            said = [[f.rule, f.confidence, f.severity] for f in roots]
            yield {"run": name, "verdict": report.summary.verdict, "roots": said}
    workers.close()


def record() -> None:
    """Run those programs under the recorder that are not recorded as they are now, and pack their folders."""
    from tests.harness import Bench

    from benchmarks.corpus import entries

    RECORDED.mkdir(exist_ok=True)
    bench, scripts = Bench(), {entry["id"]: entry["script"] for entry in entries()}
    for name in RUNS:
        if archive(name).exists() and recorded_script(name) == scripts[name]:
            continue
        with tempfile.TemporaryDirectory(prefix="unstuck-replay-") as folder:
            script = Path(folder) / "train.py"
            script.write_text(scripts[name])
            bench.record(script, Path(folder))
            _pack(Path(folder), archive(name))
    bench.workers.close()


def recorded_script(name: str) -> str:
    with tarfile.open(archive(name)) as packed:
        script = packed.extractfile("train.py")
        return script.read().decode() if script else ""


def _pack(folder: Path, target: Path) -> None:
    """One archive of the folder, its database whole in one file: the recorder's own is still open."""
    whole = folder / "whole.sqlite"
    with closing(sqlite3.connect(folder / "run.sqlite")) as file:
        file.execute("VACUUM INTO ?", (str(whole),))
    with tarfile.open(target, "w:xz") as packed:
        packed.add(whole, "run.sqlite", filter=_anonymous)
        for path in sorted(path for path in folder.iterdir() if ".sqlite" not in path.name):
            packed.add(path, path.name, filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    return entry.replace(uid=0, gid=0, uname="", gname="", mode=0o644, deep=False)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--record"]:
            record()
        case ["--judge", source, seconds]:
            import unstuck

            if not Path(unstuck.__file__).is_relative_to(source):
                sys.exit(f"{unstuck.__file__} is not below {source}")
            for answer in judged(float(seconds)):
                print(json.dumps(answer), flush=True)
        case [*rest]:
            main(rest[0] if rest else "main", float(rest[1]) if len(rest) > 1 else 0.0)
