"""A loss of the program's own that hands the predictions to Keras as labels."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstuck.source.own_loss import own_losses
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story

CODE = "OUT117"
_ASYMMETRIC = ("crossentropy", "divergence", "poisson", "hinge", "percentage", "logarithmic", "focal")


def sightings(story: Story) -> Iterator[Sighting]:
    for loss in own_losses(story):
        for node in loss.body:
            if not isinstance(node, ast.Call) or len(node.args) < 2:
                continue
            first, second = (arg.id if isinstance(arg, ast.Name) else "" for arg in node.args[:2])
            path = loss.path(node)
            if (first, second) != (loss.predictions, loss.labels) or not path.startswith("keras."):
                continue
            if not any(word in path.lower() for word in _ASYMMETRIC):
                continue
            yield Sighting(
                node=node,
                message=f"{path.rpartition('.')[2]} is given the predictions as labels",
                label="labels come first",
                related=((loss.node, f"Keras calls it with the labels as {loss.labels}"),),
                severity="error",
                conclusion="the logarithm is taken of the labels, clipped at 1e-7: the loss has no lowest value where"
                " the answers are right",
                help=f"write {ast.unparse(node.func)}({loss.labels}, {loss.predictions})",
            )
