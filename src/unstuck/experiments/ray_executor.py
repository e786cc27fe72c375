"""The same trial plan on Ray: another machine's cores, a cluster, or its GPUs (extra `unstuck[ray]`).

Arrays go to Ray's object store once, however many trials use them. Ray retries the groups of a node that is lost. The
outcomes equal the local ones for the same seeds: each is computed by the same program.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from unstuck.errors import UnstuckError
from unstuck.experiments.experiment import Experiment
from unstuck.experiments.outcome import Job, Outcome
from unstuck.experiments.pool import Answer
from unstuck.experiments.worker import WorkerLost

RETRIES = 3
"""Times that a group is begun again when its node dies."""


@dataclass(frozen=True)
class _Stored:
    """In place of an array of an experiment: its number in the list that is sent along."""

    number: int


class RayExecutor:
    """Trains groups as Ray tasks.

    Args:
        backend: Keras backend of the tasks.
        address: `ray://host:port` or `host:port` of a cluster; "" for the one this process is already connected to,
            or else a new one on this machine.

    Raises:
        UnstuckError: E022, when Ray is not installed or the cluster does not answer.
    """

    def __init__(self, backend: str, address: str = "") -> None:
        ray = _ray()
        if not ray.is_initialized():
            try:
                ray.init(address=address or None, log_to_driver=False, logging_level="ERROR")
            except Exception as error:
                raise UnstuckError(
                    "E022",
                    f"the Ray cluster {address or 'on this machine'} cannot be used: {error}",
                    expected="expected a running cluster",
                    do="start one with `ray start --head`, or leave --executor out",
                ) from error
        environment = {"KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        self._train = ray.remote(max_retries=RETRIES, runtime_env={"env_vars": environment})(_train)
        self._stored: dict[int, tuple[np.ndarray, Any]] = {}

    def train(self, groups: Sequence[Sequence[Job]], *, seconds: float, native: bool) -> Iterator[Answer]:
        ray = _ray()
        until = time.monotonic() + seconds
        waiting = {self._send(jobs, native): number for number, jobs in enumerate(groups)}
        while waiting:
            left = until - time.monotonic()
            ready, _ = ray.wait(list(waiting), num_returns=1, timeout=max(0.0, left))
            if not ready:
                break
            yield waiting.pop(ready[0]), _answer(ray, ready[0])
        for reference, number in waiting.items():
            ray.cancel(reference, force=True)
            yield number, WorkerLost(f"no answer within {seconds:.0f} s")

    def _send(self, jobs: Sequence[Job], native: bool) -> Any:  # noqa: FBT001
        arrays: dict[int, tuple[int, np.ndarray]] = {}
        sent = [replace(job, experiment=_exchanged(job.experiment, lambda a: _number(a, arrays))) for job in jobs]
        references = [self._reference(array) for _, array in arrays.values()]
        return self._train.remote(sent, native, *references)

    def _reference(self, array: np.ndarray) -> Any:
        if id(array) not in self._stored:  # the array is kept, so that its id stays its own
            self._stored[id(array)] = array, _ray().put(array)
        return self._stored[id(array)][1]


def _train(jobs: Sequence[Job], native: bool, *arrays: np.ndarray) -> list[Outcome]:  # noqa: FBT001
    """Runs in Ray's process."""
    from unstuck.experiments.engine import run_batched
    from unstuck.experiments.native import run_native

    assert "KERAS_BACKEND" in os.environ
    own = [replace(j, experiment=_exchanged(j.experiment, lambda stored: arrays[stored.number])) for j in jobs]
    return (run_native if native else run_batched)(own)


def _exchanged(experiment: Experiment, exchange: Any) -> Experiment:
    """A copy with every array exchanged for what stands for it, or back."""
    changed: dict[str, Any] = {}
    for field in fields(experiment):
        value = getattr(experiment, field.name)
        if isinstance(value, (np.ndarray, _Stored)):
            changed[field.name] = exchange(value)
        elif isinstance(value, tuple) and value and all(isinstance(v, (np.ndarray, _Stored)) for v in value):
            changed[field.name] = tuple(exchange(v) for v in value)
    return replace(experiment, **changed)


def _number(array: np.ndarray, arrays: dict[int, tuple[int, np.ndarray]]) -> _Stored:
    return _Stored(arrays.setdefault(id(array), (len(arrays), array))[0])


def _answer(ray: Any, reference: Any) -> list[Outcome] | WorkerLost:
    try:
        outcomes: list[Outcome] = ray.get(reference)
    except Exception as error:
        return WorkerLost(f"{type(error).__name__}: {(str(error) or 'no message').splitlines()[-1]}")
    return outcomes


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise UnstuckError(
            "E022",
            "--executor ray needs Ray, which is not installed",
            expected="expected the extra `ray`",
            do="pip install 'unstuck[ray]'",
        ) from error
    return ray
