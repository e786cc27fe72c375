"""Commands that only show: `unstuck report`, `explain`, `rules`, `env`."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from unstuck.cli.options import told
from unstuck.errors import ERRORS, UnstuckError
from unstuck.report import console


@click.command()
@click.argument("run", required=False)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Default: report.html in the run folder.",
)
@told
def report(run: str | None, output: Path | None) -> None:
    """Write the HTML report of a judged RUN (default: the latest) and print its path."""
    from unstuck.report import html_page
    from unstuck.report.stored import find_run, stored_report

    folder = find_run(run, Path.cwd())
    path = output or folder / "report.html"
    console.write(path, html_page(stored_report(folder)))
    click.echo(str(path))


@click.command()
@click.argument("name")
@click.option("--format", "format", type=click.Choice(["text", "markdown", "json"]), default="text")
@told
def explain(name: str, format: str) -> None:
    """Tell what a rule or an error means, by its NAME or code."""
    from unstuck.report import pages

    wanted = name.strip()
    if wanted.upper() in ERRORS:
        console.say(pages.render(pages.error_page(wanted.upper(), ERRORS[wanted.upper()]), format))
        return
    from unstuck.rules import catalogue

    rules = {key: rule for rule in catalogue() for key in (rule.name, rule.code.lower())}
    found = rules.get(wanted.lower())
    if found is None:
        raise _unknown(wanted, [*rules, *ERRORS])
    console.say(pages.render(pages.rule_page(found), format))


@click.command()
@click.option("--format", "format", type=click.Choice(["text", "json"]), default="text")
@told
def rules(format: str) -> None:
    """List the rules."""
    from unstuck.report import pages
    from unstuck.rules import catalogue

    console.say(pages.rule_list(catalogue(), format))


@click.command()
@told
def env() -> None:
    """Show the versions, the backend and the settings in force, and where each came from."""
    console.say(console.environment(Path.cwd()))


def _unknown(name: str, known: list[str]) -> UnstuckError:
    near = [n for spelt in (name.lower(), name.upper()) for n in difflib.get_close_matches(spelt, known)]
    do = f"did you mean {' or '.join(dict.fromkeys(near))}?" if near else "`unstuck rules` lists them"
    return UnstuckError("E011", f"no rule or error is called {name!r}", expected="expected a name or a code", do=do)
