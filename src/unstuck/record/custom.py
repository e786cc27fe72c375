"""Objects that no config can rebuild (custom losses, layers), kept as cloudpickle and loaded only if this user signed.

A pickle can run code when it is opened, so nothing is unpickled unless its HMAC-SHA256 under the key in
`~/.config/unstuck/key` (made on first use, readable by its owner only) matches.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import importlib
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from unstuck.record.sites import is_user_file


def _key() -> bytes:
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "unstuck"
    path = home / "key"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
    return path.read_bytes()


def save(folder: Path, name: str, value: Any) -> bool:
    """Write `value` to `folder/name.pickle` with its signature. False when it cannot be pickled."""
    try:
        with _code_by_value() as cloudpickle:
            data: bytes = cloudpickle.dumps(value)
        signature = hmac.new(_key(), data, hashlib.sha256).hexdigest()
    except Exception:
        return False
    (folder / f"{name}.pickle").write_bytes(data)
    (folder / f"{name}.sig").write_text(signature)
    return True


def picklable(values: Mapping[str, Any], most_bytes: int) -> dict[str, Any]:
    """Those of the values that can be pickled, each in so many bytes."""
    found = {}
    with contextlib.suppress(ImportError), _code_by_value() as cloudpickle:
        for name, value in values.items():
            with contextlib.suppress(Exception):
                if len(cloudpickle.dumps(value)) <= most_bytes:
                    found[name] = value
    return found


@contextlib.contextmanager
def _code_by_value() -> Iterator[Any]:
    """cloudpickle, which takes the code of the person's modules along: no other process finds them by their names."""
    cloudpickle = importlib.import_module("cloudpickle")
    registered = []
    try:
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            known = module.__name__ in cloudpickle.list_registry_pickle_by_value()
            if file and not known and module.__name__ != "__main__" and is_user_file(file):
                cloudpickle.register_pickle_by_value(module)
                registered.append(module)
        yield cloudpickle
    finally:
        for module in registered:
            cloudpickle.unregister_pickle_by_value(module)


def load(folder: Path, name: str) -> Any | None:
    """The saved value, or None when there is none or this user's key did not sign it."""
    path, signature = folder / f"{name}.pickle", folder / f"{name}.sig"
    if not path.exists() or not signature.exists():
        return None
    data = path.read_bytes()
    expected = hmac.new(_key(), data, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature.read_text().strip()):
        return None
    return importlib.import_module("pickle").loads(data)
