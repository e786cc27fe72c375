"""A model with several outputs, seen as if it had one of them only: each with its own loss, labels and answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from unstuck.measure.case import Case
from unstuck.measure.network.graph import Graph, ends
from unstuck.measure.setup import by_name
from unstuck.record.recorded import RecordedFit, numbered

Body = dict[str, Any]


@dataclass(frozen=True)
class Outputs:
    """The fit as each output alone has it, by its name; none where there is one output."""

    cases: Mapping[str, Case]

    @classmethod
    def of(cls, case: Case) -> Self:
        return cls(dict(by_output(case)))


def by_output(case: Case) -> Iterator[tuple[str, Case]]:
    """The name of each output that is trained, and the fit as if the model had no other.

    Nothing for models with one output, and where outputs, losses and labels cannot be paired: models without a graph,
    own training steps. What was measured of the sum of the losses is left out.
    """
    fit, graph = case.fit, case.find(Graph)
    model = fit.body["model"]
    labels = numbered(fit.arrays, "train-y")
    if graph is None or not 1 < len(graph.outputs) == len(labels) or model.get("custom_train_step"):
        return
    run = replace(case.run, events=())
    for number, port in enumerate(graph.ports):
        compiled = _compiled(model.get("compile") or {}, graph.ports, number)
        if compiled is not None:
            yield port, Case(run, _alone(fit, graph, number, compiled))


def _alone(fit: RecordedFit, graph: Graph, number: int, compiled: Body) -> RecordedFit:
    body, port = fit.body, graph.ports[number]
    read = graph.upstream(graph.outputs[number : number + 1])
    members = {name for node in graph.nodes.values() if node.name in read for name in node.members}
    model = body["model"]
    config = model["config"]
    inner = config["config"]
    kept = [layer for layer in inner["layers"] if (layer.get("name") or layer["config"].get("name")) in read]
    inner = {**inner, "layers": kept, "output_layers": [list(ends(inner["output_layers"]))[number]]}
    layers = [layer for layer in model["layers"] if layer["name"] in members]
    return replace(
        fit,
        body={
            **body,
            "model": {**model, "config": {**config, "config": inner}, "layers": layers, "compile": compiled},
            "train": _described(body["train"], number),
            "held": _described(body.get("held") or {}, number),
            "class_weight": None,
        },
        losses=_losses(fit, port),
        epochs=tuple({**e, "logs": _logs(e["logs"], port)} for e in fit.epochs),
        arrays={**_of_output(fit.arrays, "train-y", number), **_of_output(fit.arrays, "held-y", number)},
        evaluations=(),
        probe=_probe(fit.probe),
        probe_arrays={
            name: fit.probe_arrays[key]
            for name in ("train-outputs", "held-outputs")
            if (key := f"{name}-{number}" if number else name) in fit.probe_arrays
        },
    )


def _compiled(settings: Mapping[str, Any], ports: Sequence[str], number: int) -> Body | None:
    """The settings of compile for one output; None where it has no loss, or one that counts nothing."""
    wrapped = "class_name" in settings
    chosen = dict((settings.get("config") if wrapped else settings) or {})
    loss = _own(chosen.get("loss"), ports, number, chosen.get("loss"))
    if loss is None or _own(chosen.get("loss_weights"), ports, number, 1.0) == 0:
        return None
    metrics = _own(chosen.get("metrics"), ports, number, chosen.get("metrics"))
    chosen |= {"loss": loss, "loss_weights": None, "metrics": metrics, "weighted_metrics": None}
    return {**settings, "config": chosen} if wrapped else chosen


def _own(given: Any, ports: Sequence[str], number: int, otherwise: Any) -> Any:
    """What was given for one output by its name or its place; what was given for all of them otherwise."""
    if by_name(given):
        return given.get(ports[number])
    return given[number] if isinstance(given, (list, tuple)) and len(given) == len(ports) else otherwise


def _described(about: Body, number: int) -> Body:
    return {**about, "y": (about.get("y") or [])[number : number + 1], "y_names": []}


def _of_output(arrays: Mapping[str, np.ndarray], stem: str, number: int) -> dict[str, np.ndarray]:
    """The arrays with one of `stem0`, `stem1`, ... as `stem0`, and the others gone."""
    others = {name: array for name, array in arrays.items() if not name.startswith(("train-y", "held-y"))}
    own = arrays.get(f"{stem}{number}")
    return others if own is None else {**others, f"{stem}0": own}


def _logs(logs: Mapping[str, Any], port: str) -> Body:
    """What Keras printed of this output, under the names it has where there is no other."""
    own = {}
    for name, value in logs.items():
        held, plain = ("val_", name.removeprefix("val_")) if name.startswith("val_") else ("", name)
        if plain.startswith(f"{port}_"):
            own[held + plain.removeprefix(f"{port}_")] = value
    return own


def _losses(fit: RecordedFit, port: str) -> np.ndarray:
    """The table of steps with the loss of this output as printed for the epoch, NaN where the sum of all was no number.

    Steps of epochs for which none was printed are left out, if it was one.
    """
    printed = {e["epoch"]: e["logs"].get(f"{port}_loss") for e in fit.epochs}
    values = [printed.get(int(epoch)) for epoch in fit.losses[:, 0]]
    own = np.array([np.nan if value is None else float(value) for value in values])
    finite = np.isfinite(fit.losses[:, 2])
    table = np.column_stack([fit.losses[:, :2], np.where(finite, own, np.nan)])
    return np.asarray(table[~finite | np.isfinite(own)])


def _probe(probe: Body) -> Body:
    """The replay without the sum of all losses."""
    nan = float("nan")
    moments = [{**moment, "loss": nan} for moment in probe.get("moments") or ()]
    return {**probe, "moments": moments, "evaluated_loss": nan} if "moments" in probe else probe
