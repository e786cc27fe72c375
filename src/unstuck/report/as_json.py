"""The report as JSON: the domain types as they stand, and back."""

from __future__ import annotations

from typing import Any

import msgspec

from unstuck.finding import SCHEMA, Report

_NUMBERS = ("baseline", "value", "interval")


def to_json(report: Report) -> str:
    """Pretty JSON with a newline at its end. Numbers that are not finite become null, as JSON has none."""
    return msgspec.json.format(encoded(report), indent=2).decode() + "\n"


def encoded(value: Any) -> bytes:
    """JSON. A number that a measure left as an array's scalar is the number it is."""
    return msgspec.json.encode(value, enc_hook=_plain)


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays; numpy itself is not imported here
        return value.tolist()
    raise NotImplementedError(f"{type(value).__name__} has no JSON form")


def to_jsonl(report: Report) -> str:
    """A line an item, for pipes: the summary first, then every finding. `type` says which it is."""
    head = {"type": "summary", "run": report.run, "summary": report.summary, "tool": report.tool}
    lines = [
        head,
        *({"type": "finding", **msgspec.to_builtins(finding, enc_hook=_plain)} for finding in report.findings),
    ]
    return "".join(encoded(line).decode() + "\n" for line in lines)


def schema() -> str:
    """The JSON Schema of the report, from its types; committed as `schema/report-1.json`."""
    made = msgspec.json.schema(Report, schema_hook=lambda _: {"description": "any value"})
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "$comment": "Keys are only ever added within this version; a reader ignores those it does not know. "
        "null stands for a number that is not finite.",
    }
    return msgspec.json.format(msgspec.json.encode({**head, **_nullable(made)}), indent=2).decode() + "\n"


def _nullable(made: Any) -> Any:
    """The schema with null allowed wherever a number is."""
    if isinstance(made, list):
        return [_nullable(item) for item in made]
    if not isinstance(made, dict):
        return made
    if made.get("type") == "number":
        return {**made, "type": ["number", "null"]}
    return {key: _nullable(value) for key, value in made.items()}


def from_json(text: str | bytes) -> Report:
    """The report of such a text; null among the values of a trial is not-a-number again.

    Raises:
        msgspec.MsgspecError: if the text is no report.
    """
    loose = msgspec.json.decode(text)
    for trial in loose.get("experiments", ()) if isinstance(loose, dict) else ():
        _restore(trial)
        for name, values in trial.get("displayed", {}).items():
            trial["displayed"][name] = _numbers(values)
    return msgspec.convert(loose, Report)


def _restore(trial: dict[str, Any]) -> None:
    for name in _NUMBERS:
        if isinstance(trial.get(name), list):
            trial[name] = _numbers(trial[name])


def _numbers(values: list[Any]) -> list[Any]:
    return [float("nan") if v is None else v for v in values]
