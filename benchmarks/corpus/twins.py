"""The published programs with their published fix, as healthy controls.

Some published fixes do not fix, on our data at least. `python -m benchmarks.corpus.twins` trains each twin plainly, for
what it is worth against the best constant; those at chance stand in `fixes.jsonl` with the reason they are left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.corpus import cases

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


def _worth(script: str) -> tuple[float, float]:
    """Score on the training rows, and that of the best constant: accuracy for classes, R2 otherwise."""
    import numpy as np

    names: dict[str, Any] = {}
    exec(script, names)
    y, said = np.asarray(names["y"]), np.asarray(names["model"].predict(names["x"], verbose=0))
    if y.ndim == 2 and y.shape[1] > 1 and set(np.unique(y)) <= {0, 1}:
        y, said = y.argmax(axis=1), said.argmax(axis=1)
    elif said.ndim == 2 and said.shape[1] > 1 and y.ndim == 1:
        said = said.argmax(axis=1)
    elif set(np.unique(y)) <= {0, 1}:
        y, said = y.ravel(), (said.ravel() > 0.5).astype(int)
    else:
        return 1 - float(((y.ravel() - said.ravel()) ** 2).mean() / y.var()), 0.0
    return float((y == said).mean()), float(np.unique(y, return_counts=True)[1].max() / len(y))


if __name__ == "__main__":
    for name, (script, left_out) in all_twins().items():
        score, constant = _worth(script)
        print(f"{score:.2f} against {constant:.2f}  {name}  {left_out}", flush=True)
