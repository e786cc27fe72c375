"""What the output, the labels and the loss promise each other: shapes, number of outputs, how the fit ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from unstuck.measure.case import Case
from unstuck.measure.data import Data
from unstuck.measure.replay import Replay
from unstuck.measure.setup import SHAPE_ONLY, Layer, Setup
from unstuck.measure.task import Task

Shape = tuple[int | None, ...]
PLAIN_HEADS = frozenset({"Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "SeparableConv2D"})
"""Layers whose activation is applied to the output itself; a recurrent layer applies it to a state inside."""
UNPAIRED = "the loss and the output cannot be paired (several outputs, or an own training step)"
AN_INDEX = "a class number is an index: Keras casts it to an integer, which drops what stands behind the point"
"""Of sparse categorical cross-entropy."""
UNKNOWN_SHAPES = "the shape of the labels or of the output is not known"
POOLING = frozenset({"GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"})


@dataclass(frozen=True)
class Contract:
    """The output side of a fit.

    Attributes:
        outputs: number of outputs; the head and the loss of `Setup` belong together only when it is 1.
        shape: of the output with the batch axis, None where it is not known.
        error: what `fit` ended with, "" when it completed.
        own_loss: whether layers that are not Keras's may add a loss of their own.
        label_shape: of the targets as given, with the number of all rows; None when there were none.
        validation_split: the share that Keras cut off the end of the training rows.
    """

    outputs: int
    shape: Shape | None
    error: str = ""
    own_loss: bool = False
    label_shape: Shape | None = None
    validation_split: float = 0.0

    @classmethod
    def of(cls, case: Case) -> Self:
        setup, body = case.get(Setup), case.fit.body
        labels = body["train"].get("y") or []
        settings = body["model"].get("compile") or {}
        losses = ((settings.get("config") if "class_name" in settings else settings) or {}).get("loss")
        return cls(
            outputs=max(_outputs(body["model"].get("config")), _count(losses), len(labels), 1),
            shape=_output_shape(setup),
            error=str(case.fit.end.get("error") or ""),
            own_loss=setup.model_kind == "subclassed" or any(not layer.builtin for layer in setup.layers),
            label_shape=tuple(labels[0]["shape"]) if labels else None,
            validation_split=float(body.get("validation_split") or 0.0),
        )

    @property
    def width(self) -> int | None:
        """Length of the last axis of the output."""
        return self.shape[-1] if self.shape else None

    @property
    def single(self) -> bool:
        return self.outputs == 1


def paired(setup: Setup, contract: Contract) -> bool:
    """Whether the head and the loss of `Setup` belong together: one output, trained by Keras's own step."""
    return contract.single and not setup.custom_train_step


def output_shape(contract: Contract, replay: Replay | None) -> Shape | None:
    """The shape of the output by the layers or, where they do not tell, by the replay."""
    if contract.shape is None and replay is not None and replay.train_outputs.size:
        return replay.train_outputs.shape
    return contract.shape


def by_row(shape: Shape) -> str:
    """A shape with the batch axis, for people.

    >>> by_row((None, 12, 1)), by_row((500,))
    ('(rows, 12, 1)', '(rows)')
    """
    return f"({', '.join(map(str, ('rows', *shape[1:])))})"


def plain_output(setup: Setup) -> bool:
    """Whether the output is the head's: nothing but Keras layers that keep or pool the values follows it."""
    harmless = SHAPE_ONLY | POOLING | {"Softmax", "ReLU", "LeakyReLU", "ELU"}
    kind = setup.head.layer.kind
    return (
        (kind in PLAIN_HEADS or kind == "BatchNormalization")
        and setup.head.layer.builtin
        and all(layer.kind in harmless and layer.builtin for layer in setup.head.following)
    )


def probabilities(setup: Setup) -> Layer | None:
    """The last layer that ends with softmax or sigmoid, where no layer with units of its own follows it."""
    made = [layer for layer in setup.layers if layer.activation in ("softmax", "sigmoid")]
    return made[-1] if made and not any(layer.units for layer in setup.layers[made[-1].index + 1 :]) else None


def output_units(setup: Setup, contract: Contract) -> int | None:
    """Length of the output's last axis: as it was seen, else the units of the head; None when neither is known."""
    return contract.width or setup.head.units


def width_of_activation(setup: Setup) -> int | None:
    """Length of the axis that the output's activation works along, None when it is not known."""
    head = setup.head
    acting = head.activation_layer
    if acting.output_shape:
        axis = acting.config.get("axis", -1) if acting.kind == "Softmax" else -1
        return acting.output_shape[axis] if isinstance(axis, int) else None
    between = [layer for layer in head.following if layer.index < acting.index]
    reshaped = any(layer.kind in ("Flatten", "Reshape", "Permute") for layer in between)
    return None if reshaped else head.units


def suited_loss(setup: Setup, contract: Contract, task: Task | None, data: Data | None) -> tuple[str, bool]:
    """The Keras loss that belongs to this output and these labels, and whether it must take logits."""
    linear = setup.head.activation == "linear"
    if task is None or data is None:
        named = {"sigmoid": "binary_crossentropy", "softmax": "categorical_crossentropy"}
        return named.get(setup.head.activation, "mean_squared_error"), False
    if task.kind == "regression":
        return "mean_squared_error", False
    if task.kind == "multilabel" or (task.kind == "binary" and contract.width in (1, None)):
        return "binary_crossentropy", linear
    one_hot = data.y.ndim > 1 and data.y.shape[-1] > 1
    return ("categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"), linear


def _output_shape(setup: Setup) -> Shape | None:
    last = setup.layers[-1]
    if last.output_shape:
        return last.output_shape
    flat = {"Dense", "Dropout", "BatchNormalization", "Activation", "Softmax", "InputLayer", "ReLU"}
    tabular = all(layer.kind in flat for layer in setup.layers)
    return (None, setup.head.units) if tabular and setup.head.units else None


def _outputs(config: Any) -> int:
    """Number of outputs in a serialized functional model; 1 for the rest."""
    inner = config.get("config") if isinstance(config, dict) else None
    listed = inner.get("output_layers") if isinstance(inner, dict) else None
    if isinstance(listed, dict):
        return len(listed)
    nested = isinstance(listed, (list, tuple)) and bool(listed) and isinstance(listed[0], (list, tuple, dict))
    return len(listed) if nested and listed is not None else 1


def _count(losses: Any) -> int:
    """Losses given to compile; a dict or a list has one an output."""
    if isinstance(losses, dict) and "class_name" not in losses:
        return len(losses)
    return len(losses) if isinstance(losses, (list, tuple)) else 1
