"""The pytest plugin: a fixture that diagnoses a model, or a watched fit, and fails the test on what it finds."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from unstuck.finding import Report


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("unstuck").addoption(
        "--unstuck-fail-on",
        choices=("error", "warning", "note"),
        default="error",
        help="Least severity at which the fixture unstuck_report fails a test.  [default: error]",
    )


@pytest.fixture
def unstuck_report(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Report]:
    """Call it as `unstuck.diagnose(model, x, y, ...)`, or with an `unstuck.Watch` that has seen a fit.

    Returns the report when nothing at or above `--unstuck-fail-on` was found; else the test fails with its text.
    """
    severity = request.config.getoption("--unstuck-fail-on")

    def judged(subject: Any, *data: Any, **options: Any) -> Report:
        import unstuck

        with contextlib.chdir(tmp_path):
            report: Report = (
                subject.report if isinstance(subject, unstuck.Watch) else unstuck.diagnose(subject, *data, **options)
            )
        try:
            report.raise_for_findings(severity)
        except unstuck.FindingsError as found:
            pytest.fail(f"{found}\n\n{report}", pytrace=False)
        return report

    return judged
