"""The peers, each in a folder of its own since they pin old libraries; installed when first asked for."""

from __future__ import annotations

import subprocess
import sys
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


class NotInstalled(Exception):
    """The message is pip's last line."""


def python(peer: str) -> Path:
    """The interpreter of an environment that has the peer.

    Raises:
        NotInstalled: when its packages cannot be installed here.
    """
    folder = _folder(peer)
    interpreter = folder / "bin" / "python"
    _once(folder, [sys.executable, "-m", "venv", "--clear", folder], _pip(interpreter, *REQUIRED[peer]))
    return interpreter


def beside(peer: str) -> Path:
    """A folder that makes the peer importable in our own environment.

    Raises:
        NotInstalled: as `python` does.
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
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            said = (run.stderr or run.stdout).strip().splitlines() or ["no message"]
            raise NotInstalled(f"not installed: {said[-1]}")
    whole.touch()
