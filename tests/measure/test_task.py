"""What is being learnt is read from the labels; the loss and the units decide where they leave it open."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from unstuck.measure.setup import Head, Layer, Loss
from unstuck.measure.task import infer_kind

CLASSES = np.tile(np.arange(3), 20)


def head(units: int) -> Head:
    layer = cast(Layer, None)
    return Head(layer, units, "softmax", layer, ())


@pytest.mark.parametrize("loss", ["mean_squared_error", "mean_absolute_error"])
def test_whole_numbers_with_a_unit_for_each_are_classes_whatever_the_loss(loss: str) -> None:
    assert "multiclass" == infer_kind(CLASSES.astype("float32"), Loss(loss), head(3))
    assert "regression" == infer_kind(CLASSES.astype("float32"), Loss(loss), head(1))
    assert "regression" == infer_kind(CLASSES.astype("float32") * 2, Loss(loss), head(3))


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (1, 2), (0, 255)])
def test_two_whole_numbers_under_binary_crossentropy_are_two_classes(low: int, high: int) -> None:
    labels = np.where(CLASSES > 0, high, low).astype("float32")
    assert "binary" == infer_kind(labels, Loss("binary_crossentropy"), head(1))


def test_two_numbers_that_no_loss_calls_classes_are_numbers() -> None:
    assert "regression" == infer_kind(np.where(CLASSES > 0, 2.0, 1.0), Loss("mean_squared_error"), head(1))
