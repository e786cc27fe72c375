"""The command line. It starts fast: what is heavy is imported by the command that needs it."""

from __future__ import annotations

import click

from unstuck import __version__
from unstuck.cli.change import diff, fix, repro
from unstuck.cli.check import check
from unstuck.cli.judge import diagnose, run
from unstuck.cli.show import env, explain, report, rules

_COMMANDS = {
    run: "Run a script or notebook, watch it, diagnose it.",
    check: "Judge scripts and notebooks by their source alone.",
    diagnose: "Judge a recorded run again, offline.",
    report: "Write the report of a run as one HTML file.",
    explain: "Tell what a rule or an error means.",
    fix: "Put the tried changes into the script.",
    repro: "Write a script with the cause and the cure.",
    diff: "Tell what changed between runs, and what it did.",
    rules: "List the rules.",
    env: "Show versions, the backend and the settings.",
}
"""In the order in which a person comes to need them, each in a line that the list of commands has room for."""


class InOrder(click.Group):
    """Lists its commands as they were added, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=InOrder, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="unstuck")
def main() -> None:
    """Find out why your Keras model is stuck, and prove it.

    Begin with `unstuck run train.py`. Runs are kept in .unstuck/runs, and the other commands take the latest.
    """


for _command, _said in _COMMANDS.items():
    _command.short_help = _said
    main.add_command(_command)
