"""Objects that no config can rebuild (custom losses, layers), kept as cloudpickle and loaded only if this user signed.

A pickle can run code when it is opened, so nothing is unpickled unless its HMAC-SHA256 under the key in
`~/.config/unstuck/key` (made on first use, readable by its owner only) matches.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
import os
import secrets
import sys
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
        data = _pickled(value)
        signature = hmac.new(_key(), data, hashlib.sha256).hexdigest()
    except Exception:
        return False
    (folder / f"{name}.pickle").write_bytes(data)
    (folder / f"{name}.sig").write_text(signature)
    return True


def picklable(value: Any, most_bytes: int) -> bool:
    """Whether `value` can be pickled, in so many bytes."""
    try:
        return len(_pickled(value)) <= most_bytes
    except Exception:
        return False


def _pickled(value: Any) -> bytes:
    """`value` with the code of modules of the person's, which no other process finds by their names."""
    cloudpickle = importlib.import_module("cloudpickle")
    registered = []
    try:
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            known = module.__name__ in cloudpickle.list_registry_pickle_by_value()
            if file and not known and module.__name__ != "__main__" and is_user_file(file):
                cloudpickle.register_pickle_by_value(module)
                registered.append(module)
        return bytes(cloudpickle.dumps(value))
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
