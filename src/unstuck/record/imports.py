"""Post-import hooks: run a function right after a module has been executed, before its importer goes on."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, hooks: dict[str, Callable[[], None]]) -> None:
        self._hooks = hooks
        self._busy: set[str] = set()

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in self._hooks or name in self._busy:
            return None
        self._busy.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._busy.discard(name)
        if spec is None or spec.loader is None or not hasattr(spec.loader, "exec_module"):
            return None
        _wrap_loader(spec, self._hooks[name])
        return spec


def _wrap_loader(spec: importlib.machinery.ModuleSpec, hook: Callable[[], None]) -> None:
    loader = spec.loader
    execute = loader.exec_module  # type: ignore[union-attr]

    def exec_module(module: ModuleType) -> None:
        execute(module)
        hook()

    loader.exec_module = exec_module  # type: ignore[union-attr, method-assign]


def after_import(hooks: dict[str, Callable[[], None]]) -> None:
    """Call `hooks[name]()` once module `name` is imported; at once for modules already there."""
    waiting = {}
    for name, hook in hooks.items():
        if name in sys.modules:
            hook()
        else:
            waiting[name] = hook
    if waiting:
        sys.meta_path.insert(0, _Finder(waiting))
