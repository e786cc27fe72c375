"""Colour for the terminal text. It only repeats what a word or sign says, and changes no character."""

from __future__ import annotations

import re
from io import StringIO

_STYLES = tuple(
    (re.compile(pattern), style)
    for pattern, style in (
        (r"^error(?=\[)", "bold red"),
        (r"^warning(?=\[)", "bold yellow"),
        (r"^note(?=\[)", "bold cyan"),
        (r"^(?:error|warning|note)\[[^\]]*\](?=: )(?<=\])", "bold"),
        (r"^help(?=: )", "bold green"),
        (r"^ *(?:-->|:::)", "blue"),
        (r"^ *\d* \|(?= |$)", "blue"),
        (r"^ *= (?:seen|flow|note)(?=:)", "bold"),
        (r"^ *= (?:proven|confirmed)(?=:)", "bold red"),
        (r"^ *= (?:likely|possible|inconclusive)(?=:)", "bold yellow"),
        (r"^ *= (?:exact|suggested|sketch)(?=:)", "bold"),
        (r"^ *\d+ - .*", "red"),
        (r"^ *\d+ \+ .*", "green"),
        (r"^ *→.*", "bold green"),
        (r"(?<=\| ) *[-| ]*\^+.*", "red"),
    )
)


def painted(plain: str) -> str:
    """The same text with ANSI colours (of the eight basic ones, so that the person's theme decides)."""
    from rich.console import Console
    from rich.text import Text

    buffer = StringIO()
    console = Console(file=buffer, force_terminal=True, color_system="standard", width=10_000, _environ={})
    for i, line in enumerate(plain.splitlines()):
        text = Text(line, style="bold" if i == 0 else "")
        for pattern, style in _STYLES:
            for match in pattern.finditer(line):
                text.stylize(style, *match.span())
        console.print(text, soft_wrap=True, highlight=False)
    return buffer.getvalue()
