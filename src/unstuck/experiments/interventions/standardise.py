"""Inputs or targets with mean 0 and standard deviation 1 over the training rows."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

import numpy as np

from unstuck.experiments.experiment import Experiment, layer_configs
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Edit, Fix
from unstuck.measure.code.source import called
from unstuck.measure.setup import Setup

PIXEL_RANGE = 255
"""Rank-3 inputs of whole numbers up to here are grey images: one mean for all, not one a pixel column."""


@dataclass(frozen=True)
class StandardiseInputs(Intervention):
    """Subtract the mean and divide by the standard deviation of each column, or channel, of the training rows."""

    @property
    def label(self) -> str:
        return "inputs standardised"

    def apply(self, experiment: Experiment) -> Experiment:
        ids = any(layer["class_name"] == "Embedding" for layer in layer_configs(experiment.model))
        x, held = [], []
        for array, held_array in zip(experiment.x, experiment.held_x, strict=True):
            token_ids = ids and (array.dtype.kind in "biu" or _whole(array))
            mean, spread = (np.zeros(()), np.ones(())) if token_ids else _moments(array)
            x.append(array if token_ids else _scaled(array, mean, spread))
            held.append(held_array if token_ids else _scaled(held_array, mean, spread))
        return replace(experiment, x=tuple(x), held_x=tuple(held))

    def edit(self, setup: Setup) -> Fix | None:
        title = "scale the inputs with a Normalization layer adapted to the training rows"
        edits = _normalization_edits(setup)
        other = "StandardScaler, fitted on the training rows only"
        return Fix(title=title, applicability="suggested" if edits else "sketch", edits=edits, alternative=other)


@dataclass(frozen=True)
class StandardiseTargets(Intervention):
    """Train on targets of mean 0 and standard deviation 1; answers are mapped back before they are scored.

    Attributes:
        centre: subtract the mean too; an output that cannot be negative must not.
    """

    centre: bool = True

    @property
    def label(self) -> str:
        return "targets standardised" if self.centre else "targets divided by their size"

    def apply(self, experiment: Experiment) -> Experiment:
        y = np.asarray(experiment.y, dtype=np.float64)
        flat = y.reshape(len(y), -1)
        shift = np.nanmean(flat, axis=0) if self.centre else np.zeros(flat.shape[1])
        spread = np.sqrt(np.nanmean((flat - shift) ** 2, axis=0))
        spread = np.where(np.isfinite(spread) & (spread > 0), spread, 1.0)
        dtype = experiment.y.dtype if experiment.y.dtype.kind == "f" else np.dtype(np.float32)
        decoding = replace(experiment.decoding, scale=spread, shift=shift)
        scaled = ((flat - shift) / spread).reshape(experiment.y.shape).astype(dtype)
        return replace(experiment, y=scaled, decoding=decoding)

    def edit(self, setup: Setup) -> Fix | None:
        place = setup.sources.argument(setup.sites["fit"], "y", 1)
        name = setup.sources.text(place)
        change = f"({name} - {name}.mean()) / {name}.std()" if self.centre else f"{name} / {name}.std()"
        named = all(part.isidentifier() for part in name.split("."))  # y_train, or frame.values
        edit = setup.sources.replace(place, change) if named else None
        return Fix(
            title="scale the targets by the training rows, and map predictions back",
            applicability="sketch",
            edits=(edit,) if edit else (),
        )


def _moments(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the finite values along the last axis, or of all of them for grey images."""
    values = np.where(np.isfinite(array), array, np.nan).astype(np.float64)
    grey = array.ndim == 3 and _whole(array) and 0 <= np.nanmin(values) and np.nanmax(values) <= PIXEL_RANGE
    axes = tuple(range(values.ndim)) if grey or values.ndim == 1 else tuple(range(values.ndim - 1))
    mean, spread = np.nan_to_num(np.nanmean(values, axis=axes)), np.nan_to_num(np.nanstd(values, axis=axes))
    # A column that does not vary has only rounding for a spread: dividing by that would invent a signal.
    return mean, np.where(spread > 1e-7 * np.maximum(np.abs(mean), 1e-30), spread, 1.0)


def _scaled(array: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    dtype = array.dtype if array.dtype.kind == "f" else np.dtype(np.float32)
    scaled: np.ndarray = ((array - mean) / spread).astype(dtype)
    return scaled


def _whole(array: np.ndarray) -> bool:
    return bool(array.dtype.kind in "biu" or np.all(array == np.round(array)))


def _normalization_edits(setup: Setup) -> tuple[Edit, ...]:
    """A layer adapted to the rows given to fit, at the front of a `Sequential([...])` or of a chain of `model.add`."""
    return _front_of_list(setup) or _front_of_chain(setup)


def _front_of_chain(setup: Setup) -> tuple[Edit, ...]:
    """New lines above the first `model.add(...)` of a layer that is no input."""
    sources = setup.sources
    first = next((layer for layer in setup.layers if layer.kind != "InputLayer"), None)
    site, call = (first.site, sources.call(first.site)) if first else (None, None)
    rows = sources.text(sources.argument(setup.sites["fit"], "x", 0))
    if first is None or site is None or call is None or not rows.isidentifier():
        return ()
    lines = sources.lines[site["file"]]
    before = lines[site["line"] - 1][: site["column"] - 1]
    model, prefix = before.removesuffix(".add("), ast.unparse(call.func).removesuffix(first.kind)
    statement = _statement(lines, call)
    if not before.endswith(".add(") or not model.isidentifier() or not prefix.endswith("."):
        return ()
    if statement is None or not _assigned_before(lines, rows, statement):
        return ()
    text = f"normalise = {prefix}Normalization()\nnormalise.adapt({rows})\n{model}.add(normalise)\n"
    at = (statement.lineno, 1)
    return (Edit(file=sources.shown(site["file"]), start=at, end=at, text=text),)


def _front_of_list(setup: Setup) -> tuple[Edit, ...]:
    """Two insertions: the layer above the statement of the model, and its place at the front of the list."""
    sources, site = setup.sources, setup.sites["model"]
    call, rows = sources.call(site), sources.text(sources.argument(setup.sites["fit"], "x", 0))
    front = _front(call)
    if site is None or call is None or front is None or not rows.isidentifier():
        return ()
    lines = sources.lines[site["file"]]
    statement = _statement(lines, call)
    if statement is None or not _assigned_before(lines, rows, statement):
        return ()
    prefix, importing = _layers_module(call)
    indent = " " * statement.col_offset
    text = f"{importing}normalise = {prefix}Normalization()\n{indent}normalise.adapt({rows})\n{indent}"
    at = (statement.lineno, statement.col_offset + 1)
    before = (front.lineno, len(lines[front.lineno - 1].encode()[: front.col_offset].decode()) + 1)
    file = sources.shown(site["file"])
    gap = "normalise, " if front.lineno == call.lineno else f"normalise,\n{' ' * (before[1] - 1)}"
    return (
        Edit(file=file, start=at, end=at, text=text),
        Edit(file=file, start=before, end=before, text=gap),
    )


def _front(call: ast.Call | None) -> ast.expr | None:
    """The first layer after the input in the list of a Sequential call."""
    name = called(call) if call else ""
    if call is None or name != "Sequential" or not call.args or not isinstance(call.args[0], ast.List):
        return None
    for item in call.args[0].elts:
        made = getattr(getattr(item, "func", None), "attr", getattr(getattr(item, "func", None), "id", ""))
        if made not in ("Input", "InputLayer"):
            return item
    return None


def _statement(lines: tuple[str, ...], call: ast.Call) -> ast.stmt | None:
    """The innermost statement that holds the call."""
    holding = [
        node
        for node in ast.walk(ast.parse("\n".join(lines)))
        if isinstance(node, ast.stmt)
        and node.lineno <= call.lineno
        and (node.end_lineno or 0) >= (call.end_lineno or 0)
    ]
    return max(holding, key=lambda node: (node.lineno, node.col_offset), default=None)


def _assigned_before(lines: tuple[str, ...], name: str, statement: ast.stmt) -> bool:
    """Whether `name` is assigned at module level above a statement that is at module level itself."""
    if statement.col_offset:
        return False
    for node in ast.parse("\n".join(lines)).body:
        if node.lineno < statement.lineno and isinstance(node, ast.Assign):
            stored = {n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
            if name in stored:
                return True
    return False


def _layers_module(call: ast.Call) -> tuple[str, str]:
    """How the file says `keras.layers.`, and the import that it needs for that."""
    parts = ast.unparse(call.func).split(".")
    if "keras" in parts:
        return ".".join(parts[: parts.index("keras") + 1]) + ".layers.", ""
    return "keras.layers.", "import keras\n"
