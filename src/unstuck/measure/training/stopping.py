"""What EarlyStopping and ModelCheckpoint watched, which epoch was best by it, and whether its weights were kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from unstuck.measure.case import Case, Missing

WATCHING = ("EarlyStopping", "ModelCheckpoint")


@dataclass(frozen=True)
class Stopping:
    """A callback that knows the best epoch.

    Attributes:
        kind: of the callback. monitor: what it watched. lowest: whether less is better.
        values: the monitored value after each epoch, (epochs,). best: index of the best one.
        restored: whether the weights of the best epoch were put back, or loaded after the fit.
    """

    kind: str
    monitor: str
    lowest: bool
    values: np.ndarray
    best: int
    restored: bool

    @classmethod
    def of(cls, case: Case) -> Self:
        logs = [epoch["logs"] for epoch in case.fit.epochs]
        for about in case.fit.body.get("callback_settings") or ():
            settings = about["settings"]
            monitor = str(settings.get("monitor") or "")
            if not about["builtin"] or about["kind"] not in WATCHING or not logs or monitor not in logs[0]:
                continue
            if about["kind"] == "ModelCheckpoint" and not settings.get("save_best_only"):
                continue
            values = np.array([float(log.get(monitor, np.nan)) for log in logs])
            if not np.isfinite(values).all():
                continue
            lowest = _lowest(settings, monitor)
            best = int(values.argmin() if lowest else values.argmax())
            kept = bool(settings.get("restore_best_weights")) or _loaded_later(case)
            return cls(about["kind"], monitor, lowest, values, best, kept)
        raise Missing("a callback that watches a metric")

    @property
    def lost(self) -> float:
        """How much worse the last epoch is than the best, relative to the best."""
        last, best = float(self.values[-1]), float(self.values[self.best])
        return abs(last - best) / max(abs(best), 1e-12)


def _lowest(settings: dict[str, Any], monitor: str) -> bool:
    """As Keras decides: by `mode`, and for `auto` by the name."""
    mode = settings.get("mode", "auto")
    if mode in ("min", "max"):
        return bool(mode == "min")
    return not any(part in monitor for part in ("acc", "auc", "precision", "recall", "f1", "fmeasure"))


def _loaded_later(case: Case) -> bool:
    """Whether weights were loaded after this fit, as a checkpoint is; into this model or a new one."""
    loads = [e.sequence for e in case.run.events if e.kind == "load-weights"]
    text = " ".join(line for lines in case.run.sources.values() for line in lines)
    return any(sequence > case.fit.sequence for sequence in loads) or "load_model(" in text
