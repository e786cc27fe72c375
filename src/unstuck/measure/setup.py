"""What was built and asked for: layers, output head, loss, optimiser, fit arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeGuard

import numpy as np

from unstuck.finding import Edit, Location
from unstuck.measure.case import Case, Missing
from unstuck.measure.code.source import Sources, called, place_as_site
from unstuck.measure.labels.class_keys import weights_by_label
from unstuck.measure.network.graph import Graph

LOSS_NAMES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "logcosh": "log_cosh",
    "cosine": "cosine_similarity",
}
BINARY = frozenset({"binary_crossentropy", "binary_focal_crossentropy"})
CATEGORICAL = frozenset({"categorical_crossentropy", "categorical_focal_crossentropy"})
SPARSE = frozenset({"sparse_categorical_crossentropy"})
HINGES = frozenset({"hinge", "squared_hinge", "categorical_hinge"})
SQUARED = frozenset(
    {
        "mean_squared_error",
        "mean_absolute_error",
        "huber",
        "log_cosh",
        "mean_absolute_percentage_error",
        "mean_squared_logarithmic_error",
    }
)
SHAPE_ONLY = frozenset({"Flatten", "Reshape", "Dropout", "InputLayer", "Activation", "Permute", "Identity"})
AFFINE = SHAPE_ONLY | {
    "Dense",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "BatchNormalization",
    "Normalization",
    "Rescaling",
    "ZeroPadding2D",
    "AveragePooling1D",
    "AveragePooling2D",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
}
"""Layers that are affine maps of their input when they have no activation."""


@dataclass(frozen=True)
class Layer:
    """A layer as it was configured. `params` is None when it was never built."""

    index: int
    name: str
    kind: str
    config: Mapping[str, Any]
    trainable: bool
    params: int | None
    output_shape: tuple[int | None, ...] | None
    site: Mapping[str, Any] | None
    builtin: bool

    @property
    def activation(self) -> str:
        """Name of the activation the layer applies itself: `linear` when none; custom ones give their own name."""
        if self.kind in ("ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax"):
            return {"ReLU": "relu", "LeakyReLU": "leaky_relu"}.get(self.kind, self.kind.lower())
        return _named(self.config.get("activation")) or "linear"

    @property
    def units(self) -> int | None:
        return self.config.get("units") or self.config.get("filters")

    @property
    def returns_sequences(self) -> bool:
        """Whether a recurrent layer, or the one that `Bidirectional` wraps, gives all its steps."""
        inner = self.config.get("layer")
        wrapped = inner["config"] if isinstance(inner, dict) and isinstance(inner.get("config"), dict) else None
        return bool((wrapped or self.config).get("return_sequences"))

    @property
    def precision(self) -> str:
        """Name of the dtype policy: `float32`, `mixed_float16`, `float16`, ..."""
        given = self.config.get("dtype")
        return str(given["config"].get("name", "")) if isinstance(given, dict) and "config" in given else str(given)


@dataclass(frozen=True)
class Head:
    """The output: last layer with weights, what follows it, and the activation that the output ends with."""

    layer: Layer
    units: int | None
    activation: str
    activation_layer: Layer
    """The layer that applies the activation: the head itself or an Activation/Softmax layer after it."""
    following: tuple[Layer, ...]

    @property
    def before(self) -> Layer | None:
        """The layer that has applied the output's activation before `activation_layer` does so again; None if none."""
        chain = (self.layer, *self.following)
        earlier = (layer for layer in chain if layer.index < self.activation_layer.index)
        return next((layer for layer in earlier if layer.activation == self.activation), None)


@dataclass(frozen=True)
class Loss:
    """The compiled loss. `name` is snake case and canonical (`mean_squared_error`), "" when there is none."""

    name: str
    from_logits: bool = False
    custom: bool = False
    config: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Optimizer:
    kind: str
    learning_rate: float | None
    schedule: str
    momentum: float
    config: Mapping[str, Any]

    @property
    def default_rate(self) -> float:
        """The learning rate that Keras gives this kind of optimiser when none is asked for."""
        return 0.01 if self.kind == "sgd" else 0.001

    @property
    def schedule_class(self) -> str:
        """`CosineDecay`, as it is written; "" where the rate is a number."""
        rate = self.config.get("learning_rate")
        return str(rate.get("class_name", "")) if isinstance(rate, dict) else ""

    @property
    def rate_is(self) -> str:
        """`the learning rate of 0.1 is`, or `the rates of CosineDecay are`: a schedule begins with one of many."""
        if self.schedule:
            return f"the rates of {self.schedule_class} are"
        return (
            "the learning rate is" if self.learning_rate is None else f"the learning rate of {self.learning_rate:g} is"
        )


@dataclass(frozen=True)
class Setup:
    """Everything the person wrote that decides how training goes."""

    backend: str
    layers: tuple[Layer, ...]
    head: Head
    """Of the first output, where there are several: it is the one that is scored."""
    loss: Loss
    optimizer: Optimizer
    metrics: tuple[str, ...]
    batch_size: int
    epochs: int
    rows: int
    class_weight: Mapping[str, float] | None
    sites: Mapping[str, Mapping[str, Any] | None]
    """Recorded call sites: `model`, `compile`, `fit`."""
    model_kind: str
    rebuildable: bool
    custom_train_step: bool
    sources: Sources
    shuffle: bool = True
    callbacks: tuple[str, ...] = ()
    """Class names of the callbacks handed to fit."""
    losses_by_name: bool = False
    """Whether compile was given the losses of several outputs by their names."""
    elsewhere: frozenset[str] = frozenset()
    """Names of layers that only other outputs than the first read."""

    @classmethod
    def of(cls, case: Case) -> Self:
        body, model = case.fit.body, case.fit.body["model"]
        sources, fit_site = case.get(Sources), body.get("site")
        raw_layers = (_without_wrapper(raw, sources) for raw in model["layers"])
        layers = _placed(tuple(_layer(i, raw) for i, raw in enumerate(raw_layers)), sources, fit_site)
        if not layers:
            raise Missing("the layers of the model", "build the model from Keras layers that it tracks")
        compiled = _config(model.get("compile")) or {}
        graph = case.find(Graph)
        elsewhere = graph.elsewhere if graph else frozenset[str]()
        return cls(
            backend=body["backend"],
            layers=layers,
            head=_head(tuple(layer for layer in layers if layer.name not in elsewhere) or layers),
            loss=compiled_loss(_of_port(compiled.get("loss"), graph.ports if graph else ()), known="loss" in compiled),
            optimizer=_optimizer(model.get("optimizer") or {}),
            metrics=tuple(_named(m) for m in _listed(compiled.get("metrics"))),
            batch_size=body["batch_size"],
            epochs=body["epochs"],
            rows=int(body["train"].get("rows") or 0),
            class_weight=weights_by_label(body),
            sites={
                "model": model.get("site"),
                "compile": body.get("compile_site") or _only(sources, fit_site, "compile"),
                "fit": fit_site,
            },
            model_kind=model["kind"],
            rebuildable=model.get("config") is not None,
            custom_train_step=bool(model.get("custom_train_step")),
            sources=sources,
            shuffle=bool(body.get("shuffle", True)),
            callbacks=tuple(body.get("callbacks") or ()),
            losses_by_name=by_name(compiled.get("loss")),
            elsewhere=elsewhere,
        )

    @property
    def steps_per_epoch(self) -> int:
        return max(1, -(-self.rows // self.batch_size))

    @property
    def before_head(self) -> tuple[Layer, ...]:
        """Layers before the head, on the way to it."""
        end = self.head.layer.index
        return tuple(layer for layer in self.layers if layer.index < end and layer.name not in self.elsewhere)

    @property
    def hidden(self) -> tuple[Layer, ...]:
        """Layers with weights before the head."""
        return tuple(layer for layer in self.before_head if layer.params)

    def fit_location(self, label: str = "") -> Location | None:
        return self.sources.location(self.sites["fit"], label)

    def fit_edit(self, name: str, text: str, position: int | None = None) -> Edit | None:
        """Give an argument of fit another value; None where the line calls what calls fit, as cross_val_score does."""
        call = self.sources.call(self.sites["fit"])
        if call is None or called(call) != "fit":
            return None
        return self.sources.set_argument(self.sites["fit"], name, text, position)

    def compile_location(self, argument: str = "", position: int | None = None, label: str = "") -> Location | None:
        """The compile call, or one of its arguments."""
        site = self.sites["compile"]
        found = self.sources.argument(site, argument, position, label=label, whole=True) if argument else None
        return found or self.sources.location(site, label)

    def loss_location(self, label: str = "") -> Location | None:
        return self.compile_location("loss", 1, label)

    def optimizer_location(self, label: str = "") -> Location | None:
        return self.compile_location("optimizer", 0, label)

    def made_site(self, name: str) -> Mapping[str, Any] | None:
        """The first call of a class, a callback or a schedule, in the file that calls fit."""
        fit = self.sites["fit"]
        return next(iter(self.sources.calls_named(fit["file"], name)), None) if fit else None

    def made_location(self, name: str, label: str = "") -> Location | None:
        """Where that call stands."""
        return self.sources.location(self.made_site(name), label)

    def layer(self, name: str) -> Layer | None:
        """The layer of this name."""
        return next((layer for layer in self.layers if layer.name == name), None)

    def layer_location(
        self, layer: Layer, argument: str = "", position: int | None = None, label: str = ""
    ) -> Location | None:
        """The call that built a layer, or one of its arguments (`name=value` together)."""
        found = self.sources.argument(layer.site, argument, position, label=label, whole=True) if argument else None
        return found or self.sources.location(layer.site, label)


def _placed(layers: tuple[Layer, ...], sources: Sources, fit: Mapping[str, Any] | None) -> tuple[Layer, ...]:
    """Layers without a recorded call site get the one in the file that calls fit, where kinds and numbers agree."""
    if fit is None or any(layer.site for layer in layers):
        return layers
    placed = list(layers)
    for kind in {layer.kind for layer in layers}:
        own = [layer for layer in layers if layer.kind == kind]
        calls = sources.calls_named(fit["file"], kind)
        if len(calls) == len(own):
            for layer, site in zip(own, calls, strict=True):
                placed[layer.index] = replace(layer, site=site)
    return tuple(placed)


def _only(sources: Sources, fit: Mapping[str, Any] | None, name: str) -> dict[str, Any] | None:
    calls = sources.calls_named(fit["file"], name) if fit else []
    return calls[0] if len(calls) == 1 else None


def wrapped_dense(kind: str, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Settings of the Dense layer that a TimeDistributed applies; None for other layers."""
    inner = config.get("layer") if kind == "TimeDistributed" else None
    return inner["config"] if isinstance(inner, dict) and inner.get("class_name") == "Dense" else None


def _without_wrapper(raw: Mapping[str, Any], sources: Sources) -> Mapping[str, Any]:
    """TimeDistributed(Dense) as the Dense that it is: Keras applies Dense to the last axis, whatever the others."""
    inner = wrapped_dense(raw["kind"], raw.get("config") or {})
    if inner is None:
        return raw
    outer = raw.get("site")
    place = sources.argument(outer, "layer", 0) if outer else None
    site = place_as_site(place, outer) if place is not None and outer else None
    return {**raw, "kind": "Dense", "config": inner, "site": site}


def _layer(index: int, raw: Mapping[str, Any]) -> Layer:
    shape = raw.get("output_shape")
    return Layer(
        index=index,
        name=raw["name"],
        kind=raw["kind"],
        config=raw.get("config") or {},
        trainable=raw["trainable"],
        params=raw.get("params"),
        output_shape=None
        if shape is None or not all(isinstance(s, (int, type(None))) for s in shape)
        else tuple(shape),
        site=raw.get("site"),
        builtin=raw["module"].split(".")[0] == "keras",
    )


def _head(layers: tuple[Layer, ...]) -> Head:
    weighted = [layer for layer in layers if layer.params or layer.kind == "Dense"]
    layer = weighted[-1] if weighted else layers[-1]
    following = tuple(other for other in layers if other.index > layer.index)
    activating = layer
    for other in following:
        if other.activation != "linear":
            activating = other
    return Head(
        layer=layer,
        units=layer.units,
        activation=activating.activation,
        activation_layer=activating,
        following=following,
    )


def _config(serialized: Any) -> Mapping[str, Any] | None:
    if isinstance(serialized, dict):
        return serialized["config"] if "class_name" in serialized and "config" in serialized else serialized
    return None


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, dict) and "class_name" not in value:
        return [leaf for item in value.values() for leaf in _listed(item)]
    return [leaf for item in value for leaf in _listed(item)] if isinstance(value, (list, tuple)) else [value]


def _named(value: Any) -> str:
    """Name of a serialized function or object."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        inner = value.get("config")
        return inner if isinstance(inner, str) else _snake(str(value.get("class_name", "")))
    return ""


def _snake(name: str) -> str:
    out = "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))
    return {"re_l_u": "relu", "leaky_re_l_u": "leaky_relu"}.get(out, out)


def _of_port(losses: Any, ports: Sequence[str]) -> Any:
    """The loss of the first output, where losses are given by its name."""
    return losses[ports[0]] if by_name(losses) and ports and ports[0] in losses else losses


def by_name(given: Any) -> TypeGuard[dict[str, Any]]:
    """Whether something of compile was given for several outputs by their names, and is no serialized object."""
    return isinstance(given, dict) and "class_name" not in given


def compiled_loss(raw: Any, *, known: bool = True) -> Loss:
    """The loss in compile settings: a name, a function, a class, or the first of several."""
    entries = [entry for entry in _listed(raw) if entry is not None]
    if not entries:
        return Loss("" if known else "unknown")
    first = entries[0]
    name = _named(first)
    canonical = LOSS_NAMES.get(name.lower(), _snake(name) if name[:1].isupper() else name)
    config = _config(first) if isinstance(first, dict) and isinstance(first.get("config"), dict) else {}
    module = first.get("module") if isinstance(first, dict) else "keras.losses"
    custom = not str(module or "").startswith(("keras", "builtins")) or (
        isinstance(first, dict)
        and first.get("class_name") == "function"
        and str(module) == "builtins"
        and canonical not in _KNOWN_LOSSES
    )
    return Loss(canonical, bool((config or {}).get("from_logits")), custom, config)


_KNOWN_LOSSES = (
    BINARY
    | CATEGORICAL
    | SPARSE
    | HINGES
    | SQUARED
    | {
        "poisson",
        "kl_divergence",
        "cosine_similarity",
        "dice",
        "tversky",
    }
)


def _optimizer(raw: Mapping[str, Any]) -> Optimizer:
    config = raw.get("config") or {}
    rate = config.get("learning_rate")
    schedule = _named(rate) if isinstance(rate, dict) else ""
    momentum = config.get("momentum")
    number = rate if isinstance(rate, (int, float)) else raw.get("learning_rate")
    return Optimizer(
        kind=str(raw.get("kind", "")),
        learning_rate=None if number is None else float(str(np.float32(number))),  # 0.1 is recorded as 0.1000000015
        schedule=schedule,
        momentum=float(momentum if momentum is not None else 0.0),
        config=config,
    )
