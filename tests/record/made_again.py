"""A model recorded, and made again from what was recorded."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from tests.harness import Bench

from unstuck.record.rebuild import assign, load_objects, rebuild
from unstuck.record.recorded import RecordedFit, RecordedRun, read_run
from unstuck.record.store import Writer
from unstuck.rules.examples import prelude

LAST = """
model.compile(keras.optimizers.Adam(0.01), loss=LOSS)
model.fit(x, y, epochs=1, verbose=0)
expected = model.predict(x[:50], verbose=0)
np.save(__import__("os").path.join(HOME, "expected.npy"), expected)
"""


def recorded(code: str, folder: Path, loss: str = '"binary_crossentropy"') -> tuple[RecordedRun, RecordedFit]:
    script = folder / "train.py"
    script.write_text(f"{prelude('raw')}\nHOME = {str(folder)!r}\n{code}\n{LAST.replace('LOSS', loss)}")
    Bench().record(script, folder)
    (folder / "elsewhere").mkdir()
    Bench._recorder.writer = Writer(folder / "elsewhere")  # this process goes on making layers
    run = read_run(folder)
    assert not [event.body for event in run.events if event.kind == "fault"]
    assert run.fits[0].end["status"] == "completed"
    return run, run.fits[0]


def answers_again(run: RecordedRun, fit: RecordedFit) -> np.ndarray:
    x = fit.arrays["train-x0"]
    model = rebuild(fit.body["model"]["config"], None, load_objects(run.folder, fit.index), (x,))
    assign(model, run.weights(fit, fit.steps[-1]))
    return keras.ops.convert_to_numpy(model(x[:50], training=False))
