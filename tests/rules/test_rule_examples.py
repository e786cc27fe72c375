"""Every rule on its own examples: the sick one is found, first among roots; the healthy one raises no error."""

import os

import pytest

from unstuck.rules import catalogue
from unstuck.rules.rule import SECTIONS
from unstuck.settings import Settings

BACKEND = os.environ.get("KERAS_BACKEND", "jax")
FULL = BACKEND == "jax"
"""Trials run on JAX; on the other backends the judgement before trials is tested."""
SETTINGS = Settings(budget=40.0) if FULL else Settings(experiments="off")
TURN = {"tensorflow": 0, "torch": 1}
"""On these two a rule meets its sick example on one and its healthy one on the other; on JAX it meets both.
`make quality ONLY=rules` tests all on all."""
RULES = [pytest.param(rule, id=rule.name) for rule in catalogue()]
LEAKS = ("preprocessing-before-split", "selection-before-split")
"""Their examples hand raw rows to scikit-learn and run in a child process: see tests/leakage."""


def skip_unless_in_turn(rule, example, turn):
    if BACKEND not in example.backends:
        pytest.skip(f"does not apply to {BACKEND}")
    if rule.name in LEAKS:
        pytest.skip("see tests/leakage")
    both = TURN.keys() <= set(example.backends)
    if BACKEND in TURN and both and (catalogue().index(rule) + turn) % 2 != TURN[BACKEND]:
        pytest.skip("tested on the other of TensorFlow and PyTorch")


@pytest.mark.parametrize("rule", RULES)
def test_sick_example_is_found(rule, bench, tmp_path):
    skip_unless_in_turn(rule, rule.sick, 1)
    report = bench.diagnose(rule.sick, tmp_path / "sick", SETTINGS)
    found = [f.rule for f in report.findings]
    reasons = {r.rule: (r.outcome, r.reason) for r in report.rules if r.rule == rule.name}
    assert rule.name in found, f"{reasons}; found {found}; {report.warnings}"
    if FULL:
        roots = [f.rule for f in report.findings if f.explained_by is None]
        assert rule.name in roots[:1] or next(f for f in report.findings if f.rule == rule.name).explained_by, (
            f"first is {roots[:3]}"
        )
        assert "crashed" not in {r.outcome for r in report.rules}, [r for r in report.rules if r.outcome == "crashed"]


@pytest.mark.parametrize("rule", RULES)
def test_healthy_example_raises_no_error(rule, bench, tmp_path):
    skip_unless_in_turn(rule, rule.healthy, 0)
    report = bench.diagnose(rule.healthy, tmp_path / "healthy", SETTINGS)
    assert rule.name not in [f.rule for f in report.findings if f.outcome == "found" and f.severity != "note"]
    if FULL:
        assert [] == [(f.rule, f.conclusion) for f in report.findings if f.severity == "error"]


@pytest.mark.parametrize("rule", RULES)
def test_documentation_has_every_section_and_keeps_short(rule):
    sections = rule.sections()
    assert list(SECTIONS) == list(sections)
    for title, text in sections.items():
        if title != "Instead":
            assert text
            assert len(text.split()) <= 120, f"{title} has {len(text.split())} words"


def test_codes_and_names_are_unique_and_match_the_catalogue_form():
    names, codes = [r.name for r in catalogue()], [r.code for r in catalogue()]
    assert len(set(names)) == len(names)
    assert len(set(codes)) == len(codes)
    assert all(len(c) == 6 and c[:3].isupper() and c[3:].isdigit() for c in codes)
