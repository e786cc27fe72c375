"""Environments of the peers, one each since they pin old libraries; made when first asked for, in `.unstuck/peers`."""

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
}
"""What each needed on Python 3.11."""


class NotInstalled(Exception):
    """The message is pip's last line."""


def python(peer: str) -> Path:
    """The interpreter that has the peer.

    Raises:
        NotInstalled: when its packages cannot be installed here.
    """
    folder = HOME / ".unstuck" / "peers" / peer
    interpreter, whole = folder / "bin" / "python", folder / "installed"
    if not whole.exists():
        for command in (
            [sys.executable, "-m", "venv", "--clear", folder],
            [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *REQUIRED[peer]],
        ):
            run = subprocess.run(command, capture_output=True, text=True)
            if run.returncode:
                said = (run.stderr or run.stdout).strip().splitlines() or ["no message"]
                raise NotInstalled(f"not installed: {said[-1]}")
        whole.touch()
    return interpreter
