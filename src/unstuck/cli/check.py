"""`unstuck check`: judge scripts and notebooks by their source alone."""

from __future__ import annotations

import difflib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unstuck import __version__
from unstuck.cli.known_rules import GROUPS, refuse_unknown
from unstuck.cli.options import told, without_known
from unstuck.errors import UnstuckError
from unstuck.report import console

if TYPE_CHECKING:
    from unstuck.settings import Settings
    from unstuck.source.check import Outcome


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format",
    type=click.Choice(["full", "concise", "json", "jsonl", "sarif", "github"]),
    default="full",
)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the report here.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note", "never"]),
    envvar="UNSTUCK_FAIL_ON",
    help="Exit with 1 for findings of this severity or worse.  [default: error]",
)
@click.option("--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Leave out the findings it knows.")
@click.option("--write-baseline", type=click.Path(path_type=Path), metavar="FILE", help="Write what is known now.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found.")
@click.option("--strict", is_flag=True, help="Exit with 2 if a rule crashed.")
@click.option("--only", multiple=True, metavar="NAME", help="A rule, code or family to judge by (may be repeated).")
@click.option("--ignore", multiple=True, metavar="NAME", help="A rule, code or family to leave out.")
@click.option("--show", type=click.Choice(["likely", "possible"]), help="The least confidence that is shown.")
@click.option("-v", "--verbose", count=True, help="Say more; twice: also what is merely possible.")
@click.option("-q", "--quiet", is_flag=True, help="Only one line a finding.")
@told
def check(
    paths: tuple[Path, ...],
    format: str,
    output: Path | None,
    fail_on: str | None,
    only: tuple[str, ...],
    ignore: tuple[str, ...],
    show: str | None,
    verbose: int,
    baseline: Path | None,
    write_baseline: Path | None,
    **flags: bool,
) -> None:
    """Judge the scripts and notebooks at and below PATHS by their source. Nothing of yours is run or imported."""
    from unstuck.report import in_format, text
    from unstuck.report.known import set_aside
    from unstuck.settings import load
    from unstuck.source.check import Asked
    from unstuck.source.check import check as check_paths
    from unstuck.source.suppressions import is_exempt

    for path in paths:
        if not path.exists():
            do = "give the path of a script, a notebook or a folder"
            raise UnstuckError("E001", f"{path} does not exist", expected="expected something to read", do=do)
    given = {"fail_on": fail_on, "show": show, "only": only, "ignore": ignore}
    flagged = {name: flags[name] or None for name in ("exit_zero", "strict")}
    settings = load(paths[0], **given, **flagged)
    refuse_unknown(replace(settings, only=()), paths[0])
    _refuse_unknown(only)
    selected = () if set(settings.select) & set(GROUPS) else settings.select
    asked = Asked(settings.only or selected, settings.ignore, settings.exclude)
    checked = check_paths(paths, asked, __version__)
    exempt = {f.fingerprint for f in checked.report.findings if is_exempt(f, settings.per_file)}
    checked = replace(checked, report=without_known(set_aside(checked.report, exempt), baseline, write_baseline))
    for trouble in checked.troubles:
        console.complain(UnstuckError("E018", trouble))
    possible = settings.show == "possible" or verbose > 1
    if format == "full":
        verbosity = -1 if flags["quiet"] else max(verbose, 2 if possible else 0)
        width, color = (80, False) if output else console.look(sys.stdout)
        shown = text(checked.report, width=width, color=color, verbosity=verbosity)
    else:
        shown = in_format(checked.report, format, possible=possible)
    if output:
        console.write(output, shown)
    else:
        console.say(shown)
    sys.exit(_status(checked, settings, possible=possible))


def _status(checked: Outcome, settings: Settings, *, possible: bool) -> int:
    from unstuck.report.selection import outcomes, reaches

    if checked.files == len(checked.troubles):
        return 2  # nothing was judged
    if settings.exit_zero:
        return 0
    if reaches(checked.report, settings.fail_on, possible=possible):
        return 1
    return 2 if settings.strict and outcomes(checked.report)["crashed"] else 0


def _refuse_unknown(only: tuple[str, ...]) -> None:
    from unstuck.source.witnesses import witnesses

    known = sorted({name for w in witnesses() for name in (w.name, w.code, w.code[:3])})
    for name in only:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            do = f"did you mean {near[0]}?" if near else f"it knows {', '.join(known)}"
            raise UnstuckError("E011", f"check has no rule {name!r}", expected="expected a name, code or family", do=do)
