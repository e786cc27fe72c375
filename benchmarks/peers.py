"""The peers, each in a folder of its own since they pin old libraries; installed when first asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.kept import HOME

REQUIRED = {
    "deepchecks": (
        "deepchecks==0.19.1",
        "numpy<2",
        "pandas<2.2",
        "scikit-learn<1.6",
        "category-encoders<2.7",
        "setuptools<81",
    ),
    "cleanlab": ("cleanlab[datalab]==2.9.0",),
    "tensorboard": ("--no-deps", "tensorboard"),
}
"""What each needed on Python 3.11."""


class Unavailable(Exception):
    """The message is the last line of what pip, or the peer, said."""


def python(peer: str) -> Path:
    """The interpreter of an environment that has the peer.

    Raises:
        Unavailable: when its packages cannot be installed here.
    """
    folder = _folder(peer)
    interpreter = folder / "bin" / "python"
    _once(folder, [sys.executable, "-m", "venv", "--clear", folder], _pip(interpreter, *REQUIRED[peer]))
    return interpreter


def beside(peer: str) -> Path:
    """A folder that makes the peer importable in our own environment.

    Raises:
        Unavailable: as `python` does.
    """
    folder = _folder(peer)
    _once(folder, _pip(sys.executable, "--upgrade", "--target", folder, *REQUIRED[peer]))
    return folder


def _folder(peer: str) -> Path:
    return HOME / ".unstuck" / "peers" / peer


def _pip(python: Path | str, *arguments: str | Path) -> list[str | Path]:
    return [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]


def _once(folder: Path, *commands: list[str | Path]) -> None:
    whole = folder / "installed"
    if whole.exists():
        return
    for command in commands:
        said(command)
    whole.touch()


def said(command: Sequence[str | Path]) -> str:
    """What a command of pip's or a peer's prints, within ten minutes.

    Raises:
        Unavailable: when it fails.
    """
    run = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if run.returncode:
        lines = (run.stderr or run.stdout).strip().splitlines() or ["no message"]
        raise Unavailable(f"not available: {lines[-1]}")
    return run.stdout
