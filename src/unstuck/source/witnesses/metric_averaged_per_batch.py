"""A ratio of sums that Keras computes for each batch, and averages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from unstuck.source.contract import metrics_of
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Function

CODE = "EVA107"
_RATIO = re.compile(r"(^|_)(f1|f2|fbeta|precision|recall|r2|r_?square[d]?|mcc|matthews\w*|auc|kappa)(_|$)")
"""Names of metrics whose value on all rows is not the mean of their values on parts."""


def sightings(story: Story) -> Iterator[Sighting]:
    told: set[ast.AST] = set()
    for contract in story.contracts:
        for metric in metrics_of(contract.compiled):
            node = metric.node if isinstance(metric, Function) else None
            if not isinstance(node, ast.FunctionDef) or node in told or not _RATIO.search(node.name.lower()):
                continue
            if not any(isinstance(inner, ast.Div) for inner in ast.walk(node)):
                continue
            told.add(node)
            yield Sighting(
                node=node,
                message=f"{node.name} is a ratio, and Keras averages a metric function over batches",
                label="called on each batch",
                related=((contract.compiled.node, "among the metrics"),),
                conclusion="the mean of ratios is not the ratio of the sums, so the number depends on the batch size;"
                " training is not touched",
                help="use a metric of Keras with a state, such as keras.metrics.F1Score",
            )
