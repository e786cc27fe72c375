"""What a source witness answers with."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from unstuck.finding import Confidence, Evidence, Severity
from unstuck.source.values import Stop, Thing, Value


@dataclass(frozen=True)
class Sighting:
    """A cause that stands in the source.

    Attributes:
        node: what the finding points at; label: what is said there.
        related: further nodes with their labels.
        confidence: `proven` only if it follows from the code for any data and seed.
        severity: None: `error` if proven, else `warning`.
        help: what to do, as one sentence.
        edits: the same as replacements of nodes, where they are complete.
        explained_by: the rule of the root cause, if this is its consequence.
    """

    node: ast.AST
    message: str
    label: str = ""
    related: tuple[tuple[ast.AST, str], ...] = ()
    confidence: Confidence = "likely"
    severity: Severity | None = None
    flow: tuple[Stop, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    conclusion: str = ""
    help: str = ""
    edits: tuple[tuple[ast.AST, str], ...] = ()
    alternative: str = ""
    explained_by: str | None = None


def argument_node(made: Thing, name: str, position: int | None = None) -> ast.AST:
    """The node of an argument in the call that made something; the call itself if it is not written there."""
    assert made.node is not None
    return in_call(made.node, name, position)


def in_call(node: ast.AST, name: str, position: int | None = None) -> ast.AST:
    if not isinstance(node, ast.Call):
        return node
    for keyword in node.keywords:
        if keyword.arg == name:
            return keyword.value
    if position is not None and position < len(node.args):
        return node.args[position]
    return node


def quoted(node: ast.AST, value: Value | None, text: str) -> tuple[tuple[ast.AST, str], ...]:
    """An edit that puts another string in place of one that is written out here."""
    return ((node, f'"{text}"'),) if isinstance(node, ast.Constant) and isinstance(node.value, str) and value else ()
