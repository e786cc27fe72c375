"""Keras altered for a while, as long as a model is described or made again."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any


@contextlib.contextmanager
def tensorflow_left_alone() -> Iterator[None]:
    """Keras imports TensorFlow, for seconds, to see whether an object is one of TensorFlow's, and to seed it.

    Where nobody has imported it, none can be, and nothing draws from it.
    """
    from keras.src.utils.module_utils import tensorflow

    unasked = "tensorflow" not in sys.modules and getattr(tensorflow, "_available", True) is None
    if unasked:
        tensorflow._available = False
    try:
        yield
    finally:
        if unasked:
            tensorflow._available = None


@contextlib.contextmanager
def replaced(name: str, by_class: Mapping[Any, Any]) -> Iterator[None]:
    """Classes with another attribute of this name, for a while."""
    before = {cls: vars(cls).get(name) for cls in by_class}
    for cls, replacement in by_class.items():
        setattr(cls, name, replacement)
    try:
        yield
    finally:
        for cls, own in before.items():
            if own is None:
                delattr(cls, name)
            else:
                setattr(cls, name, own)
