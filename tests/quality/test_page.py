"""docs/quality.md: made from what is kept, and as it would be made now."""

import importlib
import inspect
import json
import tomllib

from benchmarks import corpus
from benchmarks.__main__ import GROUPS, keep
from benchmarks.corpus import ANSWERS, counts, entries
from benchmarks.corpus.page import CORPUS, PAGE, RESULTS, page
from benchmarks.row import row

HEALTHY = {"id": "mlp relu", "kind": "healthy", "verdict": "stuck", "roots": ["dying-relu"], "right": False}


def kept(path):
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_the_page_is_as_it_would_be_made_from_what_is_kept():
    assert PAGE.read_text(encoding="utf-8") == page(kept(RESULTS / "quality-corpus.jsonl"), kept(ANSWERS))


def test_every_cause_is_of_a_program_of_the_corpus():
    causes = tomllib.loads((CORPUS / "causes.toml").read_text())
    assert set() == set(causes) - {entry["id"] for entry in entries()}


def test_a_false_alarm_is_shown_as_not_read_yet_where_no_cause_is_written():
    assert "| mlp relu | healthy | stuck: dying-relu | no error | not read yet |" in page([], [HEALTHY])


def test_a_goal_that_is_not_met_is_said_not_to_be():
    rows = [row("sick-detected", [0.9], "share", goal=0.97), row("seconds-beyond-the-run", [8], "s", better="lower")]
    assert "| sick-detected | 90 % | at least 97 % | no |" in page(rows, [])


def test_ids_of_programs_are_unique():
    ids = [entry["id"] for entry in entries()]
    assert len(ids) == len(set(ids))


def test_figures_are_kept_by_version_and_command(tmp_path):
    file = tmp_path / "versions.jsonl"
    keep("corpus", [row("sick-detected", [0.5], "share", goal=0.97), row("programs", [3], "programs")], file)
    keep("rules", [row("jax-sick-top-1", [1.0], "share", goal=0.95)], file)
    keep("corpus", [row("sick-detected", [0.75], "share", goal=0.97)], file)
    found = {line["command"]: line["figures"] for line in kept(file)}
    assert {
        "make quality ONLY=rules": {"jax-sick-top-1": 1.0},
        "make quality ONLY=corpus": {"sick-detected": 0.75},
    } == found


def test_a_rule_is_worth_what_it_was_said_of_and_is_a_cause_of():
    sick = {"kind": "case", "said": {"dying-relu": "likely"}, "labels": ["dying-relu"], "errors": ["dying-relu"]}
    other = {**sick, "labels": ["frozen"]}
    healthy = {**sick, "kind": "healthy", "labels": []}
    assert {"dying-relu": (3, 1, 1)} == counts([sick, other, healthy])


def test_only_the_corpus_writes_a_page_after_it_was_measured() -> None:
    groups = {group for found in GROUPS.values() for group in found}
    assert {g for g in groups if hasattr(importlib.import_module(f"benchmarks.{g}"), "write_page")} == {"corpus"}
    assert not inspect.signature(corpus.write_page).parameters
