"""Rules and thresholds that the settings name are held against the catalogue before anything is run.

The catalogue is read by its text: a rule is a file, named as the rule, and `check` may not import what rules import.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from unstuck.settings import closest, unknown_key

if TYPE_CHECKING:
    from unstuck.settings import Settings

GROUPS = ("default", "strict", "preview")
_CODE = re.compile(r'^    code = "([A-Z]{3}\d+)"', re.MULTILINE)
_CONSTANT = re.compile(r"\b[A-Z][A-Z0-9_]*\b")
_THRESHOLD = re.compile(r"^([A-Z][A-Z0-9_]*)(?:: \w+)? = [-\d.]", re.MULTILINE)


def refuse_unknown(settings: Settings, start: Path) -> None:
    """Raise for a name in the settings that no rule bears.

    Raises:
        UnstuckError: E009 for an unknown rule, family, group or threshold.
    """
    exempt = [name for names in settings.per_file.values() for name in names]
    named = {*settings.only, *settings.select, *settings.ignore, *exempt} - set(GROUPS)
    if not named and not settings.rules:
        return
    rules = _texts()
    codes = {code[1] for text in rules.values() if (code := _CODE.search(text))}
    known = [*rules, *sorted(codes), *sorted({code[:3] for code in codes}), *GROUPS]
    file = closest(start)[0]
    for name in sorted(named - set(known)):
        raise unknown_key(name, known, file, what="rule")
    for name, values in settings.rules.items():
        if name not in rules:
            raise unknown_key(name, list(rules), file, what="rule")
        written = set(_CONSTANT.findall(rules[name]))
        for key in sorted(values):
            if key.upper().replace("-", "_") not in written:  # of its own or imported: the diagnosis knows which
                own = [found.lower().replace("_", "-") for found in _THRESHOLD.findall(rules[name])]
                raise unknown_key(key, own, file, what=f"threshold of {name}")


def _texts() -> Mapping[str, str]:
    """The source of every rule, by the rule's name."""
    folder = files("unstuck").joinpath("rules")
    texts = {
        place.name.removesuffix(".py").replace("_", "-"): place.read_text(encoding="utf-8")
        for place in folder.iterdir()
        if place.name.endswith(".py")
    }
    return {name: text for name, text in sorted(texts.items()) if _CODE.search(text)}
