"""Flags of layers that were changed between two fits of one model without compiling in between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from unstuck.measure.case import Case


@dataclass(frozen=True)
class TrainableChange:
    """What changed since the last fit of the same compiled model.

    Attributes:
        earlier: index of that fit, None when this is the first since compile.
        frozen, thawed: names of layers with weights that were trainable then and are not now, and the reverse.
    """

    earlier: int | None
    frozen: tuple[str, ...] = ()
    thawed: tuple[str, ...] = ()

    @classmethod
    def of(cls, case: Case) -> Self:
        fit, body = case.fit, case.fit.body
        compiled = max(
            (
                event.sequence
                for event in case.run.events
                if event.kind == "compile"
                and event.body["model_id"] == body["model_id"]
                and event.sequence < fit.sequence
            ),
            default=-1,
        )
        before = [
            other
            for other in case.run.fits
            if compiled < other.sequence < fit.sequence and other.body["model_id"] == body["model_id"]
        ]
        then, now = (_flags(f.body["model"]) if f else {} for f in (before[-1] if before else None, fit))
        if not before or then.keys() != now.keys():
            return cls(None)
        return cls(
            before[-1].index,
            tuple(name for name in now if then[name] and not now[name]),
            tuple(name for name in now if now[name] and not then[name]),
        )


def _flags(model: dict[str, Any]) -> dict[str, bool]:
    return {layer["name"]: layer["trainable"] for layer in model["layers"] if layer["params"]}
