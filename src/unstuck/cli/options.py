"""What the commands share: the options of a judgement, errors of ours as one line, the settings in force."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unstuck.cli.known_rules import refuse_unknown
from unstuck.errors import UnstuckError
from unstuck.report import console

if TYPE_CHECKING:
    from unstuck.finding import Report
    from unstuck.settings import Settings

Command = Callable[..., Any]

FORMATS = ("full", "concise", "json", "jsonl", "sarif", "github")
_FORMAT = [
    click.option("--format", "format", type=click.Choice(FORMATS), default="full"),
    click.option("--output", metavar="FILE", help="Write the report here; - is standard output."),
    click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Also write the HTML report."),
    click.option(
        "--experiments",
        type=click.Choice(["off", "auto", "all"]),
        envvar="UNSTUCK_EXPERIMENTS",
        help="Which suspects to try by training again.  [default: auto]",
    ),
    click.option(
        "--budget",
        envvar="UNSTUCK_BUDGET",
        help="Time for experiments: 60, '60 s', '5 min'.  [default: 5 min]",
    ),
    click.option(
        "--executor",
        metavar="WHERE",
        envvar="UNSTUCK_EXECUTOR",
        help="Where to train: local, ray, or a cluster's ray://HOST:PORT.  [default: local]",
    ),
    click.option(
        "--seeds",
        type=click.IntRange(min=1),
        envvar="UNSTUCK_SEEDS",
        help="Seeds an experiment.  [default: 3]",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(["error", "warning", "note", "never"]),
        envvar="UNSTUCK_FAIL_ON",
        help="Exit with 1 for findings of this severity or worse.  [default: error]",
    ),
    click.option(
        "--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Leave out the findings it knows."
    ),
    click.option("--write-baseline", type=click.Path(path_type=Path), metavar="FILE", help="Write what is known now."),
    click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found."),
    click.option("--strict", is_flag=True, help="Exit with 2 if a rule crashed."),
    click.option("--show", type=click.Choice(["likely", "possible"]), help="The least confidence that is shown."),
    click.option("-v", "--verbose", count=True, help="Say more; twice: also what is merely possible."),
    click.option("-q", "--quiet", is_flag=True, help="Only the verdict and a line a finding."),
]


def judging(command: Command) -> Command:
    """The options of every command that ends in a report."""
    for option in reversed(_FORMAT):
        command = option(command)
    return command


def told(command: Command) -> Command:
    """Errors of ours become one line on stderr and exit status 2."""

    @wraps(command)
    def guarded(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except UnstuckError as error:
            console.complain(error)
            sys.exit(2)

    return guarded


def settings_for(start: Path, options: dict[str, Any], **more: Any) -> Settings:
    from unstuck.settings import load

    names = ("experiments", "budget", "seeds", "fail_on", "exit_zero", "strict", "show", "executor")
    settings = load(start, **{name: options[name] for name in names}, **more)
    refuse_unknown(settings, start)
    return settings


def without_known(found: Report, baseline: Path | None, new: Path | None) -> Report:
    """The report without the findings of the baseline; a new baseline knows those of the old one too."""
    from unstuck.report.known import baseline_text, read_baseline, set_aside

    if new is not None:
        console.write(new, baseline_text(found))
        baseline = baseline or new
    return found if baseline is None else set_aside(found, read_baseline(baseline))
