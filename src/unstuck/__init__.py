"""Find out why your Keras model is stuck, and prove it.

Importing this package imports neither keras nor numpy; each name is loaded on first use.

    report = unstuck.diagnose(model, x, y, validation_data=(x_val, y_val))
    model.fit(x, y, callbacks=[unstuck.Watch()])
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOMES = {
    "diagnose": "unstuck.session",
    "Watch": "unstuck.session",
    "Report": "unstuck.finding",
    "Finding": "unstuck.finding",
    "Evidence": "unstuck.finding",
    "Location": "unstuck.finding",
    "Fix": "unstuck.finding",
    "Edit": "unstuck.finding",
    "Trial": "unstuck.finding",
    "Rule": "unstuck.rules",
    "UnstuckError": "unstuck.errors",
    "FindingsError": "unstuck.errors",
}

__all__ = sorted([*_HOMES, "__version__"])

if TYPE_CHECKING:
    from unstuck.errors import FindingsError as FindingsError
    from unstuck.errors import UnstuckError as UnstuckError
    from unstuck.finding import Edit as Edit
    from unstuck.finding import Evidence as Evidence
    from unstuck.finding import Finding as Finding
    from unstuck.finding import Fix as Fix
    from unstuck.finding import Location as Location
    from unstuck.finding import Report as Report
    from unstuck.finding import Trial as Trial
    from unstuck.rules import Rule as Rule
    from unstuck.session import Watch as Watch
    from unstuck.session import diagnose as diagnose


def load_ipython_extension(shell: object) -> None:
    """`%load_ext unstuck`: the cell magic `%%unstuck`."""
    importlib.import_module("unstuck.notebook").begin(shell)


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'unstuck' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
