"""JUDGE: one rule a file. A rule is found by being in this folder; nothing else needs to know it."""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache

from unstuck.rules.rule import Cleared as Cleared
from unstuck.rules.rule import Example as Example
from unstuck.rules.rule import NotApplicable as NotApplicable
from unstuck.rules.rule import Rule as Rule
from unstuck.rules.rule import Suspect as Suspect

_NOT_RULES = {"rule", "examples", "worth"}


@lru_cache(maxsize=1)
def catalogue() -> tuple[type[Rule], ...]:
    """All rules, by code."""
    for module in pkgutil.iter_modules(__path__):
        if module.name not in _NOT_RULES:
            importlib.import_module(f"{__name__}.{module.name}")
    found = [rule for rule in Rule.__subclasses__() if rule.__module__.startswith(__name__)]
    return tuple(sorted(found, key=lambda rule: rule.code))
