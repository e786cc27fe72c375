"""The command line. It starts fast: what is heavy is imported by the command that needs it."""

from __future__ import annotations

import click

from unstuck import __version__
from unstuck.cli.change import diff, fix, repro
from unstuck.cli.check import check
from unstuck.cli.judge import diagnose, run
from unstuck.cli.show import env, explain, report, rules


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="unstuck")
def main() -> None:
    """Find out why your Keras model is stuck, and prove it."""


for _command in (check, run, diagnose, report, explain, fix, repro, diff, rules, env):
    main.add_command(_command)
