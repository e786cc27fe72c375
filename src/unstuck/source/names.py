"""What names mean: imports with their aliases, built-in functions, and names that a star import may have brought."""

from __future__ import annotations

import ast
import builtins

from unstuck.source.values import Scope, Symbol, Value

_HOMES = (
    ("tensorflow.compat.v2.keras", "keras"),
    ("tensorflow.compat.v1.keras", "keras"),
    ("tensorflow.python.keras", "keras"),
    ("tensorflow.contrib.keras", "keras"),
    ("tensorflow.keras", "keras"),
    ("tf_keras", "keras"),
    ("keras.src", "keras"),
    ("keras.api", "keras"),
    ("cuml", "sklearn"),
)
"""Where the same thing lives under another name."""
STAR = "*"
"""Root of a name that may come from a star import."""


def canonical(path: str) -> str:
    for other, home in _HOMES:
        if path == other or path.startswith(other + "."):
            return home + path[len(other) :]
    return path


def bind_import(node: ast.Import | ast.ImportFrom, scope: Scope) -> bool:
    """Bind what an import brings; whether it was a star import."""
    starred = False
    for alias in node.names:
        if isinstance(node, ast.Import):
            name = alias.asname or alias.name.partition(".")[0]
            scope.names[name] = Symbol(canonical(alias.name if alias.asname else name))
        elif alias.name == "*":
            starred = True
        else:
            home = f"{'.' * node.level}{node.module or ''}"
            scope.names[alias.asname or alias.name] = Symbol(canonical(f"{home}.{alias.name}"))
    return starred


def builtin(name: str, *, starred: bool) -> Value | None:
    if hasattr(builtins, name):
        return Symbol(f"builtins.{name}")
    if name in ("display", "get_ipython"):
        return Symbol(f"builtins.{name}")
    return Symbol(f"{STAR}.{name}") if starred else None
