"""What the kernels of a network start with, as the source states it."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass

from unstuck.source.contract import activation_name
from unstuck.source.sighting import argument_node
from unstuck.source.values import Layer, Symbol, Thing, constant, named

_KERNELS = frozenset({"Dense", "Conv1D", "Conv2D", "Conv3D"})
_CONSTANTS = {"zeros": 0.0, "zero": 0.0, "ones": 1.0, "one": 1.0}


@dataclass(frozen=True)
class Start:
    """Of one layer. `value`: the constant that all weights start with; `deviation`: of random ones, if stated."""

    node: ast.AST
    value: float | None
    deviation: float | None
    activation: str
    last: bool
    units: int | None = None


def starts_of(chain: tuple[Layer, ...]) -> list[Start | None]:
    """For each layer with a kernel, the last one first; None where the initialiser is the usual one or not known."""
    layers = [layer for layer in chain if layer.name in _KERNELS]
    return [_start(layer, last=position == 0) for position, layer in enumerate(layers)]


def _start(layer: Layer, *, last: bool) -> Start | None:
    given = layer.argument("kernel_initializer") or layer.argument("init")
    if given is None:
        return None
    name = named(given).replace("_", "").lower()
    plain = not isinstance(given, Symbol) or given.root == "keras"
    value = _CONSTANTS.get(name) if plain else None
    deviation: float | None = None
    if isinstance(given, Thing) and name == "constant":
        stated = constant(given.argument("value", 0), 0.0)
        value = float(stated) if isinstance(stated, (int, float)) else None
    elif isinstance(given, Thing):
        deviation = _deviation(given, name)
    if value is None and deviation is None:
        return None
    activation = activation_name(layer.argument("activation", 1 if layer.name == "Dense" else None))
    units = constant(layer.argument("units" if layer.name == "Dense" else "filters", 0))
    node = argument_node(layer, "kernel_initializer")
    return Start(node, value, deviation, activation, last, units if isinstance(units, int) else None)


def _deviation(given: Thing, name: str) -> float | None:
    if name in ("randomnormal", "truncatednormal"):
        stated = constant(given.argument("stddev", 1))
        return float(stated) if isinstance(stated, (int, float)) else None
    if name == "randomuniform":
        low, high = constant(given.argument("minval", 0)), constant(given.argument("maxval", 1))
        if isinstance(low, (int, float)) and isinstance(high, (int, float)):
            return abs(high - low) / math.sqrt(12)  # of a uniform distribution
    return None
