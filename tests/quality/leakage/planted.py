"""Planted leaks of every kind, and a clean twin of each: the same data, split and prepared honestly.

A case is what a script would hand to fit, with the variables that stand beside it. `expected` names the rules of which
one at least must suspect it; a clean twin expects none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SIZES = (200, 2_000, 20_000, 100_000)
COLUMNS = 10


@dataclass(frozen=True)
class Planted:
    """One planted case: training and held-out rows, and the variables of the script around them."""

    kind: str
    data: str
    x: np.ndarray = field(repr=False)
    y: np.ndarray = field(repr=False)
    held_x: np.ndarray = field(repr=False)
    held_y: np.ndarray = field(repr=False)
    expected: tuple[str, ...]
    variables: dict[str, Any] = field(default_factory=dict, repr=False)
    by_fit: bool = False
    """Whether `validation_split` cut the held-out rows off the end."""


Make = Callable[[int, np.random.Generator], Iterator[Planted]]
"""Yields a planted case and its clean twin."""


def world(rng: np.random.Generator) -> np.random.Generator:
    """What the seed alone decides, however far `rng` was advanced: the problem, of which the rows are drawn."""
    return np.random.default_rng(rng.bit_generator.seed_seq.generate_state(4))  # type: ignore[attr-defined]


def numeric(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Correlated columns on scales of their own, two classes."""
    fixed = world(rng)
    x = rng.normal(size=(rows, COLUMNS)) @ fixed.normal(size=(COLUMNS, COLUMNS))
    score = x @ fixed.normal(size=COLUMNS)
    y = score + rng.normal(size=rows) * score.std() > 0
    return x * fixed.uniform(0.1, 50, COLUMNS) + fixed.normal(size=COLUMNS) * 20, y.astype(int)


def categorical(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Twelve columns of eight categories each, one-hot."""
    codes = rng.integers(0, 8, (rows, 12))
    weights = world(rng).normal(size=(12, 8))
    y = (weights[np.arange(12), codes].sum(axis=1) + rng.normal(size=rows) > 0).astype(int)
    return np.eye(8)[codes].reshape(rows, -1), y


def words(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Counts of 300 words of Zipf frequencies, texts of about 60 words."""
    frequency = 1 / np.arange(1, 301)
    topic = np.exp(0.5 * world(rng).normal(size=(2, 300)))
    y = rng.integers(0, 2, rows)
    rates = frequency * topic
    rates = 60 * rates / rates.sum(axis=1, keepdims=True)
    return rng.poisson(rates[y]).astype(float), y


def images(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """12 x 12 grey images of two soft blobs, in steps of 1/255; the class is which one is brighter."""
    grid = np.arange(12)
    at = rng.uniform(2, 10, (rows, 2, 2))
    light = rng.uniform(0.3, 1, (rows, 2))
    x = np.zeros((rows, 12, 12))
    for blob in range(2):
        far = (grid[None, :, None] - at[:, blob, :1, None]) ** 2 + (grid[None, None, :] - at[:, blob, 1:, None]) ** 2
        x += light[:, blob, None, None] * np.exp(-far / 4)
    y = (light[:, 0] > light[:, 1]).astype(int)
    noisy = x + 0.02 * rng.normal(size=x.shape)
    return np.round(np.clip(noisy, 0, 1) * 255)[..., None] / 255, y


def series(rows: int, rng: np.random.Generator) -> np.ndarray:
    """A season and an autoregressive rest."""
    noise = rng.normal(size=rows)
    rest = np.zeros(rows)
    for t in range(1, rows):
        rest[t] = 0.8 * rest[t - 1] + noise[t]
    return np.sin(np.arange(rows) / 9) + rest


def split(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    order = rng.permutation(rows)
    return order[: rows * 3 // 4], order[rows * 3 // 4 :]


SOURCES = {"numeric": numeric, "categorical": categorical, "text": words, "image": images}


def overlap(data: str) -> Make:
    def make(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
        x, y = SOURCES[data](rows, rng)
        a, b = split(rows, rng)
        copied = b[: max(4, len(b) // 10)]
        both = np.concatenate([a, copied])
        yield Planted("exact copies", data, x[both], y[both], x[b], y[b], ("overlapping-rows",))
        yield Planted("exact copies", data, x[a], y[a], x[b], y[b], ())

    return make


def near_copies(data: str) -> Make:
    def make(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
        x, y = SOURCES[data](rows, rng)
        a, b = split(rows, rng)
        copied = b[: max(6, len(b) // 8)]
        copies = x[copied] + 0.01 * x.std(axis=0) * rng.normal(size=x[copied].shape)
        both_x, both_y = np.concatenate([x[a], copies]), np.concatenate([y[a], y[copied]])
        yield Planted("near copies", data, both_x, both_y, x[b], y[b], ("overlapping-rows", "resampled-before-split"))
        yield Planted("near copies", data, x[a], y[a], x[b], y[b], ())

    return make


def augmented(data: str) -> Make:
    """Every row twice, once with a little noise, before the split; the twin augments the training rows only."""

    def make(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
        x, y = SOURCES[data](rows // 2, rng)
        noisy = x + 0.01 * x.std(axis=0) * rng.normal(size=x.shape)
        whole_x, whole_y = np.concatenate([x, noisy]), np.concatenate([y, y])
        a, b = split(len(whole_x), rng)
        expected = ("resampled-before-split", "overlapping-rows")
        yield Planted("augmentation", data, whole_x[a], whole_y[a], whole_x[b], whole_y[b], expected)
        a, b = split(len(x), rng)
        both_x, both_y = np.concatenate([x[a], noisy[a]]), np.concatenate([y[a], y[a]])
        yield Planted("augmentation", data, both_x, both_y, x[b], y[b], ())

    return make


def flipped(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
    """Every image and its mirror image, before the split; the twin mirrors the training images only."""
    x, y = images(rows // 2, rng)
    whole_x, whole_y = np.concatenate([x, x[:, :, ::-1]]), np.concatenate([y, y])
    a, b = split(len(whole_x), rng)
    yield Planted("mirror images", "image", whole_x[a], whole_y[a], whole_x[b], whole_y[b], ("resampled-before-split",))
    a, b = split(len(x), rng)
    both_x, both_y = np.concatenate([x[a], x[a][:, :, ::-1]]), np.concatenate([y[a], y[a]])
    yield Planted("mirror images", "image", both_x, both_y, x[b], y[b], ())


def oversampled(data: str) -> Make:
    """Rows of the rare class repeated until both are as many; the twin repeats training rows only."""

    def make(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
        x, y = _rare(*SOURCES[data](rows, rng), rng)

        def more(own: np.ndarray) -> np.ndarray:
            rare = own[y[own] == 1]
            return np.concatenate([own, rng.choice(rare, (y[own] == 0).sum() - len(rare))])

        every = rng.permutation(more(np.arange(len(y))))
        a, b = every[: len(every) * 3 // 4], every[len(every) * 3 // 4 :]
        yield Planted("oversampling", data, x[a], y[a], x[b], y[b], ("resampled-before-split",))
        a, b = split(len(y), rng)
        a = more(a)
        yield Planted("oversampling", data, x[a], y[a], x[b], y[b], ())

    return make


def blended(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
    """SMOTE: new rows of the rare class between neighbours."""
    x, y = _rare(*numeric(rows, rng), rng)

    def more(own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rare = own[y[own] == 1]
        count = int((y[own] == 0).sum() - len(rare))
        made = smote(x[rare], count, rng)
        return np.concatenate([x[own], made]), np.concatenate([y[own], np.ones(count, int)])

    whole_x, whole_y = more(np.arange(len(y)))
    a, b = split(len(whole_y), rng)
    expected = ("resampled-before-split", "overlapping-rows")
    yield Planted("SMOTE", "numeric", whole_x[a], whole_y[a], whole_x[b], whole_y[b], expected)
    a, b = split(len(y), rng)
    both_x, both_y = more(a)
    yield Planted("SMOTE", "numeric", both_x, both_y, x[b], y[b], ())


def smote(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` new rows, each between a row and one of its five nearest (Chawla et al. 2002)."""
    from sklearn.neighbors import NearestNeighbors

    neighbours = min(5, len(rows) - 1)
    _, index = NearestNeighbors(n_neighbors=neighbours + 1).fit(rows).kneighbors(rows)
    of = rng.integers(0, len(rows), count)
    other = index[of, rng.integers(1, neighbours + 1, count)]
    return np.asarray(rows[of] + rng.random((count, 1)) * (rows[other] - rows[of]))


def _rare(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """About one row of class 1 in eight."""
    kept = np.sort(np.concatenate([np.flatnonzero(y == 0), rng.permutation(np.flatnonzero(y == 1))[: len(y) // 14]]))
    return x[kept], y[kept]


def grouped(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
    """Ten rows a patient, around the patient's own point; the twin splits by patient."""
    groups = max(20, rows // 10)
    patient = np.repeat(np.arange(groups), 10)
    x = rng.normal(size=(groups, COLUMNS))[patient] + 0.4 * rng.normal(size=(len(patient), COLUMNS))
    y = rng.integers(0, 2, groups)[patient]
    variables = {"table": x, "patient": patient, "label": y}
    a, b = split(len(y), rng)
    expected = ("group-overlap", "overlapping-rows", "resampled-before-split")
    yield Planted("group", "numeric", x[a], y[a], x[b], y[b], expected, variables)
    out = np.isin(patient, rng.permutation(groups)[: groups // 4])
    yield Planted("group", "numeric", x[~out], y[~out], x[out], y[out], (), variables)


def windowed(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
    """Windows of 16 steps and the step after; the twin is split in order with a gap."""
    values = series(rows + 17, rng)
    x, y = np.lib.stride_tricks.sliding_window_view(values, 16)[:rows], values[16 : 16 + rows]
    a, b = split(rows, rng)
    yield Planted("shuffled windows", "time", x[a], y[a], x[b], y[b], ("time-overlap",))
    cut = rows * 3 // 4
    yield Planted("shuffled windows", "time", x[: cut - 16], y[: cut - 16], x[cut:], y[cut:], ())


def drifting(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
    """Rows of a world that changes, with their dates, split at random; the twin is split by date."""
    date = np.datetime64("2020-01-01") + np.arange(rows).astype("timedelta64[h]")
    state = np.cumsum(rng.normal(size=(rows, 3)), axis=0) / np.sqrt(rows) * 5
    x = np.concatenate([state + 0.1 * rng.normal(size=(rows, 3)), rng.normal(size=(rows, 5))], axis=1)
    y = np.sin(2 * state[:, 0]) + state[:, 1] + 0.1 * rng.normal(size=rows)
    variables = {"table": x, "date": date}
    a, b = split(rows, rng)
    yield Planted("time", "time", x[a], y[a], x[b], y[b], ("time-overlap",), variables)
    cut = rows * 3 // 4
    yield Planted("time", "time", x[:cut], y[:cut], x[cut:], y[cut:], (), variables)


def looking_ahead(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
    """Windows that end with their target; the twin ends one step before."""
    values = series(rows + 17, rng)
    windows, cut = np.lib.stride_tricks.sliding_window_view(values, 16)[: rows + 1], rows * 3 // 4
    for shift, expected in ((0, ("look-ahead-window",)), (1, ())):
        x, y = windows[:rows], values[15 + shift : 15 + shift + rows]
        yield Planted("look-ahead", "time", x[: cut - 16], y[: cut - 16], x[cut:], y[cut:], expected)


def scaled(how: str) -> Make:
    def make(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
        x, y = numeric(rows, rng)
        a, b = split(rows, rng)
        for part, expected in ((np.arange(rows), ("preprocessing-before-split",)), (a, ())):
            prepared = _prepared(how, x, part).astype(np.float32)
            yield Planted(f"{how} before the split", "numeric", prepared[a], y[a], prepared[b], y[b], expected)

    return make


def _prepared(how: str, x: np.ndarray, part: np.ndarray) -> np.ndarray:
    own = x[part]
    if how == "scaling by hand":
        return np.asarray((x - own.mean(axis=0)) / own.std(axis=0))
    if how == "range":
        return np.asarray((x - own.min(axis=0)) / np.ptp(own, axis=0))
    if how == "scaling of some columns":
        x = x.copy()
        x[:, 3:6] = (x[:, 3:6] - own[:, 3:6].mean(axis=0)) / own[:, 3:6].std(axis=0)
        return x
    from sklearn.decomposition import PCA

    return np.asarray(PCA(6).fit(own).transform(x))


def target_copy(data: str) -> Make:
    def make(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
        x, y = SOURCES[data](rows, rng)
        a, b = split(rows, rng)
        wide = np.concatenate([x, 3 - 2 * y[:, None]], axis=1)
        yield Planted("target as a feature", data, wide[a], y[a], wide[b], y[b], ("target-in-features",))
        yield Planted("target as a feature", data, x[a], y[a], x[b], y[b], ())

    return make


def effect(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
    """A code for the outcome with 4 % errors; the twin has an honest strong cause in its place."""
    z = rng.normal(size=(rows, 6))
    y = (z.sum(axis=1) + 1.5 * rng.normal(size=rows) > 0).astype(int)
    code = np.where(rng.random(rows) < 0.04, 1 - y, y)
    a, b = split(rows, rng)
    x = np.column_stack([z, code])
    yield Planted("effect of the outcome", "numeric", x[a], y[a], x[b], y[b], ("proxy-feature", "target-in-features"))
    cause = rng.normal(size=rows)
    y = (4 * cause + z[:, 0] + 0.5 * rng.normal(size=rows) > 0).astype(int)
    x = np.column_stack([z, cause])
    yield Planted("effect of the outcome", "numeric", x[a], y[a], x[b], y[b], ())


def identity(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
    """Two columns whose difference is the target; in the twin one of them is noisy."""
    x = rng.normal(size=(rows, COLUMNS))
    a, b = split(rows, rng)
    for y, expected in (
        (x[:, 2] - x[:, 5], ("proxy-feature",)),
        (x[:, 2] - x[:, 5] + 0.3 * rng.normal(size=rows), ()),
    ):
        yield Planted("identity", "numeric", x[a], y[a], x[b], y[b], expected)


def sorted_rows(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
    x, y = numeric(rows, rng)
    y = y + (x[:, 0] > np.quantile(x[:, 0], 0.7))
    cut = rows * 3 // 4
    for order, expected in ((np.argsort(y, kind="stable"), ("ordered-validation-split",)), (rng.permutation(rows), ())):
        a, b = order[:cut], order[cut:]
        yield Planted("sorted labels", "numeric", x[a], y[a], x[b], y[b], expected, by_fit=True)


def same_rows(data: str) -> Make:
    def make(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
        x, y = SOURCES[data](rows, rng)
        a, b = split(rows, rng)
        yield Planted("validation is training", data, x[a], y[a], x[a], y[a], ("validation-is-training",))
        yield Planted("validation is training", data, x[a], y[a], x[b], y[b], ())

    return make


KINDS: tuple[Make, ...] = (
    *(overlap(data) for data in SOURCES),
    *(near_copies(data) for data in ("numeric", "image")),
    *(augmented(data) for data in ("numeric", "image")),
    flipped,
    *(oversampled(data) for data in ("numeric", "text", "image")),
    blended,
    grouped,
    windowed,
    drifting,
    looking_ahead,
    *(scaled(how) for how in ("scaling by hand", "range", "scaling of some columns", "components")),
    *(target_copy(data) for data in ("numeric", "categorical", "text")),
    effect,
    identity,
    sorted_rows,
    *(same_rows(data) for data in ("numeric", "image", "text")),
)


def clean(rows: int, rng: np.random.Generator) -> Iterator[Planted]:
    """Honest data that look suspicious: doubles natural to few values, easy classes, empty texts, a random walk."""
    a, b = split(rows, rng)
    few = rng.integers(0, 3, (rows, 5)).astype(float)
    y = (few.sum(axis=1) + rng.normal(size=rows) > 5).astype(int)
    yield Planted("few distinct rows", "categorical", few[a], y[a], few[b], y[b], ())
    easy = rng.normal(size=(rows, 4)) + 6 * (y := rng.integers(0, 3, rows))[:, None]
    yield Planted("easy classes", "numeric", easy[a], y[a], easy[b], y[b], ())
    texts, y = words(rows, rng)
    texts[rng.random(rows) < 0.1] = 0
    yield Planted("empty texts", "text", texts[a], y[a], texts[b], y[b], ())
    linear = rng.normal(size=(rows, 6))
    target = linear @ np.array([3.0, 0.3, 0, 0, 0, 0]) + 0.1 * rng.normal(size=rows)
    yield Planted("strong linear cause", "numeric", linear[a], target[a], linear[b], target[b], ())
    shop = rng.integers(0, 12, rows)
    x = rng.normal(size=(rows, 6))
    y = (x[:, 0] + 0.5 * rng.normal(size=12)[shop] > 0).astype(int)
    wide = np.concatenate([x, np.eye(12)[shop]], axis=1)
    yield Planted(
        "shops in the features", "categorical", wide[a], y[a], wide[b], y[b], (), {"table": wide, "shop": shop}
    )
    walk = np.cumsum(rng.normal(size=rows + 20))
    windows, cut = np.lib.stride_tricks.sliding_window_view(walk, 9)[:rows], rows * 3 // 4
    x, y = windows[:, :8], windows[:, 8]
    yield Planted("random walk in order", "time", x[: cut - 9], y[: cut - 9], x[cut:], y[cut:], ())
    clusters = rng.normal(size=(8, COLUMNS))[rng.integers(0, 8, rows)] * 5 + rng.normal(size=(rows, COLUMNS))
    y = (clusters[:, 0] > 0).astype(int)
    yield Planted("clusters", "numeric", clusters[a], y[a], clusters[b], y[b], ())
    yield Planted("standard normal columns", "numeric", linear[a], y[a], linear[b], y[b], ())
