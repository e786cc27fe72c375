"""TELL: one renderer a file, each a pure function of the report. Imports no Keras, NumPy, scikit-learn."""

from __future__ import annotations

from unstuck.finding import Report
from unstuck.report.as_json import from_json, to_json, to_jsonl
from unstuck.report.concise import concise
from unstuck.report.github import github
from unstuck.report.sarif import sarif
from unstuck.report.terminal import text

__all__ = ["concise", "from_json", "github", "html_fragment", "html_page", "in_format", "sarif", "text", "to_json"]


def in_format(report: Report, name: str, *, possible: bool = False) -> str:
    """The report in a format for machines: `concise`, `json`, `jsonl`, `sarif` or `github`."""
    if name in ("json", "jsonl"):
        return to_json(report) if name == "json" else to_jsonl(report)
    return {"concise": concise, "sarif": sarif, "github": github}[name](report, possible=possible)


def html_fragment(report: Report) -> str:
    """The short HTML that a notebook shows."""
    from unstuck.report.html import fragment

    return fragment(report)


def html_page(report: Report) -> str:
    """The report as one self-contained HTML file."""
    from unstuck.report.html import page

    return page(report)
