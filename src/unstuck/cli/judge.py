"""`unstuck run` and `unstuck diagnose`: from a script or a run folder to a report and an exit status."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

from unstuck.cli.options import judging, settings_for, told, without_known
from unstuck.errors import UnstuckError
from unstuck.report import console, troubles

if TYPE_CHECKING:
    from unstuck.finding import Report
    from unstuck.settings import Settings


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("script")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@judging
@click.option("--no-samples", is_flag=True, help="Keep no data values in the run folder, only statistics.")
@click.option("-m", "--module", is_flag=True, help="SCRIPT is the name of a module, as for `python -m`.")
@click.option("--python", metavar="PATH", help="Record in another environment: its Python, which has Keras.")
@told
def run(script: str, args: tuple[str, ...], **options: Any) -> None:
    """Run SCRIPT, a script or a notebook, as it is, watch it, then diagnose it.

    Options of unstuck stand before SCRIPT; everything after it belongs to the script. Its output and its exit
    status stay its own: the report goes to standard error.
    """
    module, python = options["module"], options["python"]
    settings = settings_for(Path.cwd() if module else Path(script).parent, options, samples=not options["no_samples"])
    troubles.check_python(python)
    if not module:
        troubles.check_script(Path(script))
    from unstuck.record.launch import run_script
    from unstuck.record.processes import declared_rank
    from unstuck.record.store import prune

    rank = declared_rank(os.environ)
    if rank:
        from unstuck.record.launch import run_unwatched

        console.say(f"unstuck: process {rank} of a distributed training is not recorded; process 0 is\n", sys.stderr)
        status = run_unwatched(Path(script) if not module else script, args, module=module, python=python)
        sys.exit(troubles.exit_status(status))
    prune(Path.cwd(), runs=settings.keep_runs, megabytes=settings.keep_megabytes)
    target = script if module else Path(script)
    recording = run_script(target, args, samples=settings.samples, module=module, python=python)
    status = troubles.exit_status(recording.status)
    trouble = troubles.after(script, recording)
    if trouble:
        console.complain(trouble)
    if not recording.fits:
        sys.exit(status or 2)
    judged = judge(recording.folder, settings, options, status=status, stream=sys.stderr)
    sys.exit(status or judged)


@click.command()
@click.argument("run", required=False)
@judging
@click.option("--only", multiple=True, metavar="NAME", help="Judge by this rule only (may be repeated).")
@told
def diagnose(run: str | None, only: tuple[str, ...], **options: Any) -> None:
    """Judge a recorded RUN again, offline (default: the latest)."""
    from unstuck.report.stored import find_run

    settings = settings_for(Path.cwd(), options, only=only)
    folder = find_run(run, Path.cwd())
    sys.exit(judge(folder, settings, options, status=0, stream=sys.stdout))


def judge(folder: Path, settings: Settings, options: dict[str, Any], *, status: int, stream: TextIO) -> int:
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
        found = without_known(found, options["baseline"], options["write_baseline"])
        console.write(folder / "report.json", to_json(found))
        _show(found, options, settings, stream)
    except UnstuckError as error:
        console.complain(error)
        sys.exit(status or 2)
    if found.interrupted:
        return 130
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
    from unstuck.report import html_page, in_format, text

    target = options["output"]
    stream = sys.stdout if target == "-" else stream
    to_file = target not in (None, "-")
    possible = settings.show == "possible"
    if options["format"] == "full":
        verbosity = -1 if options["quiet"] else max(options["verbose"], 2 if possible else 0)
        width, color = (80, False) if to_file else console.look(stream)
        shown = text(found, width=width, color=color, verbosity=verbosity)
    else:
        shown = in_format(found, options["format"], possible=possible)
    if to_file:
        console.write(Path(target), shown)
    else:
        console.say(shown, stream)
    if options["html"]:
        console.write(options["html"], html_page(found))
