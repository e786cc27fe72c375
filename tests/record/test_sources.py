"""Scripts, modules and notebooks run as Python would run them, in this environment or another one."""

import json
import subprocess
import sys
import venv
from pathlib import Path

import numpy
import pytest

from unstuck.record.launch import run_script
from unstuck.record.notebook import read_cells
from unstuck.record.recorded import read_run
from unstuck.record.store import Reader

LOOK = """
import json, os, sys
def worker(number):
    return number * 2
def say(name):
    main = sys.modules["__main__"]
    with open("said.json", "w") as file:
        json.dump({"name": name, "argv": sys.argv, "path": sys.path[0], "main": main.__dict__.get("__file__"),
                   "package": main.__dict__.get("__package__"), "stdin": sys.stdin.read(), "cwd": os.getcwd()}, file)
if __name__ == "__main__":
    import multiprocessing
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert [2, 4] == pool.map(worker, [1, 2])
    say(__name__)
"""
RUN = (
    "import sys, json; from unstuck.record.launch import run_script; o = json.loads(sys.argv[1]); "
    "r = run_script(o.pop('target'), tuple(o.pop('args', ())), **o); print(r.folder); sys.exit(r.status)"
)


def said(folder, *plain, **options):
    """What the script said under `python` and under the recorder."""
    answers = []
    for command in ([sys.executable, *plain], [sys.executable, "-c", RUN, json.dumps(options)]):
        done = subprocess.run(command, cwd=folder, input="typed\n", text=True, capture_output=True)
        assert 0 == done.returncode, done.stderr
        answers.append(json.loads((folder / "said.json").read_text()))
    return answers


def test_a_script_finds_its_arguments_paths_and_input_as_under_plain_python(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "train.py").write_text(LOOK)
    plain, watched = said(tmp_path, "sub/train.py", "--lr", "1", target="sub/train.py", args=["--lr", "1"])
    assert plain == watched
    assert "typed\n" == watched["stdin"]


def test_a_module_finds_itself_as_under_python_m(tmp_path):
    package = tmp_path / "study"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "tools.py").write_text("from __future__ import annotations\n")
    (package / "train.py").write_text(LOOK.replace("import json", "from . import tools\nimport json", 1))
    plain, watched = said(tmp_path, "-m", "study.train", "3", target="study.train", args=["3"], module=True)
    assert plain == watched
    assert "study" == watched["package"]


def test_a_script_in_another_environment_sees_that_environment_only(tmp_path):
    venv.create(tmp_path / "other", symlinks=True, with_pip=False)
    python = tmp_path / "other" / "bin" / "python"
    packages = next((tmp_path / "other" / "lib").glob("python*")) / "site-packages"
    for name in ("numpy", "numpy.libs"):
        (packages / name).symlink_to(Path(numpy.__file__).parent.with_name(name))
    (tmp_path / "train.py").write_text(
        "import sys, importlib.util\n"
        "assert importlib.util.find_spec('sklearn') is None and importlib.util.find_spec('click') is None\n"
        f"open({str(tmp_path / 'where')!r}, 'w').write(sys.prefix)\n"
    )
    recording = run_script(tmp_path / "train.py", root=tmp_path, python=str(python))
    assert 0 == recording.status
    assert str(tmp_path / "other") == (tmp_path / "where").read_text()


NOTEBOOK = [
    ("markdown", "# Study"),
    ("code", ["%matplotlib inline\n", "import keras\n", "import numpy as np\n", "!pip list"]),
    ("code", "%%bash\necho nothing"),
    (
        "code",
        ["x = np.ones((64, 3)); y = np.ones(64)\n", "model = keras.Sequential([\n", "    keras.layers.Dense(1)])"],
    ),
    ("code", "model.compile('sgd', 'mse')\nmodel.fit(x, y, verbose=0)"),
    ("code", "raise KeyError('late')"),
]


def test_a_notebook_runs_cell_by_cell_and_sites_name_cell_and_line(tmp_path, capfd):
    cells = [{"cell_type": kind, "source": source} for kind, source in NOTEBOOK]
    path = tmp_path / "study.ipynb"
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}))
    recording = run_script(path, root=tmp_path)
    run = read_run(recording.folder)
    fit = run.fits[0]
    place = f"{path}:cell 5"
    assert [1, 1] == [recording.status, recording.fits]
    assert (place, 2, 1) == tuple(fit.body["site"][k] for k in ("file", "line", "column"))
    layer = fit.body["model"]["layers"][0]["site"]
    assert (f"{path}:cell 4", 3, 5) == tuple(layer[k] for k in ("file", "line", "column"))
    assert ("model.compile('sgd', 'mse')", "model.fit(x, y, verbose=0)") == run.sources[place]
    assert ["lines for IPython were not run: !pip list; %%bash"] == [
        e.body["text"] for e in run.events if e.kind == "note"
    ]
    shown = capfd.readouterr().err
    assert f"File \"{path}:cell 6\", line 1, in <module>\n    raise KeyError('late')" in shown
    assert "unstuck" not in shown[shown.index("Traceback") :]


def test_lines_of_a_cell_keep_their_numbers(tmp_path):
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": "a = 1\n  %pylab\nfiles = !ls\nc?\nd = 2"}]}))
    cell = read_cells(path)[0]
    assert ["a = 1", "  pass", "pass", "pass", "d = 2"] == cell.text.split("\n")
    assert ("files = !ls", "c?") == cell.left_out


@pytest.mark.parametrize(
    ("source", "run"),
    [
        ("%time history = model.fit(x, y)", "if 1: history = model.fit(x, y)"),
        ("%%time\nmodel.fit(x, y)", "pass\nmodel.fit(x, y)"),
        ("print('%d of %d'\n      % (a, b))", "print('%d of %d'\n      % (a, b))"),
        ("%matplotlib inline\nprint('%d'\n      % a)", "pass\nprint('%d'\n      % a)"),
        ('help = """\n%time is a magic\n"""', 'help = """\n%time is a magic\n"""'),
    ],
)
def test_what_a_timing_magic_times_is_run_and_a_percent_sign_is_no_magic(tmp_path, source, run):
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": source}]}))
    assert run == read_cells(path)[0].text


def test_a_notebook_may_display_and_ask_for_ipython(tmp_path, capfd):
    path = tmp_path / "n.ipynb"
    source = "display(1, 'two')\nprint('colab' in str(get_ipython()))"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": source}]}))
    assert 0 == run_script(path, root=tmp_path).status
    assert "1\ntwo\nFalse\n" == capfd.readouterr().out


def test_legacy_keras_is_noticed_and_not_watched(tmp_path):
    (tmp_path / "tf_keras.py").write_text("")
    (tmp_path / "train.py").write_text("import tf_keras\n")
    recording = run_script(tmp_path / "train.py", root=tmp_path)
    assert (True, False, 0) == (recording.legacy, recording.keras, recording.fits)
    assert recording.complete


@pytest.mark.parametrize("what", ["no room", "folder gone"])
def test_a_record_that_cannot_be_written_does_not_disturb_the_script(tmp_path, what):
    harm = {
        "no room": "recorder.writer._database.execute('PRAGMA max_page_count = 12')",
        "folder gone": "__import__('shutil').rmtree(recorder.folder)",
    }[what]
    (tmp_path / "train.py").write_text(
        "from unstuck.record.recorder import Recorder\n"
        f"recorder = Recorder.current\n{harm}\n"
        "for number in range(3000):\n"
        "    recorder.guard(lambda: recorder.writer.event('thing', {'text': 'x' * 500}), 'here')\n"
        "    recorder.guard(lambda: recorder.writer.arrays('a', {}), 'here')\n"
        "print('done')\n"
    )
    recording = run_script(tmp_path / "train.py", root=tmp_path)
    assert 0 == recording.status
    assert not recording.complete


def test_a_script_that_is_killed_or_stops_early_leaves_a_readable_record(tmp_path):
    (tmp_path / "train.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    recording = run_script(tmp_path / "train.py", root=tmp_path)
    assert (-9, False) == (recording.status, recording.complete)
    assert Reader(recording.folder).meta()["command"] == [str(tmp_path / "train.py")]


def test_no_backend_is_imported_that_the_script_does_not_import(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    (tmp_path / "train.py").write_text(
        "import sys, keras, numpy as np\n"
        "model = keras.Sequential([keras.layers.Dense(1)])\n"
        "model.compile('sgd', 'mse')\n"
        "model.fit(np.ones((8, 2)), np.ones(8), verbose=0)\n"
        "model.evaluate(np.ones((8, 2)), np.ones(8), verbose=0)\n"
        "sys.exit(sum(name in sys.modules for name in ('tensorflow', 'torch')))\n"
    )
    recording = run_script(tmp_path / "train.py", root=tmp_path)
    assert (0, 1) == (recording.status, recording.fits)
