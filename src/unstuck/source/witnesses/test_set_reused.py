"""The test rows also chose the model: by callbacks, or as the rows that several models were compared on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstuck.source import rows as row_sets
from unstuck.source.rows import Rows
from unstuck.source.sighting import Sighting
from unstuck.source.story import Story, Testing, Training
from unstuck.source.values import Data, Stop

CODE = "LEK305"
_VALIDATION = ("val", "valid", "validation", "dev", "_va")
"""Ends of names of rows that are there to choose by."""


def sightings(story: Story) -> Iterator[Sighting]:
    chosen: set[Rows] = set()
    for training in story.trainings:
        held = training.validation
        if held is None or not training.selects:
            continue
        tests = [t for t in story.tests_of(training) if t.scored]
        same = [t for t in tests if t.x.rows == held.rows]
        if not same or len(same) < len(tests):  # other rows tell the truth
            continue
        if _in_sample(training):
            continue
        chosen.add(held.rows)
        yield Sighting(
            node=same[0].node,
            message="the rows that give the final score also chose the model",
            label="the same rows again",
            related=((training.node, f"{' and '.join(training.selects)} chose by them here"),),
            flow=(*held.trail, Stop("validation_data", training.node), Stop(same[0].name, same[0].node)),
            conclusion="the epoch that fits these rows best was kept, so their score is the best of many tries",
            help="hold out a third part: one part chooses, another one reports",
        )
    for rows, tests in _comparisons(story).items():
        if rows not in chosen:
            yield from _compared(story, rows, tests)


def _in_sample(training: Training) -> bool:
    """Validation on the training rows is validation-is-training's matter."""
    return training.x is not None and training.validation is not None and training.x.rows == training.validation.rows


def _comparisons(story: Story) -> dict[Rows, list[Testing]]:
    """The scores on rows that no model learnt from, by these rows."""
    found: dict[Rows, list[Testing]] = {}
    for test in story.testings:
        training = test.training
        if not test.scored or training is None or training.x is None or row_sets.covers(training.x.rows, test.x.rows):
            continue
        if _held_out(story, test) and not _for_choosing(test.node):
            found.setdefault(test.x.rows, []).append(test)
    return found


def _compared(story: Story, rows: Rows, tests: list[Testing]) -> Iterator[Sighting]:
    """Several models were scored on the same rows, and no others tell what the best of them is worth."""
    picked = [test for test in tests if test.picked]
    models = {id(test.model) for test in tests}
    several = len(models) > 1 or any(_tries(story, test) for test in picked)
    if not several or _third_part(story, rows, tests) or len({_target(test) for test in tests}) > 1:
        return
    last = (picked or tests)[-1]
    yield Sighting(
        node=last.node,
        message="the best of several models is picked by its score on the test rows"
        if picked
        else "several models are compared by their scores on the same test rows",
        label="the same rows again",
        severity="note",
        confidence="likely" if picked else "possible",
        flow=(*last.x.trail, *(Stop(test.name, test.node) for test in tests[:6])),
        conclusion="the score of the one that is picked is the best of many tries, and a little too good",
        help="pick by cross-validation or by a third part, and score the one that is picked on the test rows",
    )


def _tries(story: Story, test: Testing) -> bool:
    """Whether a loop trains again and again, on rows that were divided before it."""
    training = test.training
    inside = set(test.loops) & set(training.loops if training else ()) - set(training.folds if training else ())
    splits = [s for s in story.splits if any(row_sets.covers(part.rows, test.x.rows) for part in s.parts)]
    return any(all(loop not in split.loops for split in splits) for loop in inside)


def _third_part(story: Story, rows: Rows, tests: list[Testing]) -> bool:
    """Whether the program goes on to rows that neither trained nor compared: an answer for new rows, or a last test."""
    trained = [t.training.x.rows for t in tests if t.training is not None and t.training.x is not None]
    return any(
        row_sets.apart(other.x.rows, rows)
        and not any(row_sets.share(other.x.rows, x) for x in trained)
        and not all(isinstance(key, tuple) and key[0] == "value" for key, _ in other.x.rows)
        for other in story.testings
    )


def _target(test: Testing) -> str | None:
    y = test.training.y if test.training is not None else None
    return y.column if isinstance(y, Data) else None


def _held_out(story: Story, test: Testing) -> bool:
    """Whether the rows were set apart by a split or a slice, or are called a test; folds are there to choose by."""
    cuts = [split for _, sides in test.x.rows for split, _ in sides]
    if any(isinstance(cut, tuple) and cut[:1] == ("folds",) for cut in cuts):
        return False
    if any(cut == "given" or (isinstance(cut, tuple) and cut[:1] == ("slice",)) for cut in cuts):
        return True
    parts = [part.rows for split in story.splits for part in split.parts]
    return any(row_sets.covers(part, test.x.rows) for part in parts) or any(
        "test" in name for name in _names(test.node)
    )


def _for_choosing(node: ast.AST) -> bool:
    """Whether the rows are called validation rows."""
    return any(name.endswith(_VALIDATION) or name.startswith(("val_", "valid", "dev_")) for name in _names(node))


def _names(node: ast.AST) -> list[str]:
    return [n.id.lower().rstrip("0123456789") for n in ast.walk(node) if isinstance(n, ast.Name)]
