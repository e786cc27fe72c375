"""Sphinx settings. `generate` writes the pages of rules, errors and the JSON format from the code at each build."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from unstuck import __version__

project = "unstuck"
author = "the authors of unstuck"
release = version = __version__
extensions = ["myst_parser"]
html_theme = "furo"
html_title = f"unstuck {__version__}"
exclude_patterns = ["_build"]
html_extra_path = ["../schema"]
myst_heading_anchors = 3
suppress_warnings = [
    "myst.header"
]  # the pages of rules begin their sections at the second level, as explain prints them


def setup(app: Any) -> None:
    from generate import generate

    app.connect("builder-inited", lambda _: generate(Path(__file__).parent))
