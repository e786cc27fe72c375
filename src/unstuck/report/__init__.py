"""TELL: one renderer a file, each a pure function of the report. Imports no Keras, NumPy, scikit-learn."""

from __future__ import annotations

from unstuck.finding import Report
from unstuck.report.as_json import from_json, to_json
from unstuck.report.concise import concise
from unstuck.report.terminal import text

__all__ = ["concise", "from_json", "html_fragment", "html_page", "text", "to_json"]


def html_fragment(report: Report) -> str:
    """The short HTML that a notebook shows."""
    from unstuck.report.html import fragment

    return fragment(report)


def html_page(report: Report) -> str:
    """The report as one self-contained HTML file."""
    from unstuck.report.html import page

    return page(report)
