"""Leaks that stand in the source and that the run itself did not show.

A row that is changed after a transformer saw it is not recognised, and a mean of labels taken by hand is no call that
can be watched. The flow of the data in the script still tells; what the leak costs is then not known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from unstuck.diagnosis.judge import Judged
from unstuck.finding import Finding, Location
from unstuck.measure.case import Case
from unstuck.measure.code.source import Sources, notebook_cell
from unstuck.rules.rule import Suspect
from unstuck.source.check import seen_in
from unstuck.source.reading import Unreadable, recorded
from unstuck.source.witnesses import witnesses

FAMILY = "LEK"
LIKE_LEAKS = ("inference-preprocessing-differs", "vocabulary-refit")
"""Rules of other families about what was prepared with which rows."""
SEEN_BY_ROW = ("overlapping-rows", "validation-is-training", "state-shared-across-folds")
"""Rules whose evidence is the rows themselves: what these do not show is not so."""


def with_source(judged: Sequence[Judged], case: Case) -> list[Judged]:
    """The answers, with what only the source says about leaks, told of the first of the fits that a line made."""
    site = case.fit.body.get("site")
    open_ = {j.rule.name: i for i, j in enumerate(judged) if _is_open(j)}
    same = [fit.index for fit in case.run.fits if fit.body.get("site") == site]
    if not site or not open_ or case.fit.index != min(same, default=case.fit.index):
        return list(judged)
    file, cell = notebook_cell(case.file)
    texts = {
        notebook_cell(name)[1]: lines for name, lines in case.run.sources.items() if notebook_cell(name)[0] == file
    }
    try:
        program = recorded(case.get(Sources).shown(file), texts)
        findings, crashed = seen_in(program, [witness for witness in witnesses() if witness.name in open_])
    except Unreadable:
        return list(judged)
    except Exception as error:  # a fault of ours in one witness must not hide the others
        case.crashed["the reading of the source"] = f"{type(error).__name__}: {error}"
        return list(judged)
    case.crashed.update(crashed)
    answers, others = list(judged), [f.body.get("site") for f in case.run.fits if f.body.get("site") != site]
    for finding in reversed(findings):
        if finding.explained_by is None and (not others or _names(finding, site["line"], cell)):
            known = judged[open_[finding.rule]]
            suspect = _suspect(finding)
            result = msgspec.structs.replace(known.result, outcome="found", reason=suspect.message)
            answers[open_[finding.rule]] = replace(known, suspect=suspect, result=result)
    return answers


def _is_open(judged: Judged) -> bool:
    rule = judged.rule
    about_rows = rule.code.startswith(FAMILY) or rule.name in LIKE_LEAKS
    return about_rows and judged.suspect is None and rule.name not in SEEN_BY_ROW


def _names(finding: Finding, line: int, cell: int | None) -> bool:
    """Whether a finding leads to a line: of several fits each has its own data."""
    places: list[Location | None] = [finding.location, *finding.related, *(step.location for step in finding.flow)]
    return any(p is not None and p.cell == cell and p.line <= line <= (p.end_line or p.line) for p in places)


def _suspect(finding: Finding) -> Suspect:
    said = finding.conclusion or "so the data flow in the source"
    return Suspect(
        message=finding.message,
        confidence="likely",
        location=finding.location,
        related=finding.related,
        evidence=finding.evidence,
        flow=finding.flow,
        harm=True,
        impairs=False,
        conclusion=f"{said}; the rows that fit was given do not show it, so what it costs was not measured",
        fix=finding.fix,
    )
