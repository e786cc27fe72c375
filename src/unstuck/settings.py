"""Settings: from the command line, else the closest `unstuck.toml` or `pyproject.toml`, else the defaults."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from unstuck.errors import UnstuckError
from unstuck.finding import SEVERITIES

Experiments = Literal["off", "auto", "all"]
FailOn = Literal["error", "warning", "note", "never"]
Show = Literal["likely", "possible"]

_UNITS = {"": 1, "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600}
_ENVIRONMENT = ("budget", "executor", "experiments", "fail_on", "seeds")
_KEYS = (
    "budget",
    "exclude",
    "executor",
    "experiments",
    "fail-on",
    "ignore",
    "keep-megabytes",
    "keep-runs",
    "per-file",
    "rules",
    "seeds",
    "select",
)


@dataclass(frozen=True)
class Settings:
    """What a diagnosis is asked for. `budget`: seconds for all trials; `show`: least confidence shown."""

    experiments: Experiments = "auto"
    budget: float = 300.0
    seeds: int = 3
    only: tuple[str, ...] = ()
    select: tuple[str, ...] = ("default",)
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    show: Show = "likely"
    fail_on: FailOn = "error"
    exit_zero: bool = False
    strict: bool = False
    samples: bool = True
    executor: str = "local"
    """Where trials are trained: `local`, `ray`, or the address of a Ray cluster."""
    keep_runs: int = 50
    """Recorded runs that are kept; older ones go when a new one begins."""
    keep_megabytes: int = 2000
    """Space that all recorded runs may take."""
    per_file: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Rules whose findings are set aside in the files that a pattern names."""
    rules: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Thresholds by rule: `{"dying-relu": {"dead-share": 0.4}}`."""


def parse_budget(text: str | float) -> float:
    """Seconds of `60`, `60 s`, `5 min`, `1.5 h`.

    Raises:
        UnstuckError: E009, for anything else and for a budget that is not above zero.
    """
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*?)s?", str(text).strip().lower())
    unit = (match[2] if match else "?") or ("s" if match else "?")
    seconds = float(match[1]) * _UNITS.get(unit, 0) if match and not isinstance(text, bool) else 0.0
    if not seconds:
        raise UnstuckError(
            "E009",
            f"the budget is {text!r}",
            expected="expected a time above zero such as 60, '60 s', '5 min' or '1 h'",
            do="change --budget or the key `budget`",
        )
    return seconds


def load(start: Path, **command_line: Any) -> Settings:
    """The settings in force for `start`, a file or folder. A value None on the command line means not given.

    Raises:
        UnstuckError: E009, naming the file, the key and what is valid.
    """
    return Settings(**{name: value for name, (value, _) in resolve(start, command_line).items()})


def resolve(start: Path, command_line: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    """Each setting's value and where it came from."""
    found: dict[str, tuple[Any, str]] = {}
    for each in fields(Settings):
        made = {} if each.default is MISSING else each.default
        found[each.name] = (made, "default")
    file, table = closest(start)
    for key, value in table.items():
        found[key.replace("-", "_")] = (_checked(key, value, file), str(file))
    for name in _ENVIRONMENT:
        variable = f"UNSTUCK_{name.upper()}"
        if variable in os.environ:
            text = os.environ[variable]
            value = int(text) if name == "seeds" and text.isdigit() else text
            found[name] = (_checked(name.replace("_", "-"), value, None), variable)
    for name, value in command_line.items():
        if value is not None and value != ():
            found[name] = (_checked(name.replace("_", "-"), value, None), "command line")
    return found


def closest(start: Path) -> tuple[Path | None, dict[str, Any]]:
    """The nearest file with our table at or above `start`, and that table; it wins whole."""
    folder = start.resolve()
    for place in (folder, *folder.parents):
        for name in ("unstuck.toml", "pyproject.toml"):
            file = place / name
            if file.is_file():
                content = _parse(file)
                table = content if name == "unstuck.toml" else content.get("tool", {}).get("unstuck")
                if table is not None:
                    _refuse_unknown(table, file)
                    return file, table
    return None, {}


def _parse(file: Path) -> dict[str, Any]:
    import tomllib  # where there is a file: it is a good part of what `check` takes to start

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UnstuckError(
            "E009", f"{file} cannot be read: {error}", expected="expected TOML", do="correct the file"
        ) from None


def _refuse_unknown(table: dict[str, Any], file: Path) -> None:
    for key in table:
        if key not in _KEYS:
            raise unknown_key(key, _KEYS, file)


def unknown_key(key: str, known: Sequence[str], file: Path | None, *, what: str = "key") -> UnstuckError:
    """The error for a key that is not known, naming the file, the line, the key and the valid ones."""
    near = difflib.get_close_matches(key, known, n=1)
    where = f"{file}{_line_of(key, file)} has" if file is not None else "the settings have"
    shown = f"valid {what}s are {', '.join(known)}" if len(known) < 30 else "`unstuck rules` lists the valid ones"
    return UnstuckError(
        "E009",
        f"{where} the unknown {what} {key!r}",
        expected=shown,
        do=f"write {near[0]!r}" if near else "remove it",
    )


def _line_of(key: str, file: Path) -> str:
    """`:12`, the line that sets a key, as far as can be seen without a parser that keeps positions."""
    pattern = re.compile(rf"""\s*\[?(?:tool\.unstuck\.)?(?:rules\.)?["']?{re.escape(key)}["']?\s*[\]=.]""")
    lines = file.read_text(encoding="utf-8").splitlines()
    return next((f":{i}" for i, line in enumerate(lines, 1) if pattern.match(line)), "")


def _checked(key: str, value: Any, file: Path | None) -> Any:
    """The value in the type of its setting."""
    check = _CHECKS.get(key)
    if check is None:
        return value
    wanted, convert = check
    converted = convert(value)
    if converted is None:
        raise UnstuckError(
            "E009",
            f"{key} is {value!r}" + (f" in {file}{_line_of(key, file)}" if file else ""),
            expected=f"expected {wanted}",
            do="change the value",
        )
    return converted


def _one_of(*words: str) -> tuple[str, Callable[[Any], Any]]:
    return f"one of {', '.join(words)}", lambda value: value if value in words else None


def _names(value: Any) -> tuple[str, ...] | None:
    listed = isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
    return tuple(value) if listed else None


def _positive(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _per_file(value: Any) -> dict[str, tuple[str, ...]] | None:
    """`{"notebooks/**" = { ignore = [...] }}` as patterns with the rules to set aside."""
    found = {}
    for pattern, table in value.items() if isinstance(value, dict) else [("", None)]:
        names = _names(table["ignore"]) if isinstance(table, dict) and set(table) == {"ignore"} else None
        if names is None:
            return None
        found[pattern] = names
    return found


def _thresholds(value: Any) -> dict[str, dict[str, float]] | None:
    tables = value.values() if isinstance(value, dict) else [None]
    fits = all(
        isinstance(t, dict) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in t.values())
        for t in tables
    )
    return value if fits else None


def _executor(value: Any) -> str | None:
    return value if isinstance(value, str) and (value in ("local", "ray") or ":" in value) else None


_LIST = ("a list of names", _names)
_CHECKS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "experiments": _one_of(*get_args(Experiments)),
    "fail-on": _one_of(*SEVERITIES, "never"),
    "show": _one_of(*get_args(Show)),
    "seeds": ("a whole number above zero", _positive),
    "keep-runs": ("a whole number above zero", _positive),
    "keep-megabytes": ("a whole number above zero", _positive),
    "budget": ("a time", parse_budget),
    "executor": ("`local`, `ray` or `ray://HOST:PORT`", _executor),
    "per-file": ("patterns, each with `ignore = [names]`", _per_file),
    "rules": ("a table a rule, of numbers", _thresholds),
    "select": _LIST,
    "ignore": _LIST,
    "exclude": _LIST,
    "only": _LIST,
}
