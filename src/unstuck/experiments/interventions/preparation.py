"""Images prepared as the pretrained network was trained."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unstuck.experiments.experiment import Experiment
from unstuck.experiments.intervention import Intervention
from unstuck.finding import Fix
from unstuck.measure.network.backbone import Mode
from unstuck.measure.setup import Setup

CAFFE_MEAN = np.array([103.939, 116.779, 123.68], np.float32)
TORCH_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
TORCH_SPREAD = np.array([0.229, 0.224, 0.225], np.float32)
"""Of ImageNet by channel (keras/src/applications/imagenet_utils.py); the former blue first, the latter red first."""


@dataclass(frozen=True)
class PrepareAs(Intervention):
    """Undo one preparation of images and do another; `unit` is 0 to 1, the rest as in `measure/network/backbone.py`."""

    given: str
    wanted: Mode

    @property
    def label(self) -> str:
        return f"images prepared as {self.wanted}"

    def apply(self, experiment: Experiment) -> Experiment:
        def prepared(inputs: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
            return tuple(_prepared(_raw(array.astype(np.float32), self.given), self.wanted) for array in inputs)

        return replace(experiment, x=prepared(experiment.x), held_x=prepared(experiment.held_x))

    def edit(self, setup: Setup) -> Fix | None:
        return Fix(
            title="prepare the images with the preprocess_input of the same module as the network",
            applicability="sketch",
        )


def _raw(images: np.ndarray, mode: str) -> np.ndarray:
    if mode == "caffe":
        return np.asarray((images + CAFFE_MEAN)[..., ::-1])
    if mode == "torch":
        return np.asarray((images * TORCH_SPREAD + TORCH_MEAN) * 255)
    return {"tf": (images + 1) * 127.5, "unit": images * 255}.get(mode, images)


def _prepared(images: np.ndarray, mode: str) -> np.ndarray:
    if mode == "caffe":
        return np.ascontiguousarray(images[..., ::-1] - CAFFE_MEAN)
    if mode == "torch":
        return np.asarray((images / 255 - TORCH_MEAN) / TORCH_SPREAD)
    return np.asarray(images / 127.5 - 1) if mode == "tf" else images
