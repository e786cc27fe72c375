"""Commands that act on a judged run: `unstuck fix`, `repro` and `diff`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unstuck.cli.options import told
from unstuck.errors import UnstuckError
from unstuck.report import console

if TYPE_CHECKING:
    from unstuck.finding import Finding, Report


@click.command()
@click.argument("run", required=False)
@click.option("--unsafe", is_flag=True, help="Also apply fixes that change what the model computes.")
@click.option("--diff", "show_diff", is_flag=True, help="Show the change and write nothing.")
@click.option("--verify", is_flag=True, help="Run the script again afterwards and say what the change did.")
@click.option("--only", multiple=True, metavar="NAME", help="Fix what this rule found only (may be repeated).")
@told
def fix(run: str | None, *, unsafe: bool, show_diff: bool, verify: bool, only: tuple[str, ...]) -> None:
    """Put the tried changes of a judged RUN (default: the latest) into the files it recorded.

    Nothing else in the files changes. A file that is not what it was when the run was recorded is left alone.
    """
    from unstuck.report.patch import patch, told, unified
    from unstuck.report.stored import find_run, home_of_run, stored_report

    folder = find_run(run, Path.cwd())
    report, home = stored_report(folder), home_of_run(folder)
    made = patch(report, home, unsafe=unsafe, only=only)
    if show_diff:
        console.say("".join(unified(made, home)))
    else:
        for path, text in made.after.items():
            console.write(path, text)
    console.say("".join(f"{line}\n" for line in told(made)) or "There is nothing to fix.\n", sys.stderr)
    if verify and made.applied and not show_diff:
        _verify(report, folder, home)
    sys.exit(0 if made.applied or not made.left else 1)


def _verify(report: Report, folder: Path, home: Path) -> None:
    """Run the script as it was run, now with the change, and compare the two reports."""
    import subprocess

    from unstuck.report.stored import find_run

    subprocess.run([sys.executable, "-m", "unstuck", "run", "-q", *report.run.command], cwd=home, check=False)
    newer = find_run(None, home)
    if newer.resolve() != folder.resolve():
        console.say(_compared(folder, newer))


@click.command()
@click.argument("name")
@click.argument("run", required=False)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Default: repro_<rule>.py here.")
@told
def repro(name: str, run: str | None, output: Path | None) -> None:
    """Write a script that shows the cause and the cure of a finding, NAME by rule or code, on the recorded rows."""
    from unstuck.report.stored import find_run, stored_report

    folder = find_run(run, Path.cwd())
    report = stored_report(folder)
    finding = _named(report, name)
    from unstuck.diagnosis.repro import pair_of
    from unstuck.report import repro as writer

    path = output or Path(f"repro_{finding.rule.replace('-', '_')}.py")
    data = path.with_suffix(".npz")
    pair = pair_of(folder, report, finding)
    console.write(path, writer.script(pair, finding, folder.name, data.name))
    data.write_bytes(writer.rows(pair))
    click.echo(str(path))


def _named(report: Report, name: str) -> Finding:
    found = next((f for f in report.findings if name.lower() in (f.rule, f.code.lower())), None)
    if found is None:
        known = ", ".join(dict.fromkeys(f.rule for f in report.findings)) or "nothing"
        raise UnstuckError("E011", f"this run has no finding {name!r}", expected=f"it found {known}", do="name one")
    return found


@click.command()
@click.argument("before")
@click.argument("after", required=False)
@told
def diff(before: str, after: str | None) -> None:
    """Tell what changed in the code from run BEFORE to run AFTER (default: the latest), and what it did."""
    from unstuck.report.stored import find_run

    console.say(_compared(find_run(before, Path.cwd()), find_run(after, Path.cwd())))


def _compared(before: Path, after: Path) -> str:
    from unstuck.record.store import Reader
    from unstuck.report.compare import compared
    from unstuck.report.stored import home_of_run, stored_report
    from unstuck.report.words import near

    def sources(folder: Path) -> dict[str, tuple[str, ...]]:
        reader, home = Reader(folder), str(home_of_run(folder))
        try:
            return {near(file, home): text for file, text in reader.sources().items()}
        finally:
            reader.close()

    return compared(stored_report(before), stored_report(after), sources(before), sources(after))
