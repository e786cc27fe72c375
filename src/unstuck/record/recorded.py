"""A recorded run, read back: the typed view of a run folder that everything offline starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from unstuck.record.store import Reader


@dataclass(frozen=True)
class Event:
    """A data-flow event (`split`, `fit`, `transform`, ...), an `evaluate`, a warning or a note."""

    sequence: int
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True)
class RecordedFit:
    """One call of `fit`.

    Attributes:
        index: number of the fit in the run, from 0.
        body: the description written when it began (see `record/watch.py`).
        losses: per-step losses, shape (steps, 3): epoch, step, loss of that batch.
        epochs: Keras's logs at the end of each epoch.
        arrays: `train-x0`, `train-y0`, `held-x0`, ... (see `record/sample.py`).
        steps: the optimiser steps at which variables were kept, ascending.
        end: `status`, `error`, `steps`, `seconds`; empty when the process was killed.
        non_finite: `step`, `epoch` and `loss` of the first loss that is no number, and whether its `batch` was kept.
        probe: what the replay of the snapshots showed (see `record/probe.py`); empty until it has run.
    """

    index: int
    sequence: int
    body: dict[str, Any]
    losses: np.ndarray
    epochs: tuple[dict[str, Any], ...]
    arrays: dict[str, np.ndarray]
    steps: tuple[int, ...]
    end: dict[str, Any]
    non_finite: dict[str, Any]
    evaluations: tuple[Event, ...]
    probe: dict[str, Any]
    probe_arrays: dict[str, np.ndarray]

    @property
    def input_names(self) -> tuple[str, ...]:
        """By which the rows were handed to `fit`, in the order in which they were kept; none for plain arrays."""
        return tuple((self.body.get("train") or {}).get("x_names") or ())


@dataclass(frozen=True)
class RecordedRun:
    folder: Path
    meta: dict[str, Any]
    fits: tuple[RecordedFit, ...]
    events: tuple[Event, ...]
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def weights(self, fit: RecordedFit, step: int) -> tuple[np.ndarray, ...]:
        """Variables after `step` optimiser steps, in the order of the description of the model."""
        values = numbered(self.arrays(f"fit-{fit.index}-weights-{step:09d}"), "v")
        order = fit.body["model"].get("order")
        return values if order is None or not values else tuple(values[i] for i in order)

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        reader = Reader(self.folder)
        try:
            return reader.arrays(name)
        finally:
            reader.close()


def numbered(arrays: Mapping[str, np.ndarray], stem: str) -> tuple[np.ndarray, ...]:
    """`stem0`, `stem1`, ... in their order."""
    names = sorted((k for k in arrays if k.startswith(stem)), key=lambda k: int(k.removeprefix(stem)))
    return tuple(arrays[name] for name in names)


def read_run(folder: Path) -> RecordedRun:
    """Read a run folder; whatever was written before a kill is there."""
    reader = Reader(folder)
    try:
        events = [(s, n, Event(s, k, b)) for s, n, k, b in reader.events()]
        fits = tuple(_fit(reader, s, n, event, events) for s, n, event in events if event.kind == "fit" and n >= 0)
        rest = tuple(event for _, n, event in events if n < 0)
        return RecordedRun(folder, reader.meta(), fits, rest, reader.sources())
    finally:
        reader.close()


def _fit(reader: Reader, sequence: int, number: int, event: Event, events: list[tuple[int, int, Event]]) -> RecordedFit:
    own = [e for _, n, e in events if n == number]
    last = {e.kind: e.body for e in own}
    prefix = f"fit-{number}-weights-"
    later = [
        s
        for s, n, e in events
        if e.kind == "fit" and n > number and e.body.get("model_id") == event.body.get("model_id")
    ]
    until = min(later, default=1 << 62)
    model = event.body.get("model_id")
    streams = {e.body["role"]: e.body["data"] for e in own if e.kind == "stream"}
    if streams.get("train", {}).get("batch_rows"):
        streams["batch_size"] = streams["train"]["batch_rows"]
    return RecordedFit(
        index=number,
        sequence=sequence,
        body={**event.body, "model": last.get("model", event.body["model"]), **last.get("loop", {}), **streams},
        losses=reader.losses(number),
        epochs=tuple(e.body for e in own if e.kind == "epoch"),
        arrays={k: v for part in ("data", "train", "held") for k, v in reader.arrays(f"fit-{number}-{part}").items()},
        steps=tuple(int(n.removeprefix(prefix)) for n in reader.names(prefix)),
        end=last.get("fit-end", {}),
        evaluations=tuple(
            e for s, _, e in events if e.kind == "evaluate" and sequence < s < until and e.body.get("model_id") == model
        ),
        non_finite=last.get("non-finite", {}),
        probe=last.get("probe", {}),
        probe_arrays=reader.arrays(f"fit-{number}-probe"),
    )
