"""Edits of the person's source that several interventions share."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from unstuck.finding import Edit, Fix
from unstuck.measure.code.source import Sources, called, place_as_site
from unstuck.measure.setup import Layer, Setup

OPTIMIZERS = {
    "adam": "Adam",
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "adamw": "AdamW",
    "nadam": "Nadam",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "adamax": "Adamax",
}


def fix(title: str, edits: Iterable[Edit | None], *, alternative: str = "") -> Fix:
    """A suggested fix when every edit could be written, else a sketch with those that could. Repeats are dropped."""
    wanted = tuple(dict.fromkeys(edits))
    written = tuple(edit for edit in wanted if edit is not None)
    complete = bool(written) and len(written) == len(wanted)
    return Fix(
        title=title,
        applicability="suggested" if complete else "sketch",
        edits=written,
        alternative=alternative,
    )


def hidden_in_order(setup: Setup) -> tuple[Layer, ...]:
    """All layers before the head, with and without weights."""
    return tuple(layer for layer in setup.layers if layer.index < setup.head.layer.index)


def set_optimizer_argument(setup: Setup, name: str, text: str) -> Edit | None:
    """Give the optimiser of the compile call another argument, where it is made; a string becomes an object."""
    sources, site = setup.sources, setup.sites["compile"]
    place = sources.argument(site, "optimizer", 0)
    if place is None or site is None:
        return None
    written = sources.text(place)
    if written[:1] in ("'", '"'):
        kind, keras = OPTIMIZERS.get(written.strip("'\"").lower()), sources.keras_name(site["file"])
        return sources.replace(place, f"{keras}.optimizers.{kind}({name}={text})") if kind and keras else None
    made = sources.made_by(place) if written.isidentifier() else place_as_site(place, site)
    call = sources.call(made)
    # Of what a function of the person's makes, or an optimiser around another, the arguments are not known.
    if call is None or not called(call)[:1].isupper() or called(call) == "LossScaleOptimizer":
        return None
    if name == "learning_rate":
        return sources.set_argument(made, name, text, 0)
    # what stands second, third, ... without a name differs by optimiser, and may be this argument
    return None if len(call.args) > 1 else sources.set_argument(made, name, text)


def set_optimizer(setup: Setup, call: str) -> Edit | None:
    """Another optimiser in the compile call, `call` as it stands behind `keras.optimizers.`."""
    sources, site = setup.sources, setup.sites["compile"]
    if site is None:
        return None
    keras = sources.keras_name(site["file"])
    return sources.set_argument(site, "optimizer", f"{keras}.optimizers.{call}", 0) if keras else None


def set_metrics(setup: Setup, title: str, written: str) -> Fix:
    """Other metrics in the compile call; they change what is shown and nothing else."""
    return fix(title, [setup.sources.set_argument(setup.sites["compile"], "metrics", written, 3)])


def insert_before(setup: Setup, layer: Layer, calls: tuple[str, ...]) -> Edit | None:
    """New layers before one in `Sequential([...])`, in a chain of `model.add(...)` or called as `Dense(10)(x)`.

    Args:
        setup: the program.
        layer: the one they are put before.
        calls: layer calls without their module, `Dropout(0.5)`.

    Returns:
        None where the layer is written in none of these ways.
    """
    sources, site = setup.sources, layer.site
    call = sources.call(site)
    if call is None or site is None or setup.model_kind not in ("sequential", "functional"):
        return None
    lines = sources.lines[site["file"]]
    start = sources.location(site)
    line = lines[site["line"] - 1]
    before = line[: site["column"] - 1]
    prefix = ast.unparse(call.func).removesuffix(layer.kind)
    calls = tuple(_named(sources, site["file"], prefix, c) for c in calls)
    if start is None or not all(calls):
        return None
    if given := _given(sources.tree(site["file"]), call):
        place = sources.span(site["file"], given)
        new = sources.text(place)
        for c in calls:
            new = f"{c}({new})"
        return sources.replace(place, new)
    if setup.model_kind == "functional":
        return None
    indent = before[: len(before) - len(before.lstrip())]
    if not before.strip():
        new = "".join(f"{c},\n{indent}" for c in calls)
        return Edit(file=start.file, start=(start.line, start.column), end=(start.line, start.column), text=new)
    if before.strip().endswith(".add(") and before.strip().removesuffix(".add(").isidentifier():
        at = (start.line, len(indent) + 1)
        new = "".join(f"{before.strip()}{c})\n{indent}" for c in calls)
        return Edit(file=start.file, start=at, end=at, text=new)
    if before.rstrip().endswith((",", "[")):
        at = (start.line, start.column)
        return Edit(file=start.file, start=at, end=at, text="".join(f"{c}, " for c in calls))
    return None


def _given(tree: ast.Module, layer: ast.Call) -> ast.expr | None:
    """The one tensor that a layer is called on where it is made: `x` of `Dense(10)(x)`."""
    for node in ast.walk(tree):
        made = node.func if isinstance(node, ast.Call) else None
        if not isinstance(node, ast.Call) or not isinstance(made, ast.Call) or len(node.args) != 1 or node.keywords:
            continue
        if _span(made) == _span(layer) and not isinstance(node.args[0], (ast.List, ast.Starred)):
            return node.args[0]
    return None


def _span(node: ast.expr) -> tuple[int, int, int | None, int | None]:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset


def _named(sources: Sources, file: str, prefix: str, call: str) -> str:
    """A layer call as the file can name it: as `prefix` names another, imported by name, or by Keras; "" if it cannot.

    >>> _named(Sources({"a.py": ("from keras.layers import Dense, Flatten",)}, ""), "a.py", "", "Flatten()")
    'Flatten()'
    """
    if prefix:
        return prefix + call
    for node in ast.walk(sources.tree(file)):
        given = [alias.asname or alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
        called = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if call.split("(")[0] in (*given, called):
            return call
    keras = sources.keras_name(file)
    return f"{keras}.layers.{call}" if keras else ""
