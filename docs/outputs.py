"""The outputs shown in README.md and docs: each stands below `<!-- output: COMMAND -->`, in a fenced block.

    python docs/outputs.py            write every block anew from the stored reports and from light commands
    python docs/outputs.py --check    exit with 1 and name the blocks that are stale; trains nothing
    python docs/outputs.py --run      first run the examples again and store their reports in docs/outputs

A block of `unstuck run SCRIPT` is the stored report as the terminal would show it, without the lines on time and
place. Any other command is executed at once.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

DOCS = Path(__file__).parent
ROOT = DOCS.parent
STORE = DOCS / "outputs"
PICTURE = DOCS / "report.png"
SHOWN_IN_PICTURE = "stuck_at_zero"
BLOCK = re.compile(r"<!-- output: (?P<command>[^>]+) -->\n```\w*\n(?P<text>.*?)```\n", re.DOTALL)
PASSING = re.compile(r"^(Experiments:|Run:|Page:|Explain:|Note: fit)")
"""Lines that differ from run to run and from machine to machine."""


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


def blocks() -> Iterator[tuple[Path, re.Match[str]]]:
    for page in pages():
        for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
            yield page, block


def output_of(command: str) -> str:
    words = command.split()
    if words[:2] == ["unstuck", "run"]:
        return shown(Path(words[2]).stem)
    from click.testing import CliRunner

    from unstuck.cli import main

    return CliRunner().invoke(main, words[1:]).stdout


def shown(name: str) -> str:
    from unstuck.report import from_json, text

    lines = text(from_json((STORE / f"{name}.json").read_bytes())).splitlines()
    kept: list[str] = []
    for line in lines:
        if PASSING.match(line) or (kept and kept[-1] == "\0" and line.startswith(" ")):
            kept.append("\0")
        else:
            kept.append(line)
    return "\n".join(line for line in kept if line != "\0").rstrip() + "\n"


def run_examples() -> None:
    """Run each example that a page shows, in a folder of its own, and store its report without this machine's paths."""
    from tempfile import TemporaryDirectory

    from unstuck.report import from_json, to_json

    for command in sorted({b["command"] for _, b in blocks() if b["command"].startswith("unstuck run")}):
        script = ROOT / command.split()[2]
        with TemporaryDirectory() as folder:
            home = Path(folder)
            (home / script.parent.name).mkdir()
            copied = home / script.relative_to(ROOT)
            shutil.copy(script, copied)
            ours = str(Path(sys.executable).parent / "unstuck")
            subprocess.run([ours, "run", "-q", command.split()[2]], cwd=home, check=False, stdout=subprocess.DEVNULL)
            (run,) = (home / ".unstuck" / "runs").iterdir()
            text = (run / "report.json").read_text().replace(f"{home.resolve()}/", "").replace(f"{home}/", "")
            report = from_json(text)
        kept = msgspec.structs.replace(report.run, id="run", folder=".unstuck/runs/run", started="")
        (STORE / f"{script.stem}.json").write_text(to_json(msgspec.structs.replace(report, run=kept)))


def take_picture() -> None:
    """The first screen of the page, for the README."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return
    from tempfile import TemporaryDirectory

    from unstuck.report import from_json, html_page

    with TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        page.write_text(html_page(from_json((STORE / f"{SHOWN_IN_PICTURE}.json").read_bytes())))
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        options += ["--hide-scrollbars", "--window-size=1100,1240", f"--user-data-dir={folder}/profile"]
        subprocess.run([chromium, *options, f"--screenshot={PICTURE}", page.as_uri()], check=True, capture_output=True)


def main(arguments: list[str]) -> int:
    if "--run" in arguments:
        run_examples()
        take_picture()
    stale = [(page, b) for page, b in blocks() if b["text"] != output_of(b["command"])]
    if "--check" in arguments:
        for page, block in stale:
            print(f"{page.relative_to(ROOT)}: stale output of `{block['command']}`; run: make outputs")
        return 1 if stale else 0
    for page in {page for page, _ in stale}:
        text = page.read_text(encoding="utf-8")
        page.write_text(
            BLOCK.sub(lambda b: b[0][: b.start("text") - b.start()] + output_of(b["command"]) + "```\n", text),
            encoding="utf-8",
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
