"""Leaks: how fast copies are found, and how often planted ones are found, cleared and priced rightly.

`bench` sets exact overlap beside one blake2b pass over the same bytes, and near copies and overlap beside peers.
Peers run in an environment of their own each, made the first time (`peers.py`); one that does not install or
run is a row that says so.
"""

from __future__ import annotations

import hashlib
import json
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks import notebooks, peers
from benchmarks.row import Row, row
from unstuck.measure.leakage.near import nearest
from unstuck.measure.leakage.overlap import counted
from unstuck.record.fingerprint import row_hashes

REPEATS = 5
TABLE, IMAGES = (1_000_000, 50), (60_000, 784)
PEER_TABLE, PEER_IMAGES = (20_000, 50), (5_000, 784)
COPIES = 1_000
SIZES = (200, 2_000, 20_000, 100_000)
LARGE, EVERY = 20_000, 3
"""From this size on every third kind is drawn, each size another third, so that all of it takes minutes."""

PEERS = {
    "deepchecks": """
import numpy as np, pandas as pd, time, sys, json
from deepchecks.tabular import Dataset
from deepchecks.tabular.checks import TrainTestSamplesMix
x = np.load(sys.argv[1])
cut = len(x) * 4 // 5
frames = [pd.DataFrame(part) for part in (x[:cut], x[cut:])]
for frame in frames:
    frame.columns = [str(c) for c in frame.columns]
sets = [Dataset(frame, cat_features=[]) for frame in frames]
began = time.perf_counter()
found = TrainTestSamplesMix().run(*sets)
print(json.dumps([time.perf_counter() - began, float(found.value["ratio"]) * (len(x) - cut)]))
""",
    "cleanlab": """
import numpy as np, time, sys, json
from cleanlab import Datalab
x = np.load(sys.argv[1])
lab = Datalab({"y": (np.arange(len(x)) % 2).tolist()}, label_name="y", verbosity=0)
began = time.perf_counter()
lab.find_issues(features=x, issue_types={"near_duplicate": {}})
cut = len(x) * 4 // 5
found = lab.get_issues("near_duplicate")["is_near_duplicate_issue"].to_numpy()[cut:].sum()
print(json.dumps([time.perf_counter() - began, float(found)]))
""",
}


def bench() -> Iterator[Row]:
    rng = np.random.default_rng(0)
    for name, shape in (("table", TABLE), ("images", IMAGES)):
        rows = _table(shape, rng)
        yield from _beside_one_pass(name, rows)
    yield _growth(rng)
    yield from _near(rng)
    yield from _beside_peers(rng)


def _table(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Rows of which the last `COPIES` repeat the first ones; images of a few hundred dimensions."""
    if shape[1] > 100:
        weights = rng.normal(size=(shape[0], 200)).astype(np.float32) / np.sqrt(np.arange(1, 201, dtype=np.float32))
        rows = weights @ rng.normal(size=(200, shape[1])).astype(np.float32)
    else:
        rows = rng.normal(size=shape).astype(np.float32)
    rows[-COPIES:] = rows[:COPIES]
    return rows


def _overlap(rows: np.ndarray) -> int:
    cut = len(rows) * 4 // 5
    return counted(row_hashes(rows[:cut]), row_hashes(rows[cut:]))[0]


def _beside_one_pass(name: str, rows: np.ndarray) -> Iterator[Row]:
    ours, one_pass = [], []
    for _ in range(REPEATS):
        ours.append(_seconds(lambda: _overlap(rows)))
        one_pass.append(_seconds(lambda: hashlib.blake2b(rows.data).digest()))
    size = f"{rows.shape[0]:,} x {rows.shape[1]}"
    ratios = [a / b for a, b in zip(ours, one_pass, strict=True)]
    yield row(f"exact overlap, {name} {size}", ours, "s", better="lower")
    yield row(f"one blake2b pass, {name} {size}", one_pass, "s", better="lower")
    yield row(f"exact overlap over one pass, {name}", ratios, "x", goal=2.0, better="lower")
    yield row(f"exact copies found, {name}", [_overlap(rows) / COPIES], "share", goal=1.0)
    tracemalloc.start()
    _overlap(rows)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    yield row(f"memory beyond the rows ({rows.nbytes >> 20} MB), {name}", [peak], "MB", goal=64.0, better="lower")


def _growth(rng: np.random.Generator) -> Row:
    """Time of all rows over four times that of a quarter of them; 1 is linear."""
    rows = _table(TABLE, rng)
    quarter = rows[::4].copy()
    ratios = []
    for _ in range(REPEATS):
        ratios.append(_seconds(lambda: _overlap(rows)) / (4 * _seconds(lambda: _overlap(quarter))))
    return row("growth of exact overlap with rows", ratios, "x", goal=1.2, better="lower")


def _near(rng: np.random.Generator) -> Iterator[Row]:
    rows = _table((70_000 + COPIES, IMAGES[1]), rng)  # the last ones are copies, and left out
    train, held = rows[:60_000], rows[60_000:70_000].copy()
    held[:COPIES] = train[:COPIES] + 0.02 * train.std() * rng.normal(size=train[:COPIES].shape).astype(np.float32)
    seconds = [_seconds(lambda: nearest(train, held, threads=2)) for _ in range(3)]
    found = nearest(train, held, threads=2)
    yield row("near copies, 10,000 against 60,000 x 784, two threads", seconds, "s", goal=60.0, better="lower")
    yield row("near copies found", [float(found.near[:COPIES].mean())], "share", goal=1.0)
    yield row("other rows called near copies", [float(found.near[COPIES:].mean())], "share", goal=1e-3, better="lower")


def _beside_peers(rng: np.random.Generator) -> Iterator[Row]:
    import tempfile

    table, pictures = _table(PEER_TABLE, rng), _table((PEER_IMAGES[0] + COPIES, PEER_IMAGES[1]), rng)[: PEER_IMAGES[0]]
    cut = len(pictures) * 4 // 5
    noise = 0.01 * pictures.std() * rng.normal(size=(100, pictures.shape[1])).astype(np.float32)
    pictures[cut : cut + 100] = pictures[:100] + noise
    trials: tuple[tuple[str, np.ndarray, Callable[[], object]], ...] = (
        ("deepchecks", table, lambda: _overlap(table)),
        ("cleanlab", pictures, lambda: nearest(pictures[:cut], pictures[cut:])),
    )
    with tempfile.TemporaryDirectory() as folder:
        for peer, rows, own in trials:
            path = f"{folder}/{peer}.npy"
            np.save(path, rows)
            size = f"{rows.shape[0]:,} x {rows.shape[1]}"
            try:
                answers = [_ask(peer, path) for _ in range(3)]
            except peers.Unavailable as error:
                yield row(f"{peer}, {size}", [float("nan")], "s", better="lower", note=str(error))
                continue
            ratios = [seconds / _seconds(own) for seconds, _ in answers]
            yield row(f"{peer}, {size}", [seconds for seconds, _ in answers], "s", better="lower")
            yield row(f"rows {peer} found", [count for _, count in answers], "rows")
            yield row(f"{peer} over unstuck, {size}", ratios, "x", goal=1.0)


def _ask(peer: str, path: str) -> tuple[float, float]:
    """Seconds that the peer took, and rows it found."""
    said = peers.said([peers.python(peer), "-c", PEERS[peer], path])
    seconds, found = json.loads(said.strip().splitlines()[-1])
    return seconds, found


def _seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def quality() -> Iterator[Row]:
    yield from notebooks.quality()
    yield from _witnesses()
    yield from _false_alarms()
    from benchmarks.leak_prices import prices

    yield from prices()


def _witnesses() -> Iterator[Row]:
    """Every planted kind over data and sizes: found by a rule that should, and what is said of the clean twins."""
    from tests.quality.leakage.planted import KINDS, clean
    from tests.quality.leakage.witness import suspected

    found: dict[str, list[bool]] = defaultdict(list)
    right, wrong = defaultdict(int), defaultdict(int)
    accused: list[bool] = []
    for turn, size in enumerate(SIZES):
        for number, make in enumerate((*KINDS, clean)):
            if size >= LARGE and number % EVERY != turn % EVERY:
                continue
            for planted in make(size, np.random.default_rng([number, size])):
                said = set(suspected(planted))
                if planted.expected:
                    found[planted.kind].append(bool(said & set(planted.expected)))
                    for name in said & set(planted.expected):
                        right[name] += 1
                else:
                    accused.append(bool(said))
                    for name in said:
                        wrong[name] += 1
    for kind, hits in found.items():
        yield row(f"recall, {kind}", [float(np.mean(hits))], "share", goal=1.0) | {"n": len(hits)}
    every = [hit for hits in found.values() for hit in hits]
    yield row("planted leaks found by a witness", [float(np.mean(every))], "share", goal=1.0) | {"n": len(every)}
    for name in sorted({*right, *wrong}):
        told = right[name] + wrong[name]
        yield row(f"precision, {name}", [right[name] / told], "share", goal=1.0) | {"n": told}
    yield row("clean twins suspected", [float(np.mean(accused))], "share", goal=0.0, better="lower") | {
        "n": len(accused)
    }


def _false_alarms() -> Iterator[Row]:
    """The data witnesses without training on random clean tables: near copies and traces of scaling."""
    from unstuck.measure.leakage.near import scaled
    from unstuck.measure.leakage.union_fit import UnionFit

    traces, near, pairs = 0, 0, 0
    tables = 300
    for seed in range(tables):
        rng = np.random.default_rng([7, seed])
        rows, columns = int(10 ** rng.uniform(2, 4)), int(rng.integers(2, 40))
        x = rng.standard_t(5, size=(rows, columns)) @ rng.normal(size=(columns, columns))
        cut = rows * 3 // 4
        train, held = x[:cut], x[cut:]
        mean, spread = train.mean(axis=0), train.std(axis=0)
        honest = (((train - mean) / spread).astype(np.float32), ((held - mean) / spread).astype(np.float32))
        traces += sum(bool(UnionFit.measure(*map(np.float64, pair)).kind) for pair in ((train, held), honest))
        if seed % 5 == 0:
            found = nearest(*scaled(train, held))
            near, pairs = near + int(found.near.sum()), pairs + len(found.near)
    yield row(
        "false traces of scaling, clean and raw tables", [traces / (2 * tables)], "share", goal=0.0, better="lower"
    ) | {"n": 2 * tables}
    yield row("false near copies, rows of clean tables", [near / pairs], "share", goal=1e-3, better="lower") | {
        "n": pairs
    }
