"""Parts of a measurement in processes of their own, side by side: a process has one backend."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable


def side_by_side(module: str, shards: Iterable[tuple[str, int, int]], *more: str) -> None:
    """Run `python -m module SHARD SHARDS *more` on a backend for each of `shards`; return when all have ended."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", module, str(shard), str(of), *more],
            env={**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stderr=subprocess.DEVNULL,
        )
        for backend, shard, of in shards
    ]
    for process in started:
        process.wait()
