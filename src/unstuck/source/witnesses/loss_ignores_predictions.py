"""A loss of the program's own in which the predictions do not appear, or only rounded."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstuck.source.own_loss import OwnLoss, own_losses
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story

CODE = "OUT118"
_STEPS = frozenset({"round", "argmax", "argsort", "sign", "floor", "ceil", "rint", "equal", "greater", "less"})
"""Operations whose slope is 0 wherever there is one."""


def sightings(story: Story) -> Iterator[Sighting]:
    for loss in own_losses(story):
        if story.adds_loss or loss.contract.network.own_class:
            continue
        uses = loss.reads(loss.predictions)
        related = ((loss.contract.compiled.node, "the loss that is trained on"),)
        if not uses:
            yield Sighting(
                node=loss.node,
                message=f"the loss does not use the predictions ({loss.predictions})",
                label="the same whatever the network says",
                related=related,
                confidence="proven",
                conclusion="its gradient is 0, so no weight moves",
                help=f"compare {loss.predictions} with {loss.labels}",
            )
        elif (steps := _steps(loss)) and all(any(use is inner for step in steps for inner in step) for use in uses):
            yield Sighting(
                node=steps[0][0],
                message="the loss sees the predictions only rounded or compared",
                label="flat: its slope is 0",
                related=related,
                severity="error",
                conclusion="a small change of a weight changes nothing here, so the gradient is 0 and no weight moves",
                help="train on a smooth loss such as a crossentropy, and count this as a metric",
            )


def _steps(loss: OwnLoss) -> list[list[ast.AST]]:
    """The calls and comparisons that round, each with everything inside it."""
    found = []
    for node in loss.body:
        name = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Compare) or name in _STEPS:
            found.append(list(ast.walk(node)))
    return found
