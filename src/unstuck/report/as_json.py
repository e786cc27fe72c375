"""The report as JSON: the domain types as they stand, and back."""

from __future__ import annotations

from typing import Any

import msgspec

from unstuck.finding import Report

_NUMBERS = ("baseline", "value", "interval")


def to_json(report: Report) -> str:
    """Pretty JSON with a newline at its end. Numbers that are not finite become null, as JSON has none."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


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
