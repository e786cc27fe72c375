"""SARIF 2.1.0 for code scanning: one result a cause, with its flow, its fix and how sure it is.

Only findings are results, because GitHub shows every result as an alert and refuses those without a place. What
every other rule said stands under `properties.outcomes`, in SARIF's own words.
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from unstuck.finding import Confidence, Edit, Finding, Fix, Location, Outcome, Report, Severity
from unstuck.report.selection import causes, fit_of
from unstuck.report.words import clean, home_of, near

SCHEMA = "https://json.schemastore.org/sarif-2.1.0-rtm.5.json"
HOME = "https://unstuck.readthedocs.io"
LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "note"}
RANKS: dict[Confidence, float] = {"proven": 100.0, "confirmed": 90.0, "likely": 60.0, "possible": 30.0}
PRECISIONS: dict[Confidence, str] = {"proven": "very-high", "confirmed": "high", "likely": "medium", "possible": "low"}
KINDS: dict[Outcome, str] = {
    "found": "fail",
    "cleared": "pass",
    "refuted": "pass",
    "inconclusive": "review",
    "not-applicable": "notApplicable",
    "not-checked": "open",
    "suppressed": "fail",
    "crashed": "informational",
}


def sarif(report: Report, *, possible: bool = False) -> str:
    """The report as a SARIF log of one run."""
    shown = [cause.finding for cause in causes(report, possible=possible)]
    results = [_result(f, report) for f in shown]
    results += [{**_result(f, report), "suppressions": [{"kind": "inSource"}]} for f in report.suppressed]
    run = {
        "tool": {
            "driver": {
                "name": report.tool.name,
                "semanticVersion": report.tool.version,
                "informationUri": HOME,
                "rules": _rules(report, [*shown, *report.suppressed]),
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {
            "verdict": report.summary.verdict,
            "sentence": clean(report.summary.sentence),
            "outcomes": {clean(r.rule): KINDS[r.outcome] for r in report.rules},
        },
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rules(report: Report, findings: list[Finding]) -> list[dict[str, Any]]:
    sure = {f.code: PRECISIONS[f.confidence] for f in findings}
    names = {r.code: r.rule for r in report.rules} | {f.code: f.rule for f in findings}
    return [
        {
            "id": clean(code),
            "name": clean(name),
            "shortDescription": {"text": clean(name).replace("-", " ")},
            "helpUri": f"{HOME}/rules/{quote(clean(name))}",
            **({"properties": {"precision": sure[code]}} if code in sure else {}),
        }
        for code, name in sorted(names.items())
    ]


def _result(finding: Finding, report: Report) -> dict[str, Any]:
    home = home_of(report.run)
    fit = fit_of(report, finding.fit)
    spot = finding.location or (fit.location if fit else None) or Location(file=report.run.script or "unknown", line=1)
    undecided = finding.outcome == "inconclusive"
    said = f"{finding.message}. {finding.conclusion}".rstrip(". ") + "."
    result: dict[str, Any] = {
        "ruleId": clean(finding.code),
        "kind": KINDS[finding.outcome],
        "level": "none" if undecided else LEVELS[finding.severity],
        "rank": RANKS[finding.confidence],
        "message": {"text": clean(said)},
        "locations": [_location(spot, home)],
        "partialFingerprints": {"unstuck": finding.fingerprint},
        "properties": {"confidence": finding.confidence, "evidence": [clean(e.text) for e in finding.evidence]},
    }
    if finding.related:
        result["relatedLocations"] = [{"id": i, **_location(s, home)} for i, s in enumerate(finding.related, 1)]
    stations = [(step, step.location) for step in finding.flow if step.location is not None]
    if stations:
        places = [{"location": {**_location(at, home), "message": {"text": clean(s.text)}}} for s, at in stations]
        result["codeFlows"] = [{"threadFlows": [{"locations": places}]}]
    if finding.fix is not None and finding.fix.edits and finding.fix.applicability != "sketch":
        result["fixes"] = [_fix(finding.fix, home)]
    return result


def _location(spot: Location, home: str) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": max(1, spot.line), "startColumn": max(1, spot.column)}
    if spot.end_line is not None and spot.end_line >= spot.line:
        region["endLine"] = spot.end_line
    if spot.end_column is not None:
        region["endColumn"] = max(1, spot.end_column)
    found: dict[str, Any] = {"physicalLocation": {"artifactLocation": _artifact(spot.file, home), "region": region}}
    cell = f"cell {spot.cell}: " if spot.cell is not None else ""
    if spot.label or cell:
        found["message"] = {"text": f"{cell}{clean(spot.label)}".strip()}
    return found


def _artifact(file: str, home: str) -> dict[str, Any]:
    """A path below the folder of the run relative to the root of the sources, any other as it is."""
    path = near(file, home)
    if PurePath(path).is_absolute():
        return {"uri": "file://" + quote(path)}
    return {"uri": quote(path), "uriBaseId": "%SRCROOT%"}


def _fix(fix: Fix, home: str) -> dict[str, Any]:
    files = dict.fromkeys(edit.file for edit in fix.edits)
    return {
        "description": {"text": clean(fix.title)},
        "artifactChanges": [
            {
                "artifactLocation": _artifact(file, home),
                "replacements": [_replacement(edit) for edit in fix.edits if edit.file == file],
            }
            for file in files
        ],
    }


def _replacement(edit: Edit) -> dict[str, Any]:
    (line, column), (end_line, end_column) = edit.start, edit.end
    region = {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
    return {"deletedRegion": region, "insertedContent": {"text": edit.text}}
