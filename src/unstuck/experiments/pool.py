"""Where groups of jobs are trained at the same time: the worker processes of this machine."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from unstuck.experiments.outcome import Job, Outcome
from unstuck.experiments.worker import Worker, WorkerLost

Answer = tuple[int, list[Outcome] | WorkerLost]
"""The number of a group, and its outcomes in the order of its jobs or why there are none."""


class Executor(Protocol):
    """What trains groups of jobs; the answers come as the groups finish."""

    def train(self, groups: Sequence[Sequence[Job]], *, seconds: float, native: bool) -> Iterator[Answer]:
        """Train all groups within `seconds`. A group is one compiled program."""
        ...


class Pool:
    """Worker processes of one backend on this machine, as many as it has cores, started when there is work for them.

    A group that crashes its worker, does not fit into memory or does not answer in time is lost alone.
    """

    def __init__(self, start: Callable[[], Worker], size: int | None = None) -> None:
        self._start = start
        self._size = size or os.cpu_count() or 1
        self._workers: list[Worker] = []

    @property
    def first(self) -> Worker:
        """One worker, for questions that are not trials."""
        if not self._workers:
            self._workers.append(self._start())
        return self._workers[0]

    def train(self, groups: Sequence[Sequence[Job]], *, seconds: float, native: bool) -> Iterator[Answer]:
        waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        for number in range(len(groups)):
            waiting.put(number)
        until = time.monotonic() + seconds
        while len(self._workers) < min(self._size, len(groups)):
            self._workers.append(self._start())

        def serve(worker: Worker) -> None:
            while True:
                try:
                    number = waiting.get_nowait()
                except queue.Empty:
                    return
                left = until - time.monotonic()
                try:
                    if left <= 0:
                        raise WorkerLost("the budget ended first")
                    answers.put((number, worker.train(groups[number], seconds=left, native=native)))
                except WorkerLost as lost:
                    answers.put((number, lost))
                except Exception as error:
                    answers.put((number, WorkerLost(f"{type(error).__name__}: {error}")))

        for worker in self._workers[: len(groups)]:
            threading.Thread(target=serve, args=(worker,), daemon=True).start()
        try:
            for _ in groups:
                yield answers.get()
        except KeyboardInterrupt:
            self.close()
            raise

    def close(self) -> None:
        for worker in self._workers:
            worker.close()
