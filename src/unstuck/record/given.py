"""Which of the weights that training began with no initialiser drew: loaded, set by hand, or left by a fit before.

Fresh weights of the same model are what the recorded ones are compared with: two samples of one distribution if an
initialiser drew both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

LUCK = 1e-6
"""Chance at which two draws of one initialiser are taken for different; a large model has hundreds of variables."""
MOST_VALUES = 50_000
"""Values of a variable that are compared: more would only tell apart what hardly differs."""


def keys(variables: Sequence[Any]) -> list[str]:
    """A name for each variable that the same model has again when it is rebuilt: its path, numbered if not unique."""
    seen: Counter[str] = Counter()
    found = []
    for variable in variables:
        seen[variable.path] += 1
        found.append(variable.path if seen[variable.path] == 1 else f"{variable.path}:{seen[variable.path]}")
    return found


def given(names: Sequence[str], drawn: Sequence[np.ndarray], recorded: Sequence[np.ndarray]) -> list[str]:
    """The variables, by their key, of all layers one of whose variables cannot have come from its initialiser.

    Args:
        names: keys of the variables.
        drawn: what fresh initialisers gave. recorded: what training began with. Arrays of the same shapes.
    """
    found = {
        _layer(name)
        for name, fresh, first in zip(names, drawn, recorded, strict=True)
        if first.dtype.kind == "f" and not _alike(fresh, first)
    }
    return [n for n, first in zip(names, recorded, strict=True) if _layer(n) in found and first.dtype.kind == "f"]


def _layer(key: str) -> str:
    return key.rpartition("/")[0] or key


def _alike(fresh: np.ndarray, first: np.ndarray) -> bool:
    """Whether both may be draws of one distribution, by the two-sample Kolmogorov-Smirnov test."""
    one, other = (a.reshape(-1).astype(np.float64) for a in (fresh, first))
    if np.array_equal(one, other):
        return True
    if not len(one) or _fixed(one) or not np.isfinite(other).all():
        return False
    step = -(-len(one) // MOST_VALUES)
    one, other = np.sort(one[::step]), np.sort(other[::step])
    both = np.concatenate([one, other])
    apart = np.abs(np.searchsorted(one, both, "right") - np.searchsorted(other, both, "right")).max() / len(one)
    return bool(apart <= np.sqrt(-np.log(LUCK / 2) / len(one)))


def _fixed(fresh: np.ndarray) -> bool:
    """Whether the initialiser draws nothing: zeros, ones, the forget gates of a bias, an identity matrix."""
    return len(np.unique(fresh)) <= len(fresh) / 2 or bool(np.isin(fresh, (0, 1)).all())
