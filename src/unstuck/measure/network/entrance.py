"""The way of the inputs to the first weights: what reads them, and what brings them to scale before or right after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from unstuck.measure.case import Case
from unstuck.measure.contract import PLAIN_HEADS
from unstuck.measure.setup import Layer, Setup

RECURRENT = frozenset({"LSTM", "GRU", "SimpleRNN", "Bidirectional", "TimeDistributed"})
NORMALISING = frozenset({"BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization"})


@dataclass(frozen=True)
class Entrance:
    """What the inputs meet.

    Attributes:
        first: the first layer that multiplies the inputs by weights; None when none is known.
        rescaling: the Rescaling layers before it.
        scale: their scales multiplied, NaN when a scale is not one number.
        normalised: whether a normalising layer comes before `first`, or right after it with nothing bent in between,
            so that the scale of the inputs cancels.
    """

    first: Layer | None
    rescaling: tuple[Layer, ...]
    scale: float
    normalised: bool

    @classmethod
    def of(cls, case: Case) -> Self:
        setup = case.get(Setup)
        first = first_reader(setup)
        end = len(setup.layers) if first is None else first.index
        before = [layer for layer in setup.layers if layer.index < end]
        rescaling = tuple(layer for layer in before if layer.kind == "Rescaling" and layer.builtin)
        return cls(
            first=first,
            rescaling=rescaling,
            scale=float(np.prod([_number(layer.config.get("scale")) for layer in rescaling])),
            normalised=any(layer.kind in NORMALISING for layer in before) or normalised_after(setup, first),
        )


def first_reader(setup: Setup) -> Layer | None:
    """The first layer with weights that multiplies the inputs; a layer of the person's own may be one."""
    readers = PLAIN_HEADS | RECURRENT | {"DepthwiseConv2D"}
    return next((layer for layer in setup.layers if layer.kind in readers or not layer.builtin), None)


def normalised_after(setup: Setup, first: Layer | None) -> bool:
    """Whether a normalising layer follows the first weights directly, without an activation between."""
    if first is None or first.activation != "linear" or first.index + 1 >= len(setup.layers):
        return False
    return setup.layers[first.index + 1].kind in NORMALISING


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")
