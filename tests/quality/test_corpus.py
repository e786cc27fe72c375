"""A quick subset of the corpus judged again: what the kept answers have right must stay right."""

import hashlib
import json
import os

import pytest
from benchmarks.corpus import ANSWERS, entries, missed

SECONDS = 60.0
"""Of diagnosis in all, as the kept answers took them; with the runs themselves it is about two minutes on two cores."""
LONGEST = 15.0
KINDS = ("case", "planted", "healthy")
BUDGET = 60.0
TURNED = 0.1
"""Share that may turn out otherwise: training at an absurd rate is chaotic, and ends well on one machine in several."""


def quick(answers):
    """Right answers on JAX by a hash of their names, from each kind in turn, as many as `SECONDS` allow."""
    usable = [a for a in answers if a["right"] and a["backend"] == "jax" and a["seconds"] <= LONGEST]
    usable.sort(key=lambda a: hashlib.sha256(a["id"].encode()).hexdigest())
    queues = [[a for a in usable if a["kind"].startswith(kind)] for kind in KINDS]
    chosen, left = [], SECONDS
    while any(queues):
        for queue in queues:
            if queue:
                answer = queue.pop(0)
                if answer["seconds"] <= left:
                    chosen.append(answer["id"])
                    left -= answer["seconds"]
    return chosen


KEPT = [json.loads(line) for line in ANSWERS.read_text().splitlines()] if ANSWERS.exists() else []
ENTRIES = {entry["id"]: entry for entry in entries()}
QUICK = [name for name in quick(KEPT) if name in ENTRIES]


@pytest.mark.skipif(not QUICK, reason="no answers are kept yet: `make quality ONLY=corpus` writes them")
@pytest.mark.skipif(os.environ.get("KERAS_BACKEND", "jax") != "jax", reason="the kept answers are of JAX")
def test_what_was_right_is_right(tmp_path):
    from benchmarks.corpus.__main__ import told

    from tests.harness import Bench
    from unstuck.diagnosis import diagnose_folder
    from unstuck.settings import Settings

    bench, wrong = Bench(), {}
    for number, name in enumerate(QUICK):
        folder = tmp_path / str(number)
        folder.mkdir()
        script = folder / "train.py"
        script.write_text(ENTRIES[name]["script"])
        bench.record(script, folder)
        answer = ENTRIES[name] | told(diagnose_folder(folder, Settings(budget=BUDGET), workers=bench.workers))
        if missed(answer):
            wrong[name] = f"{answer['verdict']}: {answer['said']}"
    bench.workers.close()
    assert len(wrong) <= TURNED * len(QUICK), wrong


def test_the_quick_subset_takes_right_answers_of_each_kind_in_turn_within_its_seconds():
    answer = {"right": True, "backend": "jax", "seconds": 10.0}
    kinds = ("case", "planted mild", "planted strong", "healthy")
    answers = [{**answer, "kind": kind, "id": f"{kind} {n}"} for kind in kinds for n in range(9)]
    chosen = quick([*answers, {**answer, "kind": "case", "id": "wrong", "right": False}])
    assert [2, 2, 2] == [sum(name.startswith(kind) for name in chosen) for kind in KINDS]
    assert "wrong" not in chosen


def test_the_quick_subset_leaves_out_programs_that_take_long():
    slow = {"right": True, "backend": "jax", "seconds": LONGEST + 1, "kind": "case", "id": "slow"}
    assert [] == quick([slow])
