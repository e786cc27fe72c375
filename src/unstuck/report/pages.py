"""The pages of rules and errors, as text, Markdown or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from unstuck.report.words import clean, wrap
from unstuck.source.witnesses import witnesses

WIDTH = 80
_SEEN = "; `unstuck check` may see it in the source"


class Documented(Protocol):
    """What a rule class tells of itself."""

    @property
    def name(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def family(self) -> str: ...

    def sections(self) -> dict[str, str]:
        """Title and text of each section, in order."""


Page = tuple[dict[str, Any], dict[str, str]]
"""Facts (name, code, severity, family, whether `unstuck check` sees it in the source) and sections."""


def rule_page(rule: Documented) -> Page:
    seen = any(witness.name == rule.name for witness in witnesses())
    facts = {"name": rule.name, "code": rule.code, "severity": rule.severity, "family": rule.family, "check": seen}
    return facts, rule.sections()


def error_page(code: str, said: str) -> Page:
    return {"name": code, "code": code, "severity": "usage", "family": "errors", "check": False}, {
        "What it means": said
    }


def render(page: Page, format: str) -> str:
    """A page as `text`, `markdown` or `json`."""
    facts, sections = page
    if format == "json":
        return json.dumps({**facts, "sections": sections}, indent=2, ensure_ascii=False) + "\n"
    named = facts["name"] if facts["name"] == facts["code"] else f"{facts['name']} ({facts['code']})"
    kind = f"{facts['severity']}, {facts['family']}".strip(", ") + _SEEN * bool(facts["check"])
    if format == "markdown":
        parts = [f"# {named}", f"*{kind}*", *(f"## {title}\n\n{body}" for title, body in sections.items())]
        return "\n\n".join(parts) + "\n"
    lines = [named, kind]
    for title, body in sections.items():
        lines += ["", title, *("  " + line if line else "" for line in flowed(body))]
    return "\n".join(lines) + "\n"


def flowed(body: str) -> list[str]:
    """Paragraphs wrapped to the page; indented and fenced code and lists as they stand."""
    lines: list[str] = []
    for block in body.strip("\n").split("\n\n"):
        rows = block.splitlines()
        if any(row.startswith((" ", "\t", "```", "- ", "* ")) for row in rows) or not rows:
            lines += [row.rstrip() for row in rows]
        else:
            lines += wrap(" ".join(rows), WIDTH - 2)
        lines.append("")
    return lines[:-1]


def rule_list(rules: Sequence[Documented], format: str) -> str:
    """All rules: a line each with the first sentence on it, or JSON."""
    if format == "json":
        return json.dumps([rule_page(rule)[0] for rule in rules], indent=2, ensure_ascii=False) + "\n"
    wide = max((len(rule.name) for rule in rules), default=0)
    rows = [f"{rule.code}  {rule.name:<{wide}}  {rule.severity:<7}  {rule.family}".rstrip() for rule in rules]
    return "\n".join([*map(_shown, rows), f"{len(rows)} rules. unstuck explain NAME tells more of one."]) + "\n"


def _shown(row: str) -> str:
    """A row as it stands, without what a terminal would obey."""
    return "  ".join(clean(part) if part.strip() else part for part in row.split("  "))
