"""The compiled step of a model, watched from outside: its logs, the batches it was given, the state it returned.

`fit` reads `model.train_function` anew for every step, so the function can be replaced on the instance when training
begins. A callback's `on_train_batch_end` would make Keras wait for the device after each step (it stops dispatching
asynchronously as soon as one callback wants batches); this does not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple


class Call(NamedTuple):
    """One call of a step function.

    Attributes:
        logs: what it returned, values still on the device.
        batches: the batches it took, as they were given to it; None where they stay inside TensorFlow's graph.
        state: on JAX the variables after the step, donated to the next one: read them at once or never.
    """

    logs: Any
    batches: Sequence[Any] | None
    state: Any


class Tap:
    """Replaces `model.<name>` by a function that passes everything through and tells `seen` of each call.

    `seen` must not raise.
    """

    def __init__(self, model: Any, name: str, seen: Callable[[Call], None]) -> None:
        self._model, self._name, self._seen = model, name, seen
        current = getattr(model, name, None)
        self._original = getattr(current, "__unstuck_original__", current)
        self._wrapper = None if current is None else self._wrap(self._original)
        if self._wrapper is not None:
            setattr(model, name, self._wrapper)

    @property
    def installed(self) -> bool:
        return self._wrapper is not None and getattr(self._model, self._name, None) is self._wrapper

    def remove(self) -> None:
        """Put the original back, unless somebody has replaced the function since."""
        if self.installed:
            setattr(self._model, self._name, self._original)

    def _wrap(self, original: Any) -> Any:
        import keras

        backend = keras.backend.backend()

        @functools.wraps(original)
        def on_jax(state: Any, iterator: Any) -> Any:
            taken: list[Any] = []
            logs, after = original(state, _passing(iterator, taken))
            self._seen(Call(logs, taken, after))
            return logs, after

        @functools.wraps(original)
        def elsewhere(data: Any) -> Any:
            logs = original(data)
            self._seen(Call(logs, data if isinstance(data, (list, tuple)) else None, None))
            return logs

        wrapper: Any = on_jax if backend == "jax" else elsewhere
        wrapper.__unstuck_original__ = original
        return wrapper


def _passing(source: Iterable[Any], taken: list[Any]) -> Iterator[Any]:
    """What comes from `source`, kept in `taken` too; nothing is taken before it is asked for."""
    for item in source:
        taken.append(item)
        yield item


def teed(dataset: Any, seen: Callable[[Any], None]) -> Any:
    """A `tf.data.Dataset` with the same elements that tells `seen` of each one as it passes, as NumPy arrays.

    Elements with parts that are no dense tensors pass unseen: the data set is returned as it is.
    """
    import keras
    import tensorflow as tf

    specs = keras.tree.flatten(dataset.element_spec)
    if not all(isinstance(spec, tf.TensorSpec) for spec in specs):
        return dataset

    def look(*tensors: Any) -> None:
        seen(keras.tree.pack_sequence_as(dataset.element_spec, list(tensors)))

    def step(*element: Any) -> Any:
        whole = element[0] if len(element) == 1 and not isinstance(dataset.element_spec, tuple) else element
        flat = keras.tree.flatten(whole)
        with tf.control_dependencies([tf.numpy_function(look, flat, [])]):
            return keras.tree.map_structure(tf.identity, whole)

    passing = dataset.map(step)
    if _prefetches(dataset):
        # TensorFlow adds a prefetch to a pipeline that has none at its end; with two, one batch more would be taken.
        options = tf.data.Options()
        options.experimental_optimization.inject_prefetch = False
        passing = passing.with_options(options)
    return passing


def _prefetches(dataset: Any) -> bool:
    while "Options" in type(dataset).__name__ and hasattr(dataset, "_input_dataset"):
        dataset = dataset._input_dataset
    return "Prefetch" in type(dataset).__name__
