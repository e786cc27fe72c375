"""Passes of a rebuilt model: outputs of every layer, penalties, the loss, gradients. On JAX each is compiled once.

Op by op XLA would compile a program for each operation and shape, which takes longer than all passes together. Training
is compiled as well; a model that cannot be traced is run op by op.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import keras
import numpy as np

from unstuck.record.describe import leaf_layers

Forward = tuple[list[tuple[Any, np.ndarray]], float]
"""Each layer with its outputs, and the sum of all penalties."""


class Passes:
    """Passes of one model with the values that its variables have now; tensors in, NumPy out."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._layers: list[Any] = []
        self._compiled: dict[Callable[..., Any], Any] = {}

    def values_a_row(self, inputs: Any) -> int:
        """Numbers that all layers together put out for a row."""
        if keras.backend.backend() == "jax":
            import jax

            try:
                outputs, _ = jax.eval_shape(self._traced_forward, *self._variables(), inputs)
                return int(sum(np.prod(out.shape[1:], dtype=int) for out in outputs))
            except Exception:
                pass
        return sum(out[:1].size for _, out in self.forward(inputs)[0])

    def forward(self, inputs: Any) -> Forward:
        """One pass in inference mode, by watching `call` of each layer; no outputs where the model raises."""

        def plain(inputs: Any) -> Any:
            return self._watched(lambda: self._model(inputs, training=False)), self._model.losses

        try:
            outputs, penalties = self._run(self._traced_forward, (*self._variables(), inputs), plain, (inputs,))
            pairs = list(zip(self._layers, map(as_numpy, outputs), strict=True))
            return pairs, float(sum(float(as_numpy(penalty)) for penalty in penalties))
        except Exception:
            return [], float("nan")

    def loss(self, inputs: Any, target: Any, answer: Any) -> float:
        """The loss of these answers; `inputs` for a loss of the model's own that reads them."""
        return float(as_numpy(self._run(self._loss_of, (inputs, target, answer))))

    def gradient_of_answers(self, inputs: Any, target: Any, answer: Any) -> np.ndarray | None:
        """The gradient of the compiled loss for the answers, None where the loss does not depend on them."""
        backend = keras.backend.backend()
        if backend == "jax":
            import jax

            return as_numpy(self._run(jax.grad(self._loss_of, argnums=2), (inputs, target, answer)))
        if backend == "tensorflow":
            import tensorflow as tf

            with tf.GradientTape() as tape:
                tape.watch(answer)
                value = self._loss_of(inputs, target, answer)
            found = tape.gradient(value, answer)
        else:
            import torch

            answer = answer.detach().clone().requires_grad_()
            value = self._loss_of(inputs, target, answer)
            found = torch.autograd.grad(value, answer, allow_unused=True)[0] if value.requires_grad else None
        return None if found is None else as_numpy(found)

    def gradients(self, inputs: Any, target: Any, weights: Any) -> tuple[float, list[np.ndarray | None]]:
        """Total loss in training mode and its gradient for each trainable variable, on the backend in use."""
        model, backend = self._model, keras.backend.backend()
        if backend == "jax":
            metrics = [v.value for v in model.metrics_variables]
            arguments = (*self._variables(), metrics, inputs, target, weights)
            loss, found = self._run(self._loss_and_gradients, arguments)
            return float(loss), [as_numpy(g) for g in found]
        variables = [v.value for v in model.trainable_variables]
        if backend == "tensorflow":
            import tensorflow as tf

            with tf.GradientTape() as tape:
                loss = self._native_loss(inputs, target, weights)
            found = tape.gradient(loss, variables)
            return float(as_numpy(loss)), [None if g is None else as_numpy(tf.convert_to_tensor(g)) for g in found]
        import torch

        loss = self._native_loss(inputs, target, weights)
        found = torch.autograd.grad(loss, variables, allow_unused=True)
        return float(as_numpy(loss)), [None if g is None else as_numpy(g) for g in found]

    def _run(self, traced: Callable[..., Any], arguments: Any, plain: Any = None, given: Any = None) -> Any:
        """`traced` compiled by JAX; on the other backends, and where JAX cannot trace it, `plain` as it is.

        Args:
            traced, arguments: the function and its arguments.
            plain, given: the same for a plain call, where they differ.
        """
        if keras.backend.backend() == "jax":
            import jax

            if traced not in self._compiled:
                self._compiled[traced] = jax.jit(traced)
            try:
                return self._compiled[traced](*arguments)
            except Exception:  # the person's own code, say, asks for values
                pass
        return (plain or traced)(*(arguments if given is None else given))

    @cached_property
    def _loss_and_gradients(self) -> Callable[..., Any]:
        import jax

        found: Callable[..., Any] = jax.value_and_grad(self._training_loss)
        return found

    def _variables(self) -> tuple[list[Any], list[Any]]:
        model = self._model
        return [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]

    def _traced_forward(self, trainable: Any, fixed: Any, inputs: Any) -> Any:
        losses: list[Any] = []

        def call() -> None:
            _, _, found = self._model.stateless_call(trainable, fixed, inputs, return_losses=True, training=False)
            losses.extend(found)

        return self._watched(call), losses

    def _watched(self, run: Callable[[], Any]) -> list[Any]:
        """Outputs of the layers, in the order of their calls, while `run` calls the model; `_layers` are whose."""
        layers, outputs = [], []
        watched = []

        def watch(layer: Any) -> None:
            original = layer.call

            def call(*args: Any, **kwargs: Any) -> Any:
                out = original(*args, **kwargs)
                if hasattr(out, "shape") and len(out.shape) >= 2:
                    layers.append(layer)
                    outputs.append(out)
                return out

            object.__setattr__(layer, "call", call)
            watched.append(layer)

        try:
            for layer in leaf_layers(self._model):
                watch(layer)
            run()
        finally:
            for layer in watched:
                object.__delattr__(layer, "call")
        self._layers = layers
        return outputs

    def _loss_of(self, inputs: Any, target: Any, answer: Any) -> Any:
        return self._model.compute_loss(inputs, target, answer, None)

    def _native_loss(self, inputs: Any, target: Any, weights: Any) -> Any:
        model = self._model
        return model.compute_loss(inputs, target, model(inputs, training=True), weights, training=True)

    def _training_loss(self, trainable: Any, fixed: Any, metrics: Any, inputs: Any, target: Any, weights: Any) -> Any:
        outputs, after = self._model.stateless_call(trainable, fixed, inputs, training=True)
        loss, _ = self._model.stateless_compute_loss(
            trainable,
            after,
            metrics,
            x=inputs,
            y=target,
            y_pred=outputs,
            sample_weight=weights,
            training=True,
        )
        return loss


def as_numpy(value: Any) -> np.ndarray:
    """A tensor or variable of the backend in use as an array."""
    return np.asarray(keras.ops.convert_to_numpy(value))
