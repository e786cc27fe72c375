"""What the source says about shuffles, casts, batches, vocabularies and backbones: sick lines and look-alikes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from unstuck.measure.case import Case
from unstuck.measure.code.batch_makers import BatchMakers
from unstuck.measure.code.casts import Casts
from unstuck.measure.code.shuffles import Shuffles
from unstuck.measure.code.source import Sources
from unstuck.measure.code.vocabularies import Vocabularies
from unstuck.measure.network.backbone import Backbone


def case_of(code: str) -> Any:
    lines = (*code.splitlines(), "model.fit(x, y)")
    run = SimpleNamespace(sources={"train.py": lines}, meta={})
    site = {"file": "train.py", "line": len(lines), "column": 1}
    case = Case(run, SimpleNamespace(body={"site": site}))  # type: ignore[arg-type]
    assert isinstance(case.get(Sources), Sources)
    return case


@pytest.mark.parametrize(
    ("code", "pairs"),
    [
        ("x = rng.permutation(x)\ny = rng.permutation(y)", [("x", "y")]),
        ("np.random.shuffle(x)\nnp.random.shuffle(y)", [("x", "y")]),
        ("a = a.sample(frac=1)\nb = b.sample(frac=1, random_state=3)", [("a", "b")]),
        ("a = a.sample(frac=1, random_state=3)\nb = b.sample(frac=1, random_state=3)", []),
        ("np.random.seed(0)\nnp.random.shuffle(x)\nnp.random.seed(0)\nnp.random.shuffle(y)", []),
        ("order = rng.permutation(len(x))\nx, y = x[order], y[order]", []),
        ("x, y = shuffle(x, y)", []),
        ("g = make.flow(x, shuffle=False)\nh = make.flow(y, shuffle=False)", []),
    ],
)
def test_only_arrays_in_orders_of_their_own_are_a_pair(code: str, pairs: list[tuple[str, str]]) -> None:
    found = case_of(code).get(Shuffles).pairs
    assert pairs == [(one.array, other.array) for one, other in found]


@pytest.mark.parametrize(
    ("code", "alone"),
    [
        ("y = rng.permutation(y)", ["y"]),
        ("np.random.shuffle(x)", ["x"]),
        ("y = rng.permutation(y)\nx, x_val, y, y_val = train_test_split(x, y)", ["y"]),
        ("random.shuffle(labels)\nx, y = images / 255, np.array(labels)", ["labels"]),
        ("df = df.sample(frac=1)\nx, y = df[names], df[target]", []),
        ("table = rng.permutation(table)\nx = table[:, 1:]\ny = table[:, 0]", []),
        ("rng.shuffle(y)\nx = centres[y]", []),
        ("shuffle(files)\nx = [load(f) for f in files]\ny = []\nfor f in files:\n    y.append(f[0])", []),
        ("x = rng.permutation(x)\ny = rng.permutation(y)", []),
        ("order = rng.permutation(len(x))\nx, y = x[order], y[order]", []),
        ("rng.shuffle(order)\nx = x[order]\ny = y[order]", []),
    ],
)
def test_a_shuffle_of_the_inputs_or_labels_alone_is_found(code: str, alone: list[str]) -> None:
    found = case_of(code).get(Shuffles).alone
    assert alone == [shuffle.array for shuffle in found]


@pytest.mark.parametrize(
    ("code", "cuts"),
    [
        ('x = (x / 255).astype("uint8")', ["(x / 255).astype('uint8')"]),
        ("x = np.uint8(x / 255)", ["np.uint8(x / 255)"]),
        ("x = x // 255", ["x // 255"]),
        ('x = np.round(x / 2).astype("uint8")', []),
        ("steps = len(x) // 32", []),
        ('x = x.astype("float32") / 255', []),
    ],
)
def test_a_fraction_cut_to_a_whole_number_is_found(code: str, cuts: list[str]) -> None:
    assert cuts == [cut.text for cut in case_of(code).get(Casts).cuts]


ONCE = "def g():\n    rows = rng.choice(9, 3)\n    while True:\n        yield x[rows], y[rows]\n"
EACH = "def g():\n    while True:\n        rows = rng.choice(9, 3)\n        yield x[rows], y[rows]\n"
WHOLE = "def g():\n    while True:\n        yield x, y\n"
SLICED = "def g():\n    part = x[:32]\n    while True:\n        yield part, y[:32]\n"
IGNORED = "class D(PyDataset):\n    def __getitem__(self, number):\n        return self.x[:8], self.y[:8]\n"
USED = "class D(PyDataset):\n    def __getitem__(self, number):\n        return self.x[number], self.y[number]\n"


@pytest.mark.parametrize(("code", "drawn"), [(ONCE, ["rows"]), (SLICED, ["part"]), (IGNORED, [""])])
def test_rows_that_are_chosen_once_are_found(code: str, drawn: list[str]) -> None:
    assert drawn == [maker.drawn for maker in case_of(code).get(BatchMakers).fixed]


@pytest.mark.parametrize("code", [EACH, WHOLE, USED])
def test_generators_that_choose_anew_or_give_everything_are_left_alone(code: str) -> None:
    assert () == case_of(code).get(BatchMakers).fixed


def test_a_vocabulary_fitted_on_two_texts_is_a_pair_and_a_scaler_is_none() -> None:
    refit = "v = TextVectorization()\nv.adapt(train)\nv.adapt(test)"
    assert [("train", "test")] == [(a.texts, b.texts) for a, b in case_of(refit).get(Vocabularies).refits]
    other = "n = Normalization()\nn.adapt(train)\nn.adapt(test)\ntokens.fit_on_texts(train)"
    assert () == case_of(other).get(Vocabularies).refits


def test_a_backbone_is_read_with_the_module_that_prepares_its_images() -> None:
    code = (
        "from keras.applications.vgg16 import preprocess_input\nbase = keras.applications.ResNet50V2(include_top=False)"
    )
    found = case_of(code).get(Backbone)
    assert ("ResNet50V2", "tf", True) == (found.name, found.mode, found.pretrained)
    assert ("vgg16", "caffe") == (found.prepared, found.prepared_mode)
    assert not case_of("base = MobileNet(weights=None)").get(Backbone).pretrained
