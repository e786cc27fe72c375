"""Several processes of one script: the first that trains is recorded, once, and the record says so."""

import subprocess
import sys

import pytest

from unstuck.record import processes
from unstuck.record.launch import run_script
from unstuck.record.recorded import read_run

SCRIPT = """
import multiprocessing, os, sys
from unstuck.record.recorder import Recorder

def train(name):
    recorder = Recorder.current
    recorder.writer.event("compile", {"name": name})
    if recorder.chosen:
        recorder.writer.event("fit", {"model": {}, "model_id": 1, "name": name}, fit=0)
        recorder.writer.steps(0, 0, [(1, 0.5)])

def idle(name):
    pass

if __name__ == "__main__":
    Recorder.current.writer.event("flow", {"name": "split before"})
    context = multiprocessing.get_context(sys.argv[1])
    for number, target in enumerate((idle, train, train)):
        process = context.Process(target=target, args=(f"process {number}",))
        process.start()
        process.join()
        assert process.exitcode == 0
    Recorder.current.writer.event("flow", {"name": "after"})
    sys.exit(3)
"""


@pytest.mark.parametrize("how", ["spawn", "fork"])
def test_the_training_of_a_process_that_the_script_starts_is_recorded_with_what_came_before(tmp_path, how):
    (tmp_path / "train.py").write_text(SCRIPT)
    recording = run_script(tmp_path / "train.py", (how,), root=tmp_path)
    run = read_run(recording.folder)
    assert (3, 1, True) == (recording.status, recording.fits, recording.complete)
    assert ("process 1", 1) == (run.fits[0].body["name"], len(run.fits[0].losses))
    assert ["split before", "process 1"] == [e.body["name"] for e in run.events if e.kind in ("flow", "compile")]
    assert ["only the first process that trained was recorded, a process that the script started; 1 more trained"] == [
        e.body["text"] for e in run.events if e.kind == "note"
    ]
    assert "exit 3" == run.meta["status"]
    assert {"run.sqlite"} == {path.name for path in recording.folder.iterdir()} - {"run.sqlite-shm", "run.sqlite-wal"}


def test_only_one_process_claims_a_run_and_only_one_of_rank_0(tmp_path, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    assert not processes.claim(tmp_path)
    monkeypatch.setenv("RANK", "0")
    assert [True, False] == [processes.claim(tmp_path), processes.claim(tmp_path)]


@pytest.mark.parametrize(
    ("rank", "environment"),
    [
        (0, {}),
        (2, {"RANK": "2", "WORLD_SIZE": "4"}),
        (1, {"OMPI_COMM_WORLD_RANK": "1"}),
        (3, {"TF_CONFIG": '{"cluster": {}, "task": {"type": "worker", "index": 3}}'}),
        (0, {"TF_CONFIG": '{"cluster": {}, "task": {"type": "chief", "index": 0}}'}),
        (0, {"TF_CONFIG": "no JSON"}),
    ],
)
def test_the_rank_is_read_where_launchers_put_it(rank, environment):
    assert rank == processes.declared_rank(environment)


def test_a_launched_process_of_another_rank_runs_unwatched_and_says_so(tmp_path):
    (tmp_path / "train.py").write_text("import sys\nprint('trained')\nsys.exit(4)\n")
    command = "import os; os.environ['RANK'] = '1'; from unstuck.cli import main; main(['run', 'train.py'])"
    done = subprocess.run([sys.executable, "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert (4, "trained\n") == (done.returncode, done.stdout)
    assert "process 1 of a distributed training is not recorded; process 0 is" in done.stderr
    assert not (tmp_path / ".unstuck").exists()
