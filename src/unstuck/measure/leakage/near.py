"""Held-out rows that nearly equal a training row: closer than a smooth cloud of points allows.

Around a point of a smooth cloud of local dimension m, neighbours lie as in a Poisson process: the nearest of k is
within r times the distance of the k-th with probability 1 - (1 - r**m)**(k - 1), and the j nearest all are with the
binomial probability of j or more among k - 1, each with r**m. A fixed distance or a fixed pixel threshold knows neither
the spread nor the dimension; this ratio does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from unstuck.measure.case import Case, Missing
from unstuck.measure.data import Data
from unstuck.measure.leakage.overlap import discrete
from unstuck.measure.leakage.trace import match
from unstuck.measure.quartiles import evened
from unstuck.measure.setup import Setup
from unstuck.record.fingerprint import row_hashes

NEIGHBOURS = 12
COPIES = 4
"""So many nearest rows are judged together: where each row was copied several times with noise, no single copy is as
near as `LUCK` asks, and all of them are."""
MAX_PAIRS = 6_000_000_000
"""Held-out times training rows that are searched: 10,000 x 60,000 take half a minute on two cores; beyond it,
held-out rows are drawn."""
PROJECTED = 64
"""Columns that neighbours are searched in: the leading principal components; the rest is looked at afterwards."""
LUCK = 1e-4
"""Chance for one row to be as near to another by luck in a smooth cloud. One in 100 held-out rows is needed for a
finding, a hundred times what luck gives."""
APART = 0.5
"""A near copy is at most half as far as the farthest of its neighbours in all columns too, not only in the leading
components."""
SIBLINGS = 0.3
"""Share of the training rows with a near copy among themselves from which copies were made on purpose."""
AS_FAR = 0.99
"""Share of the near copies that are no farther from their row than copies made on purpose are taken to be."""
FITTED_ROWS = 5_000
MAX_DIMENSION = 64.0
SEED = 41
Pairs = tuple[np.ndarray, np.ndarray]
"""Numbers of the rows on either side."""


@dataclass(frozen=True)
class Near:
    """Nearest training row of each held-out row.

    Attributes:
        index: of the nearest training row; near: whether it is nearer than luck allows (equal rows included).
        rows: which held-out rows were looked at; sampled: whether these are not all.
        dimension: local dimension of the cloud, the median over rows.
        nearest, distances: the `COPIES` nearest training rows and how far they are, (rows, COPIES).
    """

    index: np.ndarray = field(repr=False)
    near: np.ndarray = field(repr=False)
    rows: np.ndarray = field(repr=False)
    sampled: bool
    dimension: float
    nearest: np.ndarray = field(repr=False)
    distances: np.ndarray = field(repr=False)


def nearest(train: np.ndarray, held: np.ndarray | None = None, *, threads: int = 1) -> Near:
    """Search the nearest training row of each held-out row.

    Args:
        train, held: (n, d) and (m, d), finite, scaled alike; float32 is enough. Without `held` the nearest other
            training row of each training row.
        threads: for the search; more than there are free cores spin and slow it down.
    """
    from sklearn.neighbors import NearestNeighbors
    from threadpoolctl import threadpool_limits

    rng = np.random.default_rng(SEED)
    itself = held is None
    held = train if held is None else held
    rows = np.arange(len(held))
    limit = max(200, MAX_PAIRS // max(1, len(train)))
    sampled = len(rows) > limit
    if sampled:
        rows = np.sort(rng.choice(len(held), limit, replace=False))
    train, held = np.ascontiguousarray(train, np.float32), np.ascontiguousarray(held[rows], np.float32)
    count = min(NEIGHBOURS, len(train) - 1) + itself
    with threadpool_limits(threads):
        axes = _axes(train, rng)
        found = NearestNeighbors(n_neighbors=count, algorithm="brute").fit(train @ axes)
        distances, index = (a[:, int(itself) :] for a in found.kneighbors(held @ axes))
    near, dimension = _too_near(distances.astype(np.float64))
    whole = [np.linalg.norm(held - train[index[:, k]], axis=1) for k in (0, -1)]
    near &= whole[0] <= APART * whole[1]
    return Near(index[:, 0], near, rows, sampled, dimension, index[:, :COPIES], distances[:, :COPIES])


def _axes(train: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Leading principal axes, (d, `PROJECTED`), from some rows; all columns when there are few."""
    from sklearn.utils.extmath import randomized_svd

    width = train.shape[1]
    if width <= PROJECTED:
        return np.eye(width, dtype=np.float32)
    some = train[rng.permutation(len(train))[:FITTED_ROWS]]
    _, _, axes = randomized_svd(some - some.mean(axis=0), PROJECTED, n_iter=2, random_state=SEED)
    return np.ascontiguousarray(axes.T, np.float32)


def _too_near(distances: np.ndarray) -> tuple[np.ndarray, float]:
    """Which rows have neighbours nearer than `LUCK`, from their ascending distances (n, k)."""
    from scipy.stats import binom

    last = distances[:, -1]
    with np.errstate(divide="ignore", invalid="ignore"):
        # Levina and Bickel's estimate from the farther half: log(d_k / d_j) is (H_(k-1) - H_(j-1)) / m on average.
        count = distances.shape[1]
        half = np.arange(count // 2, count - 1)
        harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, count))])
        expected = (harmonic[count - 1] - harmonic[half]).sum()
        own = expected / np.log(last[:, None] / distances[:, half]).sum(axis=1)
        own = np.where(np.isfinite(own), own, np.nan)
        dimension = float(np.nanmedian(own)) if np.isfinite(own).any() else MAX_DIMENSION
        ratio = distances[:, : min(COPIES, count - 1)] / last[:, None]
    # The smaller of the row's own and the common dimension: the less it takes to be near by luck, the safer.
    power = np.minimum(np.clip(np.nan_to_num(own, nan=dimension), 1, MAX_DIMENSION), max(1.0, dimension))
    within = np.minimum(ratio, 1 - 1e-12) ** power[:, None]
    chance = binom.sf(np.arange(within.shape[1]), distances.shape[1] - 1, within).min(axis=1) * within.shape[1]
    return (last > 0) & (chance < LUCK), dimension


@dataclass(frozen=True)
class NearCopies:
    """Held-out rows that are near copies (or mirror images) of training rows, without the exactly equal ones.

    Attributes:
        near: how many, of `looked_at` held-out rows. sampled: whether the record or the search holds not all rows.
        siblings: share of the training rows that have a near copy among the training rows.
        groups: for each row of `Data.x`, then of `Data.held_x`, the number of its group of near or equal copies.
        dimension: local dimension of the rows.
    """

    near: int
    looked_at: int
    sampled: bool
    siblings: float
    groups: np.ndarray = field(repr=False, compare=False)
    dimension: float

    @classmethod
    def of(cls, case: Case) -> Self:
        data, setup = case.get(Data), case.find(Setup)
        if data.held_kind == "holdout":
            raise Missing("held-out rows", "hand validation_data to fit, or evaluate on other rows afterwards")
        if setup is not None and any(layer.kind == "Embedding" for layer in setup.layers):
            raise Missing("rows with distances (numbers of words have none)")
        if discrete(data):
            raise Missing("rows that differ in more than a few values")
        train, held = scaled(data.flat, data.held_flat, pixels=len(data.x) == 1 and data.x[0].ndim > 2)
        if len(train) < 50 or len(held) < 10:
            raise Missing("at least 50 training and 10 held-out rows")
        across, within = nearest(train, held), nearest(train)
        equal = _equal(train, held, across)
        if len(data.x) == 1 and data.x[0].ndim == 4:
            images, held_images = data.x[0], data.held_x[0]
            across = _with(across, mirrored(images, held_images[across.rows]))
            within = _with(within, mirrored(images, images[within.rows]))
        siblings = float(within.near.mean())
        links = _wide if siblings >= SIBLINGS else _close
        groups = _groups(len(train), len(held), links(across, across), links(within, across))
        return cls(
            near=int((across.near & ~equal).sum()),
            looked_at=len(across.rows),
            sampled=across.sampled or data.rows > len(data.y),
            siblings=siblings,
            groups=groups,
            dimension=across.dimension,
        )

    @property
    def share(self) -> float:
        return self.near / max(1, self.looked_at)

    @property
    def on_purpose(self) -> bool:
        """Whether so many training rows have a near copy that copies were made of all, and did not slip in."""
        return self.siblings >= SIBLINGS


def scaled(train: np.ndarray, held: np.ndarray, *, pixels: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Both parts on the scale of the training columns; images, flattened or not, keep the scale their pixels share."""
    train, held = np.nan_to_num(train, posinf=0, neginf=0), np.nan_to_num(held, posinf=0, neginf=0)
    train, held = evened(train, held)
    spread = train.std(axis=0)
    positive = spread[spread > 0]
    alike = len(positive) > 0 and positive.max() < 10 * np.median(positive) and (pixels or len(spread) > 100)
    scale = np.full(len(spread), np.median(positive)) if alike else np.where(spread > 0, spread, 1)
    mean = train.mean(axis=0)
    return ((train - mean) / scale).astype(np.float32), ((held - mean) / scale).astype(np.float32)


def mirrored(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each of `others`, (m, height, width, channels), the one of `images` that is its mirror image, or -1.

    Left and right, or top and bottom, exchanged. Images that are their own mirror image are left out.
    """
    table, own = row_hashes(images), row_hashes(others)
    found = np.full(len(others), -1)
    for axis in (2, 1):
        turned = row_hashes(np.flip(others, axis))
        at = match(turned, table)
        found = np.where((at >= 0) & (turned != own), at, found)
    return found


def _with(found: Near, mirror: np.ndarray) -> Near:
    """`found` with mirror images counted as near copies."""
    seen = mirror >= 0
    return replace(found, index=np.where(seen, mirror, found.index), near=found.near | seen)


def _equal(train: np.ndarray, held: np.ndarray, found: Near) -> np.ndarray:
    return np.asarray((train[found.index] == held[found.rows]).all(axis=1))


def _close(found: Near, _: Near) -> Pairs:
    """Pairs of a row and the row it is a near copy of."""
    return found.rows[found.near], found.index[found.near]


def _wide(found: Near, across: Near) -> Pairs:
    """Pairs that are no farther apart than near copies are: of copies made on purpose not all are near enough to tell.

    Measured on noisy copies of digits: 0.94 to 0.95 of the groups are complete, and none holds two originals.
    """
    far = np.quantile(across.distances[across.near, 0], AS_FAR) if across.near.any() else 0.0
    rows, places = np.nonzero(found.distances <= far)
    return found.rows[rows], found.nearest[rows, places]


def _groups(count: int, held: int, across: Pairs, within: Pairs) -> np.ndarray:
    """Connected components of the pairs of held-out and training rows, and of training rows among themselves."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    one, other = np.concatenate([count + across[0], within[0]]), np.concatenate([across[1], within[1]])
    pairs = coo_array((np.ones(len(one)), (one, other)), shape=(count + held, count + held))
    return np.asarray(connected_components(pairs, directed=False)[1])
