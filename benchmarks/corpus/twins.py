"""The published programs with their published fix, as healthy controls.

Some published fixes do not fix, on our data at least. `python -m benchmarks.corpus.twins` trains each twin plainly, for
what it is worth against the best constant; those at chance stand in `fixes.jsonl` with the reason they are left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.corpus import cases
from benchmarks.corpus.harm import skill

FIXES = Path(__file__).parent / "fixes.jsonl"


def programs() -> dict[str, str]:
    """Scripts by name, without the twins that do not train."""
    return {name: script for name, (script, left_out) in all_twins().items() if not left_out}


def all_twins() -> dict[str, tuple[str, str]]:
    """Script and the reason why it is left out, "" where it trains, by name."""
    known = {facts["id"]: facts for facts in cases.programs()}
    fixes = [json.loads(line) for line in FIXES.read_text().splitlines()]
    return {
        f"{fix['id']} fixed: {fix['fix']}": (
            cases.rebuild(_fixed(known[fix["id"]], fix)).script,
            fix.get("left_out", ""),
        )
        for fix in fixes
    }


def _fixed(facts: dict[str, Any], fix: dict[str, Any]) -> dict[str, Any]:
    layers = [dict(layer) for layer in facts["layers"]]
    if "output" in fix:
        layers[-1]["activation"] = fix["output"]
    changed = {key: fix[key] for key in ("loss", "optimizer", "epochs", "batch_size", "x", "y") if key in fix}
    return {**facts, **changed, "layers": layers}


def _worth(script: str) -> float:
    """Skill on the training rows; 0 is the best constant answer."""
    names: dict[str, Any] = {}
    exec(script, names)
    return skill(names["y"], names["model"].predict(names["x"], verbose=0))


if __name__ == "__main__":
    for name, (script, left_out) in all_twins().items():
        print(f"{_worth(script):.2f}  {name}  {left_out}", flush=True)
