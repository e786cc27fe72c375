"""The `full` format: a verdict in words, then a block for each cause: claim, evidence, experiment, remedy."""

from __future__ import annotations

from collections.abc import Mapping

from unstuck.finding import Finding, Fix, Report, Step
from unstuck.report.diff import changes, diff_lines
from unstuck.report.experiment import experiment
from unstuck.report.fits import fit_lines, where_found
from unstuck.report.frame import frame, gutter_of
from unstuck.report.selection import Cause, causes
from unstuck.report.summary import closing
from unstuck.report.trials import trials_of, winner_of, words_on_skill
from unstuck.report.words import clean, home_of, near, place, wrap

_APPLICABILITY = {
    "exact": "same function, only correct; apply with `unstuck fix`",
    "suggested": "changes what the model computes; apply with `unstuck fix --unsafe`",
    "sketch": "has gaps for you to fill in; not applied automatically",
}


def applicability(finding: Finding, fix: Fix, report: Report) -> str:
    """What a fix does to the model, and how it is applied; `unstuck fix` takes no suggestion that was not tried."""
    if fix.applicability == "suggested" and (not fix.edits or not tested(finding, report)):
        return "changes what the model computes; not applied automatically"
    return _APPLICABILITY[fix.applicability]


def text(report: Report, *, width: int = 80, color: bool = False, verbosity: int = 0) -> str:
    """The report for a terminal or a log.

    Args:
        width: columns that no line passes, except source lines in code frames and diffs.
        color: repeat in colour what the words say.
        verbosity: -1 for the verdict and one line a cause; 1 for notes in full, names and engines; 2 also for
            causes that are merely possible.
    """
    shown = causes(report, possible=verbosity > 1)
    lines = wrap(report.summary.sentence or "No verdict was reached.", width)
    if verbosity >= 0:
        lines += fit_lines(report, width=width, verbosity=verbosity)
        if said := words_on_skill([t for cause in shown for t in trials_of(cause.finding, report.experiments)]):
            lines += wrap(said, width, first="  = ", rest="           ")
    brief: list[str] = []
    told: dict[Fix, str] = {}
    for cause in shown:
        if verbosity < 0 or (cause.finding.severity == "note" and verbosity < 1):
            brief += _one_line(cause, report, width)
        else:
            lines += ["", *block(cause, report, told, width=width, verbosity=verbosity)]
            if cause.finding.fix and cause.finding.fix.edits:
                told.setdefault(cause.finding.fix, cause.finding.rule)
    gap = [""] if verbosity >= 0 else []
    lines += (gap + brief if brief else []) + (gap if shown else [])
    lines += closing(report, shown, width=width, verbosity=verbosity)
    plain = "\n".join(line.rstrip() for line in lines) + "\n"
    if not color:
        return plain
    from unstuck.report.paint import painted

    return painted(plain)


def _head(cause: Cause) -> str:
    return f"{cause.finding.severity}[{clean(cause.finding.rule)}]: "


def _one_line(cause: Cause, report: Report, width: int) -> list[str]:
    finding = cause.finding
    where = f" ({place(finding.location, home_of(report.run))})" if finding.location else ""
    return wrap(f"{_head(cause)}{finding.message}{where} [{cause.standing}]", width, rest="  ")


def block(cause: Cause, report: Report, told: Mapping[Fix, str], *, width: int, verbosity: int) -> list[str]:
    """Everything about one cause; a fix that was told for another one above is only named."""
    finding = cause.finding
    margin = " " * (gutter_of(finding) + 1)
    home = home_of(report.run)
    lines = wrap(_head(cause) + finding.message, width, rest="  ")
    if len(report.fits) > 1:
        lines += wrap(where_found(cause.fits, report), width, first=" " * (len(margin) - 1) + "in ")
    lines += frame(finding, report.sources, home=home, width=width)
    for seen in finding.evidence:
        lines += wrap(seen.text, width, first=f"{margin}= seen: ")
    if finding.flow:
        lines += wrap(_flow(finding.flow, finding, home), width, first=f"{margin}= flow: ")
    lines += _judged(cause, report, margin, width, verbosity)
    if finding.fix is not None and finding.fix in told:
        lines += ["", *wrap(f"the same change as for {clean(told[finding.fix])} above", width, first="help: ")]
    elif finding.fix:
        lines += ["", *_help(finding, finding.fix, report, margin, width)]
    return lines


def _flow(steps: tuple[Step, ...], finding: Finding, home: str) -> str:
    parts = []
    for step in steps:
        spot = step.location
        here = finding.location is not None and spot is not None and finding.location.file == spot.file
        if spot is None:
            parts.append(clean(step.text))
        elif here and spot.cell is None:
            parts.append(f"{clean(step.text)} (line {spot.line})")
        else:
            parts.append(f"{clean(step.text)} ({place(spot, home, known_file=spot.file if here else '')})")
    return " → ".join(parts)


def _judged(cause: Cause, report: Report, margin: str, width: int, verbosity: int) -> list[str]:
    """The conclusion and the experiments: arithmetic comes before the table, what was measured after it."""
    finding = cause.finding
    trials = trials_of(finding, report.experiments)
    said = _conclusion(cause, report, margin, width)
    tried = experiment(trials, margin, width=width, verbosity=verbosity)
    if not tried:
        return said
    if cause.standing == "proven":
        return [*said, "", *tried]
    return ["", *tried, *([""] if said else []), *said]


def _conclusion(cause: Cause, report: Report, margin: str, width: int) -> list[str]:
    finding = cause.finding
    first = f"{margin}= {cause.standing}: "
    if cause.standing != "inconclusive":
        untried = "the evidence fits and nothing contradicts it; no experiment was run"
        said = finding.conclusion or ("" if finding.experiments or cause.standing == "proven" else untried)
        return wrap(said, width, first=first) if said else []
    trials = trials_of(finding, report.experiments)
    changes = [t for t in trials if t.id == finding.cure] or [t for t in trials if t.role == "intervention"]
    seeds = max((t.seeds_to_settle or 0 for t in changes), default=0)
    said = finding.conclusion or "the experiments could not tell the change from no change"
    if not seeds or "unstuck diagnose" in said:
        return wrap(said, width, first=first)
    said = said.rstrip(" .;:")
    hint = "" if f"{seeds} seeds" in said else f"; about {seeds} seeds would settle it"
    command = f"unstuck diagnose --only {clean(finding.rule)} --seeds {seeds}"
    return wrap(said + hint + ":", width, first=first) + wrap(command, width, first=f"{margin}  ")


def _help(finding: Finding, fix: Fix, report: Report, margin: str, width: int) -> list[str]:
    gutter = gutter_of(finding)
    lines = wrap(fix.title, width, first="help: ", rest="  ")
    found = changes(fix.edits, report.sources)
    bar = margin + "|"
    if found:
        named = {c.file for c in found} != {finding.location.file if finding.location else ""}
        if named:
            lines.append(f"{margin[:-1]}--> {near(found[0].file, home_of(report.run))}")
        lines += [bar, *diff_lines(found, gutter, home=home_of(report.run)), bar]
    else:
        lines += _edits_in_words(fix, report, margin, width)
    lines += wrap(applicability(finding, fix, report), width, first=f"{margin}= {fix.applicability}: ")
    if not tested(finding, report):
        tried = any(t.role == "intervention" and t.value for t in trials_of(finding, report.experiments))
        word = "the experiments did not settle whether it helps" if tried else "no experiment was run on it"
        lines += wrap(word, width, first=f"{margin}= unproven: ")
    if fix.alternative:
        lines += wrap(fix.alternative, width, first=f"{margin}= or ")
    return lines


def _edits_in_words(fix: Fix, report: Report, margin: str, width: int) -> list[str]:
    """Edits to a source that was not kept, or that do not fit it."""
    lines = []
    for edit in fix.edits:
        spot = f"{near(edit.file, home_of(report.run))}:{edit.start[0]}:{edit.start[1]}"
        lines += wrap(f"{spot}: {edit.text or '(delete)'}", width, first=f"{margin}= in ", rest=f"{margin}  ")
    return lines


def tested(finding: Finding, report: Report) -> bool:
    """Whether an experiment confirmed a change against the cause of a finding."""
    return winner_of(trials_of(finding, report.experiments)) is not None
