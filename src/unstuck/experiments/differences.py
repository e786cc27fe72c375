"""Where backends really differ: fits that JAX would not train as the recorded backend did."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np

from unstuck.experiments.experiment import Experiment, compile_config
from unstuck.experiments.interventions.loss import settled_loss
from unstuck.experiments.structure import activation_name, last_layer
from unstuck.measure.data import Data
from unstuck.measure.setup import BINARY, CATEGORICAL, SPARSE, Setup, compiled_loss

TAKES_BACK = {
    "binary_crossentropy": "sigmoid",
    "categorical_crossentropy": "softmax",
    "sparse_categorical_crossentropy": "softmax",
}
"""The activation that each of TensorFlow's losses undoes where the output ends with it."""


def trained_otherwise(setup: Setup, data: Data) -> str:
    """Why trials of this fit must run on its own backend, in words; "" when JAX trains it the same way.

    Sources: keras/src/backend/tensorflow/nn.py (`_get_logits` takes the logits back from a softmax or sigmoid;
    `softmax_cross_entropy_with_logits` assumes that label rows sum to 1; sparse labels are checked on the CPU),
    keras/src/backend/jax/nn.py (`one_hot` of a label out of range is a row of zeros, without an error).
    """
    if setup.backend == "jax":
        return ""
    if setup.custom_train_step:
        return f"its train_step is written for {setup.backend}"
    name, head = setup.loss.name, setup.head
    if name in SPARSE and _out_of_range(data.y, head.units):
        return f"labels are out of range, which {setup.backend} and JAX treat differently"
    if not all(np.isfinite(a).all() for a in (*data.x, data.y) if a.dtype.kind == "f"):
        return "some inputs or targets are not finite, and activations of the backends pass them on differently"
    if setup.backend != "tensorflow" or name not in BINARY | CATEGORICAL | SPARSE:
        return ""
    if head.units == 1 and (head.activation == "softmax" or name in CATEGORICAL | SPARSE):
        return "TensorFlow takes the logits back from a softmax over one unit"
    if setup.loss.from_logits and head.activation not in ("linear", ""):
        return f"TensorFlow takes the logits back from the {head.activation}"
    if name in CATEGORICAL and data.y.ndim > 1 and not np.allclose(data.y.sum(axis=-1), 1, atol=1e-3):
        return "rows of the labels do not sum to 1, for which TensorFlow's gradient is another one"
    return ""


def as_on_tensorflow(experiment: Experiment) -> Experiment:
    """The experiment as TensorFlow trains it, for the batched engine: the loss sees the logits that it takes back.

    Left as it is, a saturated softmax or sigmoid has no gradient on JAX; on TensorFlow it has one.
    """
    loss = settled_loss(compile_config(experiment.compile).get("loss"))
    model = copy.deepcopy(experiment.model)
    layer = last_layer(model)
    if loss is None or layer is None or experiment.other_y or loss["config"].get("from_logits"):
        return experiment
    activation = TAKES_BACK.get(compiled_loss(loss).name)
    if activation_name(layer) != activation or layer["config"].get("activity_regularizer"):
        return experiment
    if layer["class_name"] == "Softmax":
        layer.update(class_name="Activation", config={"name": layer["config"]["name"]})
    layer["config"]["activation"] = "linear"
    changed, settings = experiment.with_compile()
    compile_config(settings)["loss"] = {**loss, "config": {**loss["config"], "from_logits": True}}
    return replace(changed, model=model, decoding=replace(changed.decoding, activation=activation))


def _out_of_range(y: np.ndarray, units: int | None) -> bool:
    return units is not None and y.size > 0 and bool((y < 0).any() or (y >= units).any())
