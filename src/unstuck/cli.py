"""The command line. It starts fast: what is heavy is imported by the command that needs it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

from unstuck import __version__
from unstuck.errors import ERRORS, UnstuckError
from unstuck.report import console, troubles

if TYPE_CHECKING:
    from unstuck.finding import Report
    from unstuck.settings import Settings

Command = Callable[..., Any]

_FORMAT = [
    click.option("--format", "format", type=click.Choice(["full", "concise", "json"]), default="full"),
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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="unstuck")
def main() -> None:
    """Find out why your Keras model is stuck, and prove it."""


@main.command(context_settings={"allow_interspersed_args": False})
@click.argument("script", type=click.Path(path_type=Path))
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@judging
@click.option("--no-samples", is_flag=True, help="Keep no data values in the run folder, only statistics.")
@told
def run(script: Path, args: tuple[str, ...], **options: Any) -> None:
    """Run SCRIPT as it is, watch it, then diagnose it.

    Options of unstuck stand before SCRIPT; everything after it belongs to the script. Its output and its exit
    status stay its own: the report goes to standard error.
    """
    settings = _settings(script.parent, options, samples=not options["no_samples"])
    troubles.check_script(script)
    from unstuck.record.launch import run_script

    recording = run_script(script, args, samples=settings.samples)
    status = troubles.exit_status(recording.status)
    trouble = troubles.after(script, recording)
    if trouble:
        console.complain(trouble)
    if not recording.fits:
        sys.exit(status or 2)
    judged = _diagnose(recording.folder, settings, options, status=status, stream=sys.stderr)
    sys.exit(status or judged)


@main.command()
@click.argument("run", required=False)
@judging
@click.option("--only", multiple=True, metavar="NAME", help="Judge by this rule only (may be repeated).")
@told
def diagnose(run: str | None, only: tuple[str, ...], **options: Any) -> None:
    """Judge a recorded RUN again, offline (default: the latest)."""
    from unstuck.report.stored import find_run

    settings = _settings(Path.cwd(), options, only=only)
    folder = find_run(run, Path.cwd())
    sys.exit(_diagnose(folder, settings, options, status=0, stream=sys.stdout))


@main.command()
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


@main.command()
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


@main.command()
@click.option("--format", "format", type=click.Choice(["text", "json"]), default="text")
@told
def rules(format: str) -> None:
    """List the rules."""
    from unstuck.report import pages
    from unstuck.rules import catalogue

    console.say(pages.rule_list(catalogue(), format))


@main.command()
@told
def env() -> None:
    """Show the versions, the backend and the settings in force, and where each came from."""
    console.say(console.environment(Path.cwd()))


def _settings(start: Path, options: dict[str, Any], **more: Any) -> Settings:
    from unstuck.settings import load

    names = ("experiments", "budget", "seeds", "fail_on", "exit_zero", "strict", "show")
    return load(start, **{name: options[name] for name in names}, **more)


def _unknown(name: str, known: list[str]) -> UnstuckError:
    import difflib

    near = [n for spelt in (name.lower(), name.upper()) for n in difflib.get_close_matches(spelt, known)]
    do = f"did you mean {' or '.join(dict.fromkeys(near))}?" if near else "`unstuck rules` lists them"
    return UnstuckError("E011", f"no rule or error is called {name!r}", expected="expected a name or a code", do=do)


def _diagnose(folder: Path, settings: Settings, options: dict[str, Any], *, status: int, stream: TextIO) -> int:
    """Judge a run folder, keep and show the report; the exit status of the findings."""
    from unstuck.report import to_json
    from unstuck.report.selection import outcomes, reaches

    try:
        from unstuck.diagnosis import diagnose_folder

        with console.progress(quiet=options["quiet"]) as tell:
            found = diagnose_folder(folder, settings, progress=tell)
    except KeyboardInterrupt:
        _give_up("E005", "the diagnosis was interrupted", folder, status or 130)
    except UnstuckError as error:
        console.complain(error)
        sys.exit(status or 2)
    except Exception as error:
        if options["verbose"]:
            traceback.print_exc()
        _give_up("E013", f"the diagnosis failed with {type(error).__name__}: {error}", folder, status or 2)
    try:
        console.write(folder / "report.json", to_json(found))
        _show(found, options, settings, stream)
    except UnstuckError as error:
        console.complain(error)
        sys.exit(status or 2)
    if settings.exit_zero:
        return 0
    if reaches(found, settings.fail_on, possible=settings.show == "possible"):
        return 1
    return 2 if settings.strict and outcomes(found)["crashed"] else 0


def _give_up(code: str, happened: str, folder: Path, status: int) -> NoReturn:
    do = f"`unstuck diagnose {folder.name}` judges the record again; -v shows more"
    console.complain(UnstuckError(code, happened, expected=f"the record is kept in {console.relative(folder)}", do=do))
    sys.exit(status)


def _show(found: Report, options: dict[str, Any], settings: Settings, stream: TextIO) -> None:
    """The report in the asked format, on the stream or in the asked file."""
    from unstuck.report import concise, html_page, text, to_json

    target = options["output"]
    stream = sys.stdout if target == "-" else stream
    to_file = target not in (None, "-")
    possible = settings.show == "possible"
    if options["format"] == "json":
        shown = to_json(found)
    elif options["format"] == "concise":
        shown = concise(found, possible=possible)
    else:
        verbosity = -1 if options["quiet"] else max(options["verbose"], 2 if possible else 0)
        width, color = (80, False) if to_file else console.look(stream)
        shown = text(found, width=width, color=color, verbosity=verbosity)
    if to_file:
        console.write(Path(target), shown)
    else:
        console.say(shown, stream)
    if options["html"]:
        console.write(options["html"], html_page(found))
