"""Where recorded runs lie and how a person names one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unstuck.errors import UnstuckError

if TYPE_CHECKING:
    from unstuck.finding import Report

RUNS = Path(".unstuck") / "runs"


def find_run(name: str | None, start: Path) -> Path:
    """The folder of a run: by path, id or unique end of an id; the latest one without a name.

    Raises:
        UnstuckError: E010 if there is none or more than one.
    """
    if name and Path(name).is_dir() and is_run(Path(name)):
        return Path(name)
    runs = [f for f in sorted((start / RUNS).glob("*")) if is_run(f)]
    matches = [f for f in runs if f.name == name] or [f for f in runs if name is None or f.name.endswith(name)]
    if len(matches) == 1 or (matches and name is None):
        return max(matches, key=_began)
    known = ", ".join(f.name for f in sorted(matches or runs, key=_began)[-5:])
    raise UnstuckError(
        "E010",
        f"{len(matches) or 'no'} recorded runs match {name!r}" if name else f"no recorded run in {start / RUNS}",
        expected=f"expected one of {known}" if known else "expected the folder of a run",
        do="name it in full" if known else "record one with `unstuck run SCRIPT`",
    )


def home_of_run(folder: Path) -> Path:
    """The folder that a run was started in, from which its report names files; see `RUNS`."""
    whole = folder.resolve()
    return whole.parents[2] if whole.parent.name == "runs" and whole.parents[1].name == ".unstuck" else Path.cwd()


def is_run(folder: Path) -> bool:
    return (folder / "run.sqlite").is_file()


def _began(folder: Path) -> tuple[str, float]:
    """The date in a run's id, then the age of its oldest file, for judging a run again makes new ones."""
    times = [file.stat().st_mtime for file in folder.iterdir() if file.is_file()]
    return folder.name[:10], min(times, default=0.0)


def stored_report(folder: Path) -> Report:
    """The report kept in a run folder.

    Raises:
        UnstuckError: E010 if the run was not judged or its report cannot be read.
    """
    import msgspec

    from unstuck.report import from_json

    try:
        return from_json((folder / "report.json").read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        missing = isinstance(error, FileNotFoundError)
        raise UnstuckError(
            "E010",
            f"run {folder.name} has no report yet"
            if missing
            else f"the report of run {folder.name} is damaged: {error}",
            expected="expected report.json in its folder",
            do=f"`unstuck diagnose {folder.name}` makes it",
        ) from None
