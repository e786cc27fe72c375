"""Inputs and labels that are put in random orders of their own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstuck.source.merging import as_data
from unstuck.source.sighting import Sighting, in_call
from unstuck.source.story import Story

CODE = "PIP103"


def sightings(story: Story) -> Iterator[Sighting]:
    for training in story.trainings:
        x, y = training.x, as_data(training.y)
        first, second = (rows.shuffled or rows.drawn if rows is not None else None for rows in (x, y))
        if second is None or first is second or (first is not None and not _apart(first, second, story)):
            continue
        if first is None and (y is None or not _alone(y.shuffled)):
            continue
        yield Sighting(
            node=second,
            message="inputs and labels are shuffled apart from each other"
            if first
            else "the labels are shuffled, and the inputs are not",
            label="the labels, in another order",
            related=(*(((first, "the inputs"),) if first else ()), (training.node, "trained on as pairs")),
            severity="error" if first else "warning",
            conclusion="each row is paired with the label of another, so nothing about the inputs predicts it",
            help="shuffle both with one permutation of their row numbers, or leave it to fit",
        )


def _alone(node: ast.AST | None) -> bool:
    """Whether one array is put in an order that nobody else knows: not by row numbers, which may serve twice."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] not in ("shuffle", "permutation"):
        return False
    return len(node.args) == 1 and isinstance(node.args[0], ast.Name)


def _apart(first: ast.AST, second: ast.AST, story: Story) -> bool:
    """Whether the second order is certainly not drawn from the state that the first was drawn from."""
    seeds = [in_call(node, "random_state") for node in (first, second)]
    if seeds[0] is not first and seeds[1] is not second:
        plain = all(isinstance(seed, ast.Constant) for seed in seeds)
        return plain and ast.unparse(seeds[0]) != ast.unparse(seeds[1])
    return _maker(first) == _maker(second) and story.seeded_before.get(first) == story.seeded_before.get(second)


def _maker(node: ast.AST) -> str:
    """What draws: `rng` in `rng.shuffle(x)`; "" for `x.sample()`, where it is the rows."""
    func = node.func if isinstance(node, ast.Call) else None
    return ast.unparse(func.value) if isinstance(func, ast.Attribute) and func.attr != "sample" else ""
