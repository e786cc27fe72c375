"""Facts read from the person's source and the recorded graph: steps, hidden layers, own training steps, stopping."""

import ast
from types import SimpleNamespace

import numpy as np
import pytest

from unstuck.measure.case import Case, Missing
from unstuck.measure.code.differentiable import is_step, stepping_calls
from unstuck.measure.code.hidden_layers import HiddenLayers
from unstuck.measure.code.own_loop import OwnLoop
from unstuck.measure.labels.class_weights import ClassWeights
from unstuck.measure.network.graph import Graph
from unstuck.measure.task import Task
from unstuck.measure.training.keras_warnings import KerasWarnings
from unstuck.measure.training.stopping import Stopping

SITE = {"file": "train.py", "line": 1, "column": 1}


def case(source="", model="Net", layers=(), events=(), epochs=(), **body):
    """A recorded fit of which only the source and parts of the description are known."""
    described = {"class": model, "layers": list(layers), "name": "net"} | body.pop("described", {})
    fit = SimpleNamespace(
        index=0, sequence=5, epochs=[{"logs": logs} for logs in epochs], probe={},
        body={"model": described, "model_id": 1, "site": None, **body},
    )  # fmt: skip
    run = SimpleNamespace(
        sources={"train.py": tuple(source.split("\n"))}, meta={}, fits=(fit,),
        events=[SimpleNamespace(kind=kind, body=about, sequence=n) for n, (kind, about) in enumerate(events)],
    )  # fmt: skip
    return Case(run, fit)


def layer(kind, line=1, name="layer"):
    return {"kind": kind, "site": SITE | {"line": line}, "name": name}


@pytest.mark.parametrize(
    ("operation", "dtype", "steps"),
    [("Round", "", True), ("Argmax", "", True), ("GreaterEqual", "", True), ("Cast", "int32", True),
     ("Cast", "float32", False), ("Dense", "", False), ("Sigmoid", "", False)],
)  # fmt: skip
def test_operations_that_step_are_known_by_their_class(operation, dtype, steps):
    assert is_step(operation, dtype) is steps


def test_a_cast_to_a_floating_type_is_no_step():
    code = ast.parse("ops.cast(ops.argmax(x), 'float32')")
    assert [name for name, _ in stepping_calls(code)] == ["argmax"]


NET = """\
import keras
outer = keras.layers.Dense(4)
class Plain:
    def __init__(self):
        self.inner = keras.layers.Dense(2)
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.blocks = [keras.layers.Dense(3) for _ in range(2)]
        self.plain = Plain()
    def call(self, x):
        if self.late is None:
            self.late = keras.layers.Dense(5)
        x = keras.layers.ReLU()(x)
        x = keras.layers.Dense(6)(x)
        return outer(x)
"""


def test_layers_that_the_model_does_not_know_are_found_by_where_they_are_made():
    hidden = case(NET, layers=[layer("Dense", 9)]).get(HiddenLayers)
    assert [found.built.lineno for found in hidden.built_in_call] == [15]
    assert sorted((found.built.lineno, found.why) for found in hidden.untracked) == [
        (2, "a name outside the model"),
        (5, "an attribute of a plain object"),
    ]


def test_a_layer_the_model_lists_is_not_hidden():
    hidden = case(NET, layers=[layer("Dense", 2), layer("Dense", 5), layer("Dense", 9)]).get(HiddenLayers)
    assert hidden.untracked == ()


STEP = """\
class Net(keras.Model):
    def call(self, x, training={default}):
        return self.head(x)
    def train_step(self, data):
        loss = self.compute_loss(y=data[1], y_pred=self(data[0]{said}))
"""


@pytest.mark.parametrize(
    ("default", "said", "without"),
    [("None", "", 1), ("None", ", training=True", 0), ("True", "", 0)],
)
def test_a_step_in_inference_mode_is_seen_unless_call_trains_by_default(default, said, without):
    loop = case(STEP.format(default=default, said=said)).get(OwnLoop)
    assert len(loop.without_training) == without
    assert loop.penalties


def node(name, kind, *inputs, **config):
    tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": [one, 0, 0]}} for one in inputs]
    nodes = [{"args": tensors, "kwargs": {}}] if inputs else []
    return {"name": name, "class_name": kind, "config": {"name": name, **config}, "inbound_nodes": nodes}


def test_behind_a_cut_is_what_reaches_the_output_through_it_alone():
    layers = [
        node("input", "InputLayer"),
        node("before", "Dense", "input"),
        node("both", "Dense", "input"),
        node("cut", "StopGradient", "before", "both"),
        node("out", "Dense", "cut", "both"),
    ]
    config = {"class_name": "Functional", "config": {"layers": layers, "output_layers": ["out", 0, 0]}}
    graph = case(described={"config": config}).get(Graph)
    assert graph.behind(["cut"]) == {"before"}


def test_a_model_without_a_graph_is_missing_evidence():
    with pytest.raises(Missing):
        case(described={"config": {"class_name": "Net", "config": {}}}).get(Graph)


@pytest.mark.parametrize(
    ("keys", "kinds", "found"),
    [(("0", "1"), ("str", "str"), set()), (("0", "1"), ("int", "int64"), {0, 1}), (("1", "2"), ("int", "int"), {1}),
     (("cat", "dog"), ("str", "str"), set()), (("0.0", "1.0"), ("float", "float"), {0, 1})],
)  # fmt: skip
def test_class_weights_are_found_as_keras_finds_them(keys, kinds, found):
    made = case(class_weight=dict.fromkeys(keys, 2.0), class_weight_keys=list(kinds))
    y = np.array([0, 1, 1])
    made._cache[Task] = Task("binary", 2, y, y, np.array([1 / 3, 2 / 3]))
    assert made.get(ClassWeights).found == found


def stop(**settings):
    about = {"kind": "EarlyStopping", "builtin": True, "settings": {"monitor": "val_loss", "mode": "auto"} | settings}
    losses = [{"val_loss": value} for value in (0.5, 0.2, 0.4)]
    return case(epochs=losses, callback_settings=[about]).get(Stopping)


def test_the_best_epoch_is_the_one_with_the_lowest_loss_and_is_lost_unless_restored():
    assert (stop().best, stop().restored, stop(restore_best_weights=True).restored) == (1, False, True)
    assert stop().lost == pytest.approx(1.0)


def test_only_what_keras_and_its_backends_say_is_cited():
    said = {"text": "Gradients do not exist for variables ['a']", "file": "/lib/keras/src/optimizers/base.py"}
    own = {"text": "Gradients do not exist for my patience", "file": "/home/me/train.py"}
    warnings = case(events=[("warning", own), ("warning", said), ("warning", said)]).get(KerasWarnings)
    assert warnings.texts == (said["text"],)
    cited = warnings.cite("Gradients do not exist")
    assert cited is not None
    assert said["text"] in cited.text
    assert warnings.cite("from_logits") is None
