"""The wording of every format, pinned. `UNSTUCK_REGENERATE=1 pytest tests/report` writes the files anew."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from reports import CASES

from unstuck.finding import Report
from unstuck.report import concise, github, html_fragment, sarif, text
from unstuck.report.as_json import to_jsonl

GOLDEN = Path(__file__).parent / "golden"


def quiet(report: Report) -> str:
    return text(report, verbosity=-1)


def verbose(report: Report) -> str:
    return text(report, verbosity=2)


RENDERERS: dict[str, Callable[[Report], str]] = {
    "full.txt": text,
    "quiet.txt": quiet,
    "verbose.txt": verbose,
    "concise.txt": concise,
    "fragment.html": html_fragment,
    "findings.jsonl": to_jsonl,
    "sarif.json": sarif,
    "github.txt": github,
}


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("case", CASES)
def test_each_report_reads_as_it_did(case: str, renderer: str) -> None:
    shown = RENDERERS[renderer](CASES[case]())
    file = GOLDEN / f"{case}.{renderer}"
    if os.environ.get("UNSTUCK_REGENERATE"):
        file.write_text(shown, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == shown


def test_there_is_no_golden_file_that_nothing_makes() -> None:
    made = {f"{case}.{renderer}" for case in CASES for renderer in RENDERERS}
    assert made == {file.name for file in GOLDEN.iterdir()}
