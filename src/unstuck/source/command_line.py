"""The numbers that a command line gives when nothing is typed: the defaults of `argparse`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unstuck.source.values import Const, Entries, Items, Thing, Value, constant

if TYPE_CHECKING:
    from unstuck.source.calls import Arguments
    from unstuck.source.reader import Reader

_DEFAULTS = "(defaults)"


def method(reader: Reader, parser: Thing, name: str, arguments: Arguments) -> Value | None:
    """The value of `parser.name(...)` of an ArgumentParser; None if it is nothing of its defaults.

    Texts and flags are left open: the code that they choose between is all there to be read.
    """
    known = parser.attributes.setdefault(_DEFAULTS, Entries({}))
    assert isinstance(known, Entries)
    if name == "add_argument":
        default = constant(arguments.get("default"))
        if isinstance(default, (int, float)) and not isinstance(default, bool):
            known.entries[_destination(arguments)] = Const(default)
        return Thing()
    if name in ("parse_args", "parse_known_args") and not arguments.every():
        parsed = Thing(origin=reader.fresh(name), attributes=dict(known.entries))
        return parsed if name == "parse_args" else Items([parsed, reader.unknown()])
    return None


def _destination(arguments: Arguments) -> str:
    """The attribute that an argument becomes: `dest`, or the first long option."""
    stated = constant(arguments.get("dest"))
    options = [str(constant(value, "")) for value in arguments.positional]
    first = next((option for option in options if option.startswith("--")), options[0] if options else "")
    return str(stated or first.lstrip("-").replace("-", "_"))
