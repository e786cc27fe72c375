"""The domain: what a diagnosis says. Frozen data without markup, serialised as it stands.

Every number that any renderer shows is a field here. The JSON report is `msgspec.json.encode(report)`;
fields are only ever added within a schema version, never renamed or removed.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Severity = Literal["error", "warning", "note"]
Confidence = Literal["proven", "confirmed", "likely", "possible"]
Outcome = Literal[
    "found", "cleared", "refuted", "inconclusive", "not-applicable", "not-checked", "suppressed", "crashed"
]
Applicability = Literal["exact", "suggested", "sketch"]
Verdict = Literal[
    "stuck",
    "misleading",
    "impaired",
    "healthy",
    "unfinished",
    "finished",
    "no-signal",
    "noise-floor",
    "unknown",
]

SCHEMA = "https://unstuck.readthedocs.io/schema/report-1.json"
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
CONFIDENCES: tuple[Confidence, ...] = ("proven", "confirmed", "likely", "possible")


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every domain type: immutable, keyword-only, unknown keys ignored when decoded."""


class Location(Struct, frozen=True):
    """A span of source. Lines and columns count from 1; the end column is exclusive."""

    file: str
    line: int
    column: int = 1
    end_line: int | None = None
    end_column: int | None = None
    cell: int | None = None
    label: str = ""


class Evidence(Struct, frozen=True):
    """One thing that was seen: a sentence for people and the measured value for machines."""

    measure: str
    """What was measured, kebab-case: `steps-without-weight-change`."""
    text: str
    value: float | None = None
    expected: float | None = None
    of: float | None = None


class Edit(Struct, frozen=True):
    """Replace the source from `start` to `end` (line, column; both from 1, end exclusive) by `text`."""

    file: str
    start: tuple[int, int]
    end: tuple[int, int]
    text: str


class Fix(Struct, frozen=True):
    """A change to the code. Only `exact` and `suggested` fixes have complete edits."""

    title: str
    applicability: Applicability
    edits: tuple[Edit, ...] = ()
    alternative: str = ""
    """Another way to the same end, in words."""


class Step(Struct, frozen=True):
    """One station of a data flow: what happened to the rows, and where."""

    text: str
    location: Location | None = None


class Series(Struct, frozen=True):
    """A quantity over the optimiser steps of a fit, thinned so that peaks and troughs stay; null where not finite."""

    name: str
    steps: tuple[int, ...] = ()
    values: tuple[float | None, ...] = ()


class LayerMap(Struct, frozen=True):
    """A quantity of each layer at the steps that were kept: `values[layer][step]`, layers in the order of the data."""

    measure: str
    """`dead share`, `gradient norm`, `update ratio`."""
    layers: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()
    values: tuple[tuple[float | None, ...], ...] = ()


class Mark(Struct, frozen=True):
    """Something that happened at a step of a fit, in words."""

    step: int
    text: str


class Trial(Struct, frozen=True):
    """One arm of a controlled experiment next to its baseline, paired over seeds.

    `effect` is the mean of the paired differences (value - baseline) of `metric`; `interval` its two-sided
    95 % interval, widened for the number of interventions tried together.
    """

    id: str
    role: Literal["baseline", "intervention", "placebo", "rival", "control"]
    label: str
    intervention: dict[str, object] = {}
    metric: str = "held-out skill"
    seeds: tuple[int, ...] = ()
    baseline: tuple[float, ...] = ()
    value: tuple[float, ...] = ()
    effect: float | None = None
    interval: tuple[float, float] | None = None
    outcome: Literal["confirmed", "refuted", "inconclusive", "baseline", "not-run"] = "baseline"
    epochs: int = 0
    sufficient: bool | None = None
    """Whether this change alone reaches what the data allow."""
    weights_moved: bool | None = None
    displayed: dict[str, tuple[float, ...]] = {}
    """Further scores a seed, under the user's names: `val_accuracy`, `train skill`."""
    curves: tuple[tuple[float | None, ...], ...] = ()
    """Mean training loss an epoch, a curve a seed, at most 100 points each; null where not finite."""
    held_fixed: tuple[str, ...] = ()
    seeds_to_settle: int | None = None
    engine: str = ""
    note: str = ""
    seconds: float = 0.0

    @property
    def several(self) -> bool:
        """Whether it tried several changes at once."""
        return bool(self.intervention.get("type") == "together")


class Finding(Struct, frozen=True):
    """A cause with its evidence. `explained_by` names the rule of its root cause when it is a consequence."""

    rule: str
    code: str
    fingerprint: str
    severity: Severity
    confidence: Confidence
    message: str
    outcome: Outcome = "found"
    location: Location | None = None
    related: tuple[Location, ...] = ()
    scope: dict[str, str] = {}
    flow: tuple[Step, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    conclusion: str = ""
    """Why the confidence word is deserved, in one sentence."""
    experiments: tuple[str, ...] = ()
    cure: str | None = None
    """The experiment whose change is offered as the fix."""
    worth: float | None = None
    """Held-out skill gained by the tried change (or lost, when a leak is removed); None when not tried."""
    fix: Fix | None = None
    explained_by: str | None = None
    url: str = ""
    fit: int = 0


class RuleResult(Struct, frozen=True):
    """The outcome of one rule on one fit. Every rule has one."""

    rule: str
    code: str
    outcome: Outcome
    fit: int = 0
    reason: str = ""
    measured: float | None = None
    threshold: float | None = None
    needs: tuple[str, ...] = ()
    supply: str = ""


class Fit(Struct, frozen=True):
    """One recorded call of `fit` and the verdict on it."""

    index: int
    verdict: Verdict
    sentence: str
    location: Location | None = None
    epochs: int = 0
    steps: int = 0
    seconds: float = 0.0
    rows: int = 0
    task: str = ""
    loss: str = ""
    reported_loss: float | None = None
    train_skill: float | None = None
    held_out_skill: float | None = None
    learnable_skill: float | None = None
    """Best held-out skill of the reference learners on the same rows."""
    facts: tuple[str, ...] = ()
    """What is worth knowing about this fit whatever the findings, in sentences."""
    constant_loss: float | None = None
    """Training loss of always giving the best constant answer."""
    series: tuple[Series, ...] = ()
    """Training loss a step, then Keras's own logs an epoch under their own names."""
    layers: tuple[LayerMap, ...] = ()
    marks: tuple[Mark, ...] = ()
    """What happened when, by step."""
    trained_on: bool = False
    """Whether the same line trains the same model on in a later fit, whose verdict counts: an epoch of a loop."""


class Run(Struct, frozen=True):
    """The recorded run a report is about."""

    id: str
    folder: str = ""
    command: tuple[str, ...] = ()
    script: str = ""
    started: str = ""
    keras: str = ""
    backend: str = ""
    python: str = ""
    steps: int = 0
    seconds: float = 0.0
    status: str = ""
    """`completed`, `exit N`, `raised TYPE`, `interrupted`, `killed`."""


class Summary(Struct, frozen=True):
    error: int = 0
    warning: int = 0
    note: int = 0
    worst: Severity | None = None
    verdict: Verdict = "unknown"
    sentence: str = ""


class Tool(Struct, frozen=True):
    name: str
    version: str


class Report(Struct, frozen=True):
    """Everything a diagnosis says. Every renderer is a pure function of it."""

    schema: str
    tool: Tool
    run: Run
    summary: Summary
    fits: tuple[Fit, ...] = ()
    findings: tuple[Finding, ...] = ()
    rules: tuple[RuleResult, ...] = ()
    experiments: tuple[Trial, ...] = ()
    suppressed: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()
    interrupted: bool = False
    """Whether trials were stopped by the person; those that were finished count."""
    timing: dict[str, float] = {}
    sources: dict[str, tuple[str, ...]] = {}
    """The lines of the files that findings point into, for code frames."""

    def raise_for_findings(self, severity: Severity = "error") -> None:
        """Raise `FindingsError` if a finding is at or above `severity`; for tests and CI.

        Raises:
            FindingsError: with one line a finding.
        """
        from unstuck.errors import FindingsError

        bar = SEVERITIES.index(severity)
        found = [
            f
            for f in self.findings
            if SEVERITIES.index(f.severity) <= bar
            and f.outcome == "found"
            and f.explained_by is None
            and f.confidence != "possible"
        ]
        if found:
            raise FindingsError(tuple(f"{f.severity} {f.rule}: {f.message} [{f.confidence}]" for f in found))

    def __str__(self) -> str:
        from unstuck.report import text

        return text(self)

    def _repr_pretty_(self, printer: Any, cycle: object) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        from unstuck.report import html_fragment

        return html_fragment(self)
