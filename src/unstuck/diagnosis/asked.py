"""Which rules are asked, and by which thresholds: the person's settings applied to the catalogue."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from unstuck.rules import Rule, catalogue
from unstuck.settings import Settings, closest, unknown_key

GROUPS = ("default", "strict", "preview")
"""Names for sets of rules; all rules are in every one as long as none has been found wanting."""


def chosen(settings: Settings, start: Path) -> tuple[type[Rule], ...]:
    """The rules that the settings select, by name, code, family prefix or group.

    Args:
        start: where the file of settings was looked for, to name it when a name is not known.

    Raises:
        UnstuckError: E009 for a name that is none of these.
    """
    known = catalogue()
    names = [n for rule in known for n in (rule.name, rule.code)] + [*{rule.code[:3] for rule in known}, *GROUPS]
    for name in (
        *settings.only,
        *settings.select,
        *settings.ignore,
        *(n for ns in settings.per_file.values() for n in ns),
    ):
        if name not in names:
            raise unknown_key(name, names, closest(start)[0], what="rule")
    wanted = settings.only or settings.select
    return tuple(r for r in known if _named(r, wanted) and not _named(r, settings.ignore))


def _named(rule: type[Rule], names: Iterable[str]) -> bool:
    return any(name in (rule.name, rule.code, rule.code[:3], *GROUPS) for name in names)


def thresholds_of(rule: type[Rule]) -> dict[str, float]:
    """The numbers a rule judges by: the named constants of its module, under their names in kebab-case."""
    module = vars(sys.modules[rule.__module__])
    return {
        name.lower().replace("_", "-"): value
        for name, value in module.items()
        if name.isupper() and isinstance(value, (int, float)) and not isinstance(value, bool)
    }


@contextmanager
def in_force(thresholds: Mapping[str, Mapping[str, float]], start: Path) -> Iterator[None]:
    """Judge by these thresholds inside the block.

    Raises:
        UnstuckError: E009 for a rule or a threshold that does not exist.
    """
    rules = {rule.name: rule for rule in catalogue()}
    before: list[tuple[str, str, float]] = []
    try:
        for name, values in thresholds.items():
            if name not in rules:
                raise unknown_key(name, list(rules), closest(start)[0], what="rule")
            known, module = thresholds_of(rules[name]), rules[name].__module__
            for key, value in values.items():
                if key not in known:
                    raise unknown_key(key, list(known), closest(start)[0], what=f"threshold of {name}")
                before.append((module, key.upper().replace("-", "_"), known[key]))
                setattr(sys.modules[module], before[-1][1], value)
        yield
    finally:
        for module, constant, value in before:
            setattr(sys.modules[module], constant, value)
