"""Vocabularies that are fitted more than once in the recorded source."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Self

from unstuck.finding import Location
from unstuck.measure.case import Case
from unstuck.measure.code.source import Sources, called

FITTING = frozenset({"fit_on_texts", "build_vocab", "build_vocab_from_iterator"})
ADAPTED = frozenset({"TextVectorization", "StringLookup", "IntegerLookup"})
"""Layers whose `adapt` learns a vocabulary; that of other layers learns a mean or bins."""


@dataclass(frozen=True)
class VocabularyFit:
    """One call that learns a vocabulary: what it is called on, and the texts it reads as they are written."""

    owner: str
    texts: str
    location: Location


@dataclass(frozen=True)
class Vocabularies:
    """Pairs of calls that learn a vocabulary from different texts: one object twice, or one of a kind each."""

    refits: tuple[tuple[VocabularyFit, VocabularyFit], ...]

    @classmethod
    def of(cls, case: Case) -> Self:
        sources = case.get(Sources)
        file = case.file
        adapted = {name for node in ast.walk(sources.tree(file)) for name in _vocabulary_layers(node)}
        found: list[VocabularyFit] = []
        for call in sources.calls(file):
            owner = _owner(call, adapted)
            if owner is not None and call.args:
                found.append(VocabularyFit(owner, ast.unparse(call.args[0]), sources.span(file, call)))
        pairs = [(a, b) for i, a in enumerate(found) for b in found[i + 1 :] if a.texts != b.texts]
        return cls(tuple(pairs))


def _vocabulary_layers(node: ast.AST) -> list[str]:
    """Names that a statement gives to layers with a vocabulary."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return []
    made = [target.id for target in node.targets if isinstance(target, ast.Name)]
    return made if called(node.value) in ADAPTED else []


def _owner(call: ast.Call, adapted: set[str]) -> str | None:
    name = called(call)
    owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else name
    return owner if name in FITTING or (name == "adapt" and owner in adapted) else None
