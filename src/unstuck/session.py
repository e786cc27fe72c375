"""The Python use: `diagnose(model, x, y)` for a short probe, `Watch()` on a fit of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from unstuck.diagnosis import Workers, diagnose_folder
from unstuck.errors import UnstuckError
from unstuck.experiments.worker import WorkerLost
from unstuck.finding import Report
from unstuck.record import custom
from unstuck.record.describe import custom_objects, serialized
from unstuck.record.fingerprint import as_array
from unstuck.record.functions import compile_config
from unstuck.record.recorder import Recorder
from unstuck.record.refit import Request
from unstuck.record.sites import user_site
from unstuck.record.store import new_folder
from unstuck.record.watch import FitRecorder
from unstuck.settings import Settings, parse_budget

SHORT_PROBE_EPOCHS = 5
FIT_SECONDS = 600.0


def diagnose(
    model: Any,
    x: Any,
    y: Any,
    *,
    validation_data: tuple[Any, Any] | None = None,
    epochs: int | None = None,
    batch_size: int = 32,
    experiments: Literal["off", "auto", "all"] = "auto",
    budget: float | str = "5 min",
    seeds: int = 3,
    ignore: tuple[str, ...] = (),
) -> Report:
    """Find out why a compiled model is stuck on these data.

    A copy of the model is trained in a process of its own and recorded; the model, its weights and the random state
    of this process stay as they are. A model that has been trained is copied with a fresh initialisation.

    Args:
        model: a compiled keras.Model.
        x: training inputs, array-like (n, ...), or a list of them for several inputs.
        y: training targets, array-like (n, ...).
        validation_data: held-out (x, y); without it a quarter of the rows is held out in the experiments.
        epochs: of the probe; as many as the model was last trained for, else 5.
        batch_size: rows a step.
        experiments: `off` judges without trials.
        budget: seconds, or text such as `5 min`, for the trials.
        seeds: paired seeds to begin with.
        ignore: names or codes of rules to leave out.

    Returns:
        The report: `print(report)` for the terminal text, `report.findings` for the data.

    Raises:
        UnstuckError: when the model is not compiled or cannot be rebuilt from its configuration.
    """
    import keras

    if not getattr(model, "compiled", False):
        raise UnstuckError(
            "E015",
            f"the model {getattr(model, 'name', model)!r} is not compiled",
            expected="a model that fit would accept",
            do="call model.compile(...) first",
        )
    request = _request(keras, model, x, y, validation_data, epochs, batch_size)
    folder = new_folder(Path.cwd())
    custom.save(folder, "custom-0", custom_objects(model))
    settings = Settings(experiments=experiments, budget=parse_budget(str(budget)), seeds=seeds, ignore=ignore)
    workers = Workers(())
    try:
        workers(keras.backend.backend()).record(folder, request, seconds=FIT_SECONDS)
        return diagnose_folder(folder, settings, workers=workers)
    except WorkerLost as lost:
        raise UnstuckError(
            "E016",
            f"the copy of the model could not be trained: {lost}",
            expected="a model that Keras can rebuild from its configuration",
            do="give custom classes a get_config, or use unstuck.Watch() on your own fit",
        ) from lost
    finally:
        workers.close()


def _request(keras: Any, model: Any, x: Any, y: Any, held: Any, epochs: int | None, batch_size: int) -> Request:
    iterations = int(np.asarray(keras.ops.convert_to_numpy(model.optimizer.iterations))) if model.optimizer else 0
    history = getattr(getattr(model, "history", None), "epoch", None)
    try:
        config, settings = serialized(model, lambda _: None), compile_config(model)
    except Exception as error:
        raise UnstuckError(
            "E016",
            f"{type(model).__name__} cannot be described: {error}",
            expected="a model with a get_config",
            do="use unstuck.Watch() on your own fit",
        ) from error
    weights = None
    if model.built and not iterations:
        weights = tuple(np.array(keras.ops.convert_to_numpy(v)) for v in model.variables)
    return Request(
        config=config,
        settings=settings,
        weights=weights,
        x=_inputs(x),
        y=_array(y, "y"),
        held=None if held is None else (_inputs(held[0]), _array(held[1], "validation_data[1]")),
        epochs=epochs or len(history or ()) or SHORT_PROBE_EPOCHS,
        batch_size=batch_size,
        site=user_site(2),
    )


def _inputs(x: Any) -> tuple[np.ndarray, ...]:
    if isinstance(x, dict):
        return tuple(_array(v, "x") for v in x.values())
    if (
        isinstance(x, (list, tuple))
        and len(x)
        and np.ndim(x[0]) >= 1
        and as_array(x[0]) is not None
        and np.ndim(x[0]) > 1
    ):
        return tuple(_array(v, "x") for v in x)
    return (_array(x, "x"),)


def _array(value: Any, name: str) -> np.ndarray:
    array = as_array(value)
    if array is None:
        raise UnstuckError(
            "E017",
            f"{name} is a {type(value).__name__}",
            expected="an array-like of numbers",
            do="pass arrays, or use unstuck.Watch() on a fit that reads a stream",
        )
    return array


class Watch(FitRecorder):
    """The recorder as a Keras callback, for people who call `fit` themselves.

    Args:
        on_error: `report` only records; `stop` also ends training when the loss stops being a number; `raise` also
            raises `FindingsError` at the end of training if there is an error finding.
        experiments, budget, seeds: as for `diagnose`; used when `report` is asked for.

    After `fit`, `watch.report` is the report. Nothing in the training is changed.
    """

    def __init__(
        self,
        on_error: Literal["report", "stop", "raise"] = "report",
        *,
        experiments: Literal["off", "auto", "all"] = "auto",
        budget: float | str = "5 min",
        seeds: int = 3,
    ) -> None:
        if on_error not in ("report", "stop", "raise"):
            raise UnstuckError(
                "E017", f"on_error={on_error!r}", expected="'report', 'stop' or 'raise'", do="pass one of these strings"
            )
        super().__init__(Recorder.current or Recorder(new_folder(Path.cwd())))
        self._on_error = on_error
        self._settings = Settings(experiments=experiments, budget=parse_budget(str(budget)), seeds=seeds)
        self._report: Report | None = None

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self._recorder.folder

    @property
    def report(self) -> Report:
        """The diagnosis of what was recorded so far; made on first use after a fit."""
        if self._report is None:
            self._recorder.writer.commit()
            self._report = diagnose_folder(self.folder, self._settings)
        return self._report

    def on_train_begin(self, logs: Any = None) -> None:
        self._report = None
        self._site = None
        super().on_train_begin(logs)

    def non_finite(self) -> None:
        if self._on_error == "stop":
            self._model.stop_training = True  # `model` would synchronise JAX state that has been given away

    def on_train_end(self, logs: Any = None) -> None:
        super().on_train_end(logs)
        if self._on_error == "raise":
            self.report.raise_for_findings("error")
