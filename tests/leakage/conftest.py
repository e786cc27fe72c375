"""A small program that prepares data with scikit-learn and hands them to a fit, recorded without Keras."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from unstuck.measure.case import Case
from unstuck.record import sklearn_hooks
from unstuck.record.recorded import read_run
from unstuck.record.recorder import Recorder
from unstuck.record.sample import sample_arrays


class Program:
    """Records what the test does with scikit-learn, and `fit` as Keras would be given it."""

    def __init__(self, folder: Path) -> None:
        self.recorder = Recorder(folder)
        sklearn_hooks.install_base(self.recorder)
        sklearn_hooks.install_splits(self.recorder)

    def split(self, *arrays: Any, **options: Any) -> Any:
        from sklearn import model_selection

        return model_selection.train_test_split(*arrays, **{"test_size": 0.25, "random_state": 0, **options})

    def fit(self, x: Any, y: Any, held_x: Any, held_y: Any, *, number: int = 0, weights: Any = None) -> Case:
        """The `number`-th fit; `weights` are those it began with and those it ended with."""
        train, arrays = sample_arrays("train", x, y, None, values=True)
        held, more = sample_arrays("held", held_x, held_y, None, values=True)
        body = {"train": train, "held": held, "model": {"layers": []}, "site": None}
        writer = self.recorder.writer
        writer.event("fit", body, fit=number)
        writer.arrays(f"fit-{number}-data", {**arrays, **more})
        for step, values in enumerate(weights or ()):
            writer.arrays(f"fit-{number}-weights-{step:09d}", {"kernel": values})
        writer.meta("environment", {"versions": {"sklearn": "1"}})
        return self.case()

    def case(self) -> Case:
        """The last fit, as it is diagnosed."""
        run = read_run(self.recorder.folder)
        assert [e.body for e in run.events if e.kind == "fault"] == []
        return Case(run, run.fits[-1]) if run.fits else Case(run, None)  # type: ignore[arg-type]

    def flow(self) -> list[dict[str, Any]]:
        return [event.body for event in self.case().run.events if event.kind == "flow"]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "run"
    folder.mkdir()
    yield Program(folder)
    sklearn_hooks.use(None)
