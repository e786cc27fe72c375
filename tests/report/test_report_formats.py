"""The formats for machines: each against its published schema, and what a reader of it relies on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from reports import CASES, case_a, case_b, hostile, inconclusive, softmax_finding

from unstuck.report import from_json, github, html_page, in_format, sarif, to_json
from unstuck.report.as_json import schema, to_jsonl

HERE = Path(__file__).parent
PUBLISHED = Path(__file__).parents[2] / "schema" / "report-1.json"
SARIF = json.loads((HERE / "schema" / "sarif-2.1.0-part.json").read_text())


def results(report: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(sarif(report))["runs"][0]["results"]
    return found


def test_the_committed_schema_is_that_of_the_types() -> None:
    """`python -c "from unstuck.report.as_json import schema; print(schema(), end='')" > schema/report-1.json`"""
    assert PUBLISHED.read_text() == schema()


@pytest.mark.parametrize("case", CASES)
def test_json_is_valid_by_the_published_schema(case: str) -> None:
    jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text())).validate(json.loads(to_json(CASES[case]())))


def test_the_published_schema_refuses_what_is_no_report() -> None:
    broken = {**json.loads(to_json(case_a())), "summary": {"error": "many"}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text())).validate(broken)


def test_json_of_the_first_version_still_opens() -> None:
    old = (HERE / "old" / "report-0.1.0.json").read_text()
    assert "curves" not in old
    assert "softmax-on-one-unit" == from_json(old).findings[0].rule


@pytest.mark.parametrize("case", CASES)
def test_sarif_is_valid_by_the_official_schema(case: str) -> None:
    jsonschema.Draft4Validator(SARIF).validate(json.loads(sarif(CASES[case]())))


def test_the_sarif_schema_refuses_an_unknown_key() -> None:
    log = json.loads(sarif(case_a()))
    log["runs"][0]["results"][0]["severity"] = "bad"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(SARIF).validate(log)


def test_sarif_says_where_how_sure_and_what_to_change() -> None:
    (found,) = results(case_a())
    place = found["locations"][0]["physicalLocation"]
    assert ("train.py", "%SRCROOT%") == (place["artifactLocation"]["uri"], place["artifactLocation"]["uriBaseId"])
    assert {"startLine": 14, "startColumn": 27, "endLine": 14, "endColumn": 47} == place["region"]
    assert ("OUT101", "error", "fail", 100.0) == tuple(found[k] for k in ("ruleId", "level", "kind", "rank"))
    texts = [r["insertedContent"]["text"] for c in found["fixes"][0]["artifactChanges"] for r in c["replacements"]]
    assert ['"sigmoid"', '"binary_crossentropy"'] == texts


def test_sarif_keeps_the_flow_of_a_leak_and_offers_no_sketch() -> None:
    (found,) = results(case_b())
    flow = found["codeFlows"][0]["threadFlows"][0]["locations"]
    assert ["fit_transform", "train_test_split", "validation_data"] == [s["location"]["message"]["text"] for s in flow]
    assert "fixes" not in found


def test_an_undecided_finding_is_for_review_and_has_no_level() -> None:
    assert ("review", "none") == (results(inconclusive())[0]["kind"], results(inconclusive())[0]["level"])


def test_a_suppressed_finding_stays_in_sarif_as_suppressed() -> None:
    report = msgspec.structs.replace(case_a(), findings=(), suppressed=(softmax_finding(outcome="suppressed"),))
    (found,) = results(report)
    assert [{"kind": "inSource"}] == found["suppressions"]


def test_jsonl_is_one_object_a_line_the_summary_first() -> None:
    lines = [json.loads(line) for line in to_jsonl(case_a()).splitlines()]
    assert ["summary", "finding", "finding"] == [line["type"] for line in lines]


def test_a_github_annotation_marks_the_span() -> None:
    assert github(case_a()) == (
        "::error file=train.py,line=14,col=27,endColumn=47,title=OUT101 softmax-on-one-unit"
        "::softmax over a single unit always outputs 1 [proven]\n"
    )


def test_a_hostile_name_cannot_add_a_property_or_a_command() -> None:
    finding = softmax_finding(rule="x,file=/etc/passwd", message="a\n::error::b 100%")
    lines = github(msgspec.structs.replace(case_a(), findings=(finding,))).splitlines()
    assert 1 == len(lines)
    assert "title=OUT101 x%2Cfile=/etc/passwd::a ::error::b 100%25 [proven]" in lines[0]
    assert 1 == len(github(hostile()).splitlines())


@pytest.mark.parametrize("name", ["concise", "json", "jsonl", "sarif", "github"])
def test_every_format_has_a_name_on_the_command_line(name: str) -> None:
    from unstuck.cli.options import FORMATS

    assert name in FORMATS
    assert in_format(case_a(), name)


RECORDED = sorted((HERE.parents[1] / "docs" / "outputs").glob("*.json"))


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_every_format_of_a_recorded_run_is_valid_and_of_modest_size(file: Path) -> None:
    report = from_json(file.read_bytes())
    jsonschema.Draft202012Validator(json.loads(PUBLISHED.read_text())).validate(json.loads(file.read_text()))
    jsonschema.Draft4Validator(SARIF).validate(json.loads(sarif(report)))
    assert len(to_jsonl(report).splitlines()) == 1 + len(report.findings)
    assert len(html_page(report).encode()) < 250_000


def test_six_recorded_runs_are_kept() -> None:
    assert 6 <= len(RECORDED)
