"""The callbacks of a fit: their kinds and plain settings."""

from __future__ import annotations

from typing import Any

_PLAIN = (int, float, str, bool)


def describe_callbacks(callbacks: list[Any]) -> list[dict[str, Any]]:
    """Kind, origin and settings (public plain attributes) of each callback, as they are when fit begins."""
    return [
        {
            "kind": type(callback).__name__,
            "builtin": type(callback).__module__.split(".")[0] == "keras",
            "settings": {
                name: value
                for name, value in vars(callback).items()
                if not name.startswith("_") and isinstance(value, _PLAIN)
            },
        }
        for callback in callbacks
    ]
