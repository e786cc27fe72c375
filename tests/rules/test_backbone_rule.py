"""Images beside the range that the weights of a pretrained network expect, on hand-made cases."""

from __future__ import annotations

import numpy as np
import pytest
from tests.rules.test_contract_rules import data_of, dense, judge, layer, setup_of

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.interventions.preparation import PrepareAs
from unstuck.finding import Location
from unstuck.measure.network.backbone import MODES, Backbone, Mode
from unstuck.rules import Cleared, NotApplicable, Suspect
from unstuck.rules.wrong_backbone_preprocessing import WrongBackbonePreprocessing

BYTES = np.random.default_rng(0).integers(0, 256, (20, 4, 4, 3)).astype("float32")
LABELS = np.zeros(20)
SETUP = setup_of(layer("Conv2D", params=9), dense(10, "softmax"), loss="sparse_categorical_crossentropy")


def changed(images: np.ndarray, given: str, wanted: str) -> np.ndarray:
    experiment = Experiment({}, {}, (images,), LABELS, (images,), batch_size=4, epochs=1)
    return PrepareAs(given, wanted).apply(experiment).x[0]  # type: ignore[arg-type]


def prepared(mode: str) -> np.ndarray:
    images = BYTES / 255 if mode == "unit" else changed(BYTES, "raw", mode)
    assert images.shape == BYTES.shape
    return images


def backbone(mode: Mode, *, pretrained: bool = True) -> Backbone:
    return Backbone("MobileNet", mode, pretrained, Location(file="train.py", line=1), "", None)


@pytest.mark.parametrize("mode", sorted(set(MODES.values())))
def test_images_prepared_as_the_weights_expect_are_cleared(mode: Mode) -> None:
    found = judge(WrongBackbonePreprocessing, SETUP, data_of(prepared(mode), LABELS), backbone(mode))
    assert isinstance(found, Cleared)


@pytest.mark.parametrize(
    ("given", "wanted"), [("raw", "tf"), ("unit", "tf"), ("unit", "raw"), ("caffe", "tf"), ("tf", "caffe")]
)
def test_another_preparation_is_suspected_with_the_right_one_as_cure(given: str, wanted: Mode) -> None:
    found = judge(WrongBackbonePreprocessing, SETUP, data_of(prepared(given), LABELS), backbone(wanted))
    assert isinstance(found, Suspect)
    assert (PrepareAs(given, wanted),) == found.cures


def test_untrained_weights_expect_nothing() -> None:
    found = judge(WrongBackbonePreprocessing, SETUP, data_of(BYTES, LABELS), backbone("tf", pretrained=False))
    assert isinstance(found, NotApplicable)


@pytest.mark.parametrize("given", ["unit", "tf", "torch", "caffe"])
def test_a_preparation_is_undone_exactly(given: str) -> None:
    np.testing.assert_allclose(BYTES, changed(prepared(given), given, "raw"), atol=0.01)
