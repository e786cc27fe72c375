"""The recorded runs that `make replay` judges again: they are small, whole, and open on any machine."""

import tarfile

from benchmarks.corpus import entries
from benchmarks.replay import RECORDED, RUNS, archive, changes, judged, recorded_script

MOST_BYTES = 4_000_000
"""Of all recordings together: each clone of the repository carries them."""


def test_every_run_is_recorded_and_no_other():
    assert sorted(archive(name).name for name in RUNS) == sorted(path.name for path in RECORDED.iterdir())


def test_every_run_is_a_program_of_the_corpus_as_it_is_now():
    scripts = {entry["id"]: entry["script"] for entry in entries()}
    assert [] == [name for name in RUNS if recorded_script(name) != scripts[name]]


def test_recordings_are_small_together():
    assert sum(path.stat().st_size for path in RECORDED.iterdir()) <= MOST_BYTES


def test_recordings_hold_no_pickled_code():
    for name in RUNS:
        with tarfile.open(archive(name)) as packed:
            assert [] == [member for member in packed.getnames() if member.endswith((".pickle", ".sig"))]


def test_a_recording_from_elsewhere_is_judged():
    name = "frozen, two-classes, strong"
    (answer,) = judged(0.0, (name,))
    assert ("stuck", ["everything-frozen"]) == (answer["verdict"], [rule for rule, *_ in answer["roots"]])


def test_only_runs_that_are_judged_otherwise_are_told():
    same, old = {"run": "a", "verdict": "healthy", "roots": []}, {"run": "b", "verdict": "healthy", "roots": []}
    new = {"run": "b", "verdict": "stuck", "roots": [["dying-relu", "likely", "error"]]}
    assert [("b", "healthy", "stuck: dying-relu (likely error)")] == list(changes([same, old], [same, new]))


def test_a_run_that_was_not_judged_before_is_told():
    new = {"run": "b", "verdict": "healthy", "roots": []}
    assert [("b", "not judged", "healthy")] == list(changes([], [new]))
