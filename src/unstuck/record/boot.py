"""First file of the recorded process, for any Python: it makes this package importable and nothing else beside it.

    python boot.py FOLDER OPTIONS TARGET ARGS...

The interpreter may be that of another environment, in which unstuck is not installed: putting the folder that unstuck
lies in on `sys.path` would bring the other packages there with it.
"""

import contextlib
import importlib.util
import sys
from pathlib import Path


def make_importable() -> None:
    home = Path(__file__).resolve().parent.parent
    if "unstuck" in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        "unstuck", home / "__init__.py", submodule_search_locations=[str(home)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["unstuck"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    make_importable()
    from unstuck.record.execute import main

    sys.exit(main(sys.argv[1:]))
elif "JOIN" in globals():  # read by a process that the script has started, see record/processes.py
    with contextlib.suppress(Exception):
        make_importable()
        from unstuck.record.execute import join

        join(*globals()["JOIN"])
