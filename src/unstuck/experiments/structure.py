"""The shape of a serialized model: its output heads, its hidden layers, and room for a new layer before a head."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from unstuck.experiments.experiment import layer_configs
from unstuck.measure.network.graph import output_names, tensors

Config = dict[str, Any]


@dataclass
class Ends:
    """Where a serialized model ends.

    Attributes:
        heads: the last layers with units, each with the model it belongs to.
        after: layers that only follow a head (activations, reshapes).
    """

    heads: list[tuple[Config, Config]] = field(default_factory=list)
    after: list[Config] = field(default_factory=list)


def ends(model: Config) -> Ends:
    """The output heads of a serialized Sequential or Functional model, nested models opened."""
    found = Ends()
    layers = model["config"].get("layers", [])
    if "output_layers" in model["config"]:
        by_name = {layer["config"].get("name"): layer for layer in layers}
        for name in output_names(model["config"]["output_layers"]):
            _walk_back(model, by_name, name, found)
    else:
        for layer in reversed(layers):
            if _is_end(model, layer, found):
                break
    return found


def last_layer(model: Config) -> Config | None:
    """The layer that makes the output of a model that has one, nested models opened."""
    layers = model["config"].get("layers", [])
    if "output_layers" in model["config"]:
        names = list(output_names(model["config"]["output_layers"]))
        layers = [layer for layer in layers if [layer["config"].get("name")] == names]
    if not layers:
        return None
    return last_layer(layers[-1]) if "layers" in layers[-1].get("config", {}) else layers[-1]


def hidden_layers(model: Config) -> list[Config]:
    """All layers that are neither an output head nor follow one, in order."""
    found = ends(model)
    outer = {id(layer) for layer in [*found.after, *[head for _, head in found.heads]]}
    return [layer for layer in layer_configs(model) if id(layer) not in outer]


def activation_name(layer: Config) -> str:
    """Name of the activation a serialized layer applies, also for layers that are nothing but one."""
    if layer["class_name"] in ("ReLU", "LeakyReLU", "ELU", "Softmax"):
        return str({"LeakyReLU": "leaky_relu"}.get(layer["class_name"], layer["class_name"].lower()))
    given = layer["config"].get("activation")
    if isinstance(given, dict):
        given = given.get("config") if isinstance(given.get("config"), str) else given.get("class_name")
    return given if isinstance(given, str) else ""


def forget_shapes(model: Config) -> None:
    """Drop recorded input shapes of all layers, so that each is built from what it is given now."""
    for layer in model["config"].get("layers", []):
        layer.pop("build_config", None)
        if "layers" in layer.get("config", {}):
            layer["config"].pop("build_input_shape", None)
            forget_shapes(layer)


def insert_before_heads(model: Config, new: list[Config]) -> None:
    """Put copies of layers before each Dense head that is called once on one tensor; other heads are left alone.

    Args:
        model: serialized model, changed in place.
        new: serialized layers in order, without names; each keeps the rank of its input.
    """
    for number, (container, head) in enumerate(ends(model).heads):
        if head["class_name"] == "Dense":
            _insert(container, head, new, f"inserted_{number}")
    forget_shapes(model)


def insert_before(model: Config, name: str, *new: Config) -> None:
    """Put layers before the one called `name`, in whichever nested model it is.

    Args:
        model: serialized model, changed in place.
        name: of a layer that is called once on one tensor; another is left alone.
        new: serialized layers in order, without names.
    """
    for layer in list(model["config"].get("layers", [])):
        if layer["config"].get("name") == name:
            _insert(model, layer, list(new), "inserted")
        elif "layers" in layer["config"]:
            insert_before(layer, name, *new)
    forget_shapes(model)


def _insert(container: Config, before: Config, new: list[Config], name: str) -> None:
    layers = container["config"]["layers"]
    at = next(i for i, layer in enumerate(layers) if layer is before)
    functional = "output_layers" in container["config"]
    if functional and len(before.get("inbound_nodes", [])) != 1:
        return
    for step, template in enumerate(new):
        layer = {**template, "config": {**template["config"], "name": f"{name}_{step}"}}
        if functional:
            _link(layer, before, layer["config"]["name"])
        layers.insert(at + step, layer)


def keras_layer(class_name: str, **config: Any) -> Config:
    """A serialized Keras layer without a name."""
    return {"module": "keras.layers", "class_name": class_name, "config": config, "registered_name": None}


def _link(layer: Config, head: Config, name: str) -> None:
    node = head["inbound_nodes"][0]
    layer.update(name=name, inbound_nodes=[{"args": node["args"], "kwargs": {}}])
    tensor = next(tensors(node["args"]))
    inner = {**tensor["config"], "keras_history": [name, 0, 0]}
    head["inbound_nodes"] = [{**node, "args": [{"class_name": "__keras_tensor__", "config": inner}]}]


def _walk_back(model: Config, by_name: dict[str, Config], name: str, found: Ends) -> None:
    layer = by_name.get(name)
    if layer is None or any(layer is seen for seen in found.after) or _is_end(model, layer, found):
        return
    for tensor in tensors(layer.get("inbound_nodes")):
        _walk_back(model, by_name, tensor["config"]["keras_history"][0], found)


def _is_end(model: Config, layer: Config, found: Ends) -> bool:
    """Record a layer as head (True) or as one that follows a head (False)."""
    if "layers" in layer.get("config", {}):
        inner = ends(layer)
        found.heads += inner.heads
        found.after += inner.after
        return bool(inner.heads)
    if "units" in layer["config"] or "filters" in layer["config"]:
        if not any(layer is head for _, head in found.heads):
            found.heads.append((model, layer))
        return True
    found.after.append(layer)
    return False
