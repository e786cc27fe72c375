"""What is left of a run whose process is killed at a random moment: the folder opens and holds what was flushed."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.row import Row, row
from unstuck.record.recorded import read_run
from unstuck.record.store import Reader

KILLS = 100
SEED = 11
LONGEST_SECONDS = 2.0
WRITER = """
import sys
from pathlib import Path
import numpy as np
from unstuck.record.store import Writer

writer = Writer(Path(sys.argv[1]))
said = open(sys.argv[1] + "/../said", "wb", buffering=0)
writer.event("fit", {"model_id": 1, "model": {}}, fit=0)
writer.arrays("fit-0-data", {"train-x0": np.ones((1000, 20))})
step = 0
while True:
    for _ in range(37):
        step += 1
        writer.steps(0, 0, [(step, 1 / step)])
    if step % 5 == 0:
        writer.arrays(f"fit-0-weights-{step:09d}", {f"v{i}": np.full(500, float(step)) for i in range(20)})
    writer.event("epoch", {"epoch": step, "step": step, "logs": {}}, fit=0)
    writer.commit()
    said.write(b"%d\\n" % step)
"""


def quality() -> Iterator[Row]:
    """A process that writes as the recorder does, only faster, is killed; it says on the side what it has flushed."""
    moments = random.Random(SEED)
    opened, kept, whole, lost = [], [], [], []
    for _ in range(KILLS):
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "run"
            folder.mkdir()
            child = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)])
            while not (Path(place) / "said").exists():
                time.sleep(0.01)
            time.sleep(moments.uniform(0, LONGEST_SECONDS))
            child.kill()
            child.wait()
            flushed = [int(n) for n in re.findall(rb"(\d+)\n", (Path(place) / "said").read_bytes())]
            steps, readable = _read(folder)
            opened.append(steps is not None)
            missing = max(flushed, default=0) - len(steps if steps is not None else ())
            lost.append(float(max(0, missing)))
            kept.append(missing <= 0)
            whole.append(readable)
    yield row("folders-that-open", [100.0 * sum(opened) / KILLS], "%", goal=100, note=f"{KILLS} kills")
    yield row("folders-with-all-flushed-steps", [100.0 * sum(kept) / KILLS], "%", goal=100)
    yield row("folders-whose-arrays-are-whole", [100.0 * sum(whole) / KILLS], "%", goal=100)
    yield row("flushed-steps-lost", [max(lost)], "steps", goal=0, better="lower")


def _read(folder: Path) -> tuple[np.ndarray | None, bool]:
    try:
        run = read_run(folder)
        steps = run.fits[0].losses if run.fits else np.zeros((0, 3))
        reader = Reader(folder)
        arrays = [reader.arrays(name) for name in reader.names("fit-0-")]
        reader.close()
    except Exception:
        return None, False
    return steps, all(len(group) in (1, 20) for group in arrays)
