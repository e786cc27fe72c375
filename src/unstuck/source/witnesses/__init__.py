"""One witness a file, named as its rule with underscores. Each has `CODE` and `sightings(story)`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from unstuck.source.sighting import Sighting
from unstuck.source.story import Story


@dataclass(frozen=True)
class Witness:
    """A rule as far as the source alone can tell."""

    name: str
    code: str
    sightings: Callable[[Story], Iterable[Sighting]]


@lru_cache(maxsize=1)
def witnesses() -> tuple[Witness, ...]:
    """All witnesses, by code."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        found.append(Witness(module.name.replace("_", "-"), loaded.CODE, loaded.sightings))
    return tuple(sorted(found, key=lambda witness: witness.code))
