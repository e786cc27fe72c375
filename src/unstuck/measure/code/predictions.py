"""What predict was called on after a fit, and what the source does with the answers."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from unstuck.finding import Location
from unstuck.measure.case import Case
from unstuck.measure.code.own_code import last_name
from unstuck.measure.code.source import Sources


@dataclass(frozen=True)
class Predicted:
    """One call of predict.

    Attributes:
        call: its expression in the source, None when it is not at hand.
        shuffled: whether the rows came from an iterator that says it shuffles.
        described: the inputs as `record/sample.py` describes them.
    """

    site: Mapping[str, Any] | None
    call: ast.Call | None
    shuffled: bool
    described: Mapping[str, Any]


@dataclass(frozen=True)
class Predictions:
    """Calls of predict of this model after this fit and before its next one, in order."""

    calls: tuple[Predicted, ...]
    trees: Mapping[str, ast.Module]
    sources: Sources

    @classmethod
    def of(cls, case: Case) -> Self:
        sources, fit = case.get(Sources), case.fit
        model = fit.body["model_id"]
        later = [f.sequence for f in case.run.fits if f.sequence > fit.sequence and f.body["model_id"] == model]
        events = [
            event
            for event in case.run.events
            if event.kind == "predict"
            and event.body["model_id"] == model
            and fit.sequence < event.sequence < min(later, default=1 << 62)
        ]
        calls = tuple(
            Predicted(e.body["site"], sources.call(e.body["site"]), e.body["shuffled"], e.body["data"]) for e in events
        )
        return cls(calls, {file: sources.tree(file) for file in sources.lines}, sources)

    def read_by(self, predicted: Predicted) -> Iterator[ast.AST]:
        """Calls, methods and comparisons that read the result of a call of predict directly or under its name."""
        call, site = predicted.call, predicted.site
        if call is None or site is None:
            return
        parsed = self.trees[site["file"]]
        names = {
            last_name(target)
            for node in ast.walk(parsed)
            if isinstance(node, ast.Assign) and _same(node.value, call)
            for target in node.targets
        } - {""}

        def reads(node: ast.AST) -> bool:
            return _same(node, call) or (isinstance(node, ast.Name) and node.id in names)

        for node in ast.walk(parsed):
            operands: list[ast.AST] = []
            if isinstance(node, ast.Call):
                operands = [*node.args[:1], *([node.func.value] if isinstance(node.func, ast.Attribute) else [])]
            elif isinstance(node, ast.Compare):
                operands = [node.left, *node.comparators]
            if any(reads(_base(operand)) for operand in operands):
                yield node

    def location(self, predicted: Predicted, node: ast.AST, label: str = "") -> Location | None:
        return self.sources.span(predicted.site["file"], node, label) if predicted.site else None


def _base(node: ast.AST) -> ast.AST:
    """What an expression like `p[:, 0]` or `p.ravel()` is made from."""
    while True:
        if isinstance(node, ast.Subscript):
            node = node.value
        elif isinstance(node, ast.Call) and last_name(node.func) in ("ravel", "flatten", "squeeze", "reshape"):
            return node.func.value if isinstance(node.func, ast.Attribute) and not node.args else node
        else:
            return node


def _same(one: ast.AST, other: ast.AST) -> bool:
    """Whether two nodes, perhaps of different parses, are the same span."""
    return isinstance(one, ast.Call) and isinstance(other, ast.Call) and _span(one) == _span(other)


def _span(node: ast.expr) -> tuple[int, int, int | None, int | None]:
    return node.lineno, node.col_offset, node.end_lineno, node.end_col_offset
