"""Whether a published fault does harm: the scores, and who does no harm by them."""

import json

import numpy as np
import pytest
from benchmarks.corpus import cases, harm

CLASSES = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])


@pytest.mark.parametrize(
    ("truth", "said", "wanted"),
    [
        (CLASSES, np.eye(3)[CLASSES], 1.0),
        (CLASSES, np.eye(3)[np.zeros(10, int)], 0.0),
        (np.eye(3)[CLASSES], np.eye(3)[np.where(CLASSES == 2, 0, CLASSES)], 0.75),
        (np.array([0, 1] * 5), np.full((10, 1), 0.2), 0.0),
        (np.array([-1, 1] * 5), np.array([-0.1, 0.1] * 5)[:, None], 1.0),
        (np.linspace(0, 9, 100), np.linspace(0, 9, 100)[:, None], 1.0),
        (np.linspace(0, 9, 100), np.full((100, 1), 4.5), 0.0),
        (np.linspace(0, 9, 100), np.full((100, 1), np.nan), 0.0),
        (np.linspace(0, 9, 100), np.zeros((100, 3)), 0.0),
    ],
)
def test_skill_is_0_for_a_constant_answer_and_1_for_a_perfect_one(truth, said, wanted):
    assert harm.skill(truth, said) == pytest.approx(wanted)


def test_no_harm_is_in_what_does_as_well_as_a_standard_network_that_learns(tmp_path, monkeypatch):
    kept = tmp_path / "harm.jsonl"
    lines = [
        {"id": "as well", "skill": [0.88, 0.9, 0.92], "standard": [0.9, 0.9, 0.9]},
        {"id": "worse", "skill": [0.1, 0.9, 0.9], "standard": [0.9, 0.9, 0.9]},
        {"id": "nothing to learn", "skill": [0.0, 0.0, 0.0], "standard": [0.0, 0.02, 0.0]},
    ]
    kept.write_text("".join(json.dumps(line) + "\n" for line in lines))
    monkeypatch.setattr(harm, "KEPT", kept)
    assert list(harm.harmless()) == ["as well"]
    assert "0.90" in harm.harmless()["as well"]


def test_figures_are_of_programs_of_the_corpus():
    known = {json.loads(line)["id"] for line in harm.KEPT.read_text().splitlines()}
    assert known <= {name for name, case in cases.rebuilt() if not isinstance(case, str)}
