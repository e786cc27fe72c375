"""The same plan on Ray gives the same numbers, also when a node dies on the way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from unstuck.errors import UnstuckError
from unstuck.experiments import ray_executor

HERE = Path(__file__).parent


def test_a_plan_on_two_nodes_of_which_one_dies_gives_what_it_gives_here():
    done = subprocess.run(
        [sys.executable, HERE / "on_two_nodes.py"],
        env={**os.environ, "KERAS_BACKEND": "jax", "RAY_DISABLE_IMPORT_WARNING": "1", "PYTHONPATH": str(HERE)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert 0 == done.returncode, done.stderr[-2000:]
    lines = [line for line in done.stdout.splitlines() if line.endswith("jax-batched")]
    assert [f"{steps} True jax-batched" for steps in (3, 3, 6, 6, 9, 9, 12, 12)] == lines


def test_without_ray_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UnstuckError, match="pip install 'unstuck"):
        ray_executor.RayExecutor("jax")
