"""Pages made from the code: one for each rule, the list of errors, the fields of the JSON report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from unstuck.diagnosis.asked import thresholds_of
from unstuck.errors import ERRORS
from unstuck.report.as_json import schema
from unstuck.report.pages import render, rule_page
from unstuck.rules import Rule, catalogue
from unstuck.rules.rule import FAMILIES


def generate(docs: Path) -> None:
    """Write `rules/*.md`, `errors.md`, `measured.md` and `json-fields.md`; a page whose rule is gone is removed."""
    folder = docs / "rules"
    folder.mkdir(exist_ok=True)
    wanted = {f"{rule.name}.md": page_of(rule) for rule in catalogue()} | {"index.md": index_of(catalogue())}
    for old in folder.glob("*.md"):
        if old.name not in wanted:
            old.unlink()
    for name, text in wanted.items():
        write(folder / name, text)
    write(docs / "errors.md", errors())
    write(docs / "measured.md", measured(docs.parent / "benchmarks" / "results"))
    write(docs / "json-fields.md", fields(json.loads(schema())))


def write(path: Path, text: str) -> None:
    """Only what changed, so that the next build has little to do."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def measured(results: Path) -> str:
    """The figures of the last `make bench` and `make quality` that are kept in the repository, one table a group."""
    text = "# Measured\n\nEach table is what the command above it gave last. A goal is what we want, met or not.\n"
    for file in sorted(results.glob("*-*.jsonl")):
        kind, group = file.stem.split("-", 1)
        text += f"\n## {group}\n\n`make {kind} ONLY={group}`\n\n"
        text += "| figure | value | goal | spread | n |\n|---|---|---|---|---|\n"
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            low, high = row["spread"]
            sign = {"higher": "at least", "lower": "at most"}[row["better"]]
            goal = "" if row["goal"] is None else f"{sign} {row['goal']:g}"
            note = f" ({row['note']})" if row.get("note") else ""
            name = f"{row['name']}{note}".replace("|", "/")
            text += f"| {name} | {row['value']:.4g} {row['unit']} | {goal} | {low:.3g} to {high:.3g} | {row['n']} |\n"
    return text


def page_of(rule: type[Rule]) -> str:
    page = render(rule_page(rule), "markdown")
    known = thresholds_of(rule)
    if not known:
        return page
    rows = "".join(f"| `{name}` | {value:g} |\n" for name, value in known.items())
    said = f"Set under `[tool.unstuck.rules.{rule.name}]`; the reason for each stands beside it in the source."
    return f"{page}\n## Thresholds\n\n| name | default |\n|---|---|\n{rows}\n{said}\n"


def index_of(rules: tuple[type[Rule], ...]) -> str:
    seen = {rule.name for rule in rules if rule_page(rule)[0]["check"]}
    lines = [f"# Rules\n\n{len(rules)} rules, in the order of the way that data take."]
    lines.append(f"`unstuck run` judges by all of them, `unstuck check` by the {len(seen)} that the source may show.\n")
    for prefix, family in FAMILIES.items():
        own = [rule for rule in rules if rule.code.startswith(prefix)]
        if own:
            lines.append(
                f"## {family[0].upper()}{family[1:]}\n\n| code | rule | severity | in the source |\n|---|---|---|---|"
            )
            lines += [
                f"| {r.code} | [{r.name}]({r.name}.md) | {r.severity} | {'yes' * (r.name in seen)} |" for r in own
            ]
            lines.append("\n```{toctree}\n:hidden:\n")
            lines += [r.name for r in own]
            lines.append("```\n")
    return "\n".join(lines) + "\n"


def errors() -> str:
    parts = [f"## {code}\n\n{said}\n" for code, said in ERRORS.items()]
    return "# Errors of unstuck itself\n\n`unstuck explain E009` prints the same.\n\n" + "\n".join(parts)


def fields(made: dict[str, Any]) -> str:
    """Every type of the report with its fields, from the JSON schema."""
    lines = ["# Fields of the JSON report\n"]
    for name, kind in made["$defs"].items():
        lines.append(f"## {name}\n\n{kind.get('description', '')}\n\n| field | type | default |\n|---|---|---|")
        for field, described in kind["properties"].items():
            default = f"`{json.dumps(described['default'])}`" if "default" in described else "required"
            lines.append(f"| `{field}` | {' or '.join(words(described))} | {default} |")
        lines.append("")
    return "\n".join(lines) + "\n"


def words(described: dict[str, Any]) -> Iterator[str]:
    """A type in words: `number`, `list of [Finding](#finding)`, `"error"`."""
    if "$ref" in described:
        name = described["$ref"].rsplit("/", 1)[-1]
        yield f"[{name}](#{name.lower()})"
    elif "anyOf" in described:
        for part in described["anyOf"]:
            yield from words(part)
    elif "enum" in described:
        yield from (f"`{json.dumps(value)}`" for value in described["enum"])
    elif described.get("type") == "array":
        yield f"list of {' or '.join(words(described.get('items') or described['prefixItems'][0]))}"
    elif described.get("type") == "object":
        more = described.get("additionalProperties")
        yield f"object of {' or '.join(words(more))}" if isinstance(more, dict) else "object"
    else:
        kinds = described.get("type", "anything")
        yield from ([kinds] if isinstance(kinds, str) else kinds)
