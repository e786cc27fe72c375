"""The recorder of one process: it owns the run folder and the recorded fits, and never raises into the script."""

from __future__ import annotations

import functools
import os
import sys
import time
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from unstuck.record.functions import is_keras
from unstuck.record.made import Made
from unstuck.record.processes import Invitation, claim, own_folder, rank
from unstuck.record.sites import Site, user_site
from unstuck.record.store import Writer

MAX_FAULTS = 20


class Recorder:
    """State of the watcher in this process. Every hook goes through `guard`, which turns our own faults into notes."""

    current: ClassVar[Recorder | None] = None
    """The recorder that `unstuck run` started in this process."""

    def __init__(
        self, folder: Path, *, samples: bool = True, run: Path | None = None, parent: Path | None = None
    ) -> None:
        """Open the record.

        Args:
            folder: where it goes.
            samples: whether data values are kept.
            run: the folder of the whole run, where its processes share it; see `record/processes.py`.
            parent: the folder of the process that started this one; ours is made when there is something to write.
        """
        self.folder = folder
        self.samples = samples
        self._run, self._parent = run, parent
        self._chosen: bool | None = None
        self._inherited: list[Writer] = []
        if parent is None:
            self.writer = Writer(folder)
        self.fits = 0
        self.depth = 0
        """How many fit, evaluate or train_on_batch calls are running now; inner ones are not recorded."""
        self.loops: dict[int, Any] = {}
        """Loops over `train_on_batch` that are being recorded, by id of the model (see `record/loop.py`)."""
        self._faults = 0
        self._sites: dict[int, tuple[weakref.ref[Any], Site]] = {}
        self._made: dict[int, tuple[weakref.ref[Any], Made]] = {}
        self._compiles: dict[int, tuple[weakref.ref[Any], Site]] = {}
        self._files: set[str] = set()
        self._process = os.getpid()

    @functools.cached_property
    def writer(self) -> Writer:
        """Of the run folder, or in a process that the script started of the folder for that process."""
        if self._run is not None and self._parent is not None:
            self.folder, self._parent = own_folder(self._parent, self._run), None
        return Writer(self.folder)

    @property
    def active(self) -> bool:
        """False in a process forked for loading data and after repeated faults of ours."""
        return self._faults < MAX_FAULTS and os.getpid() == self._process

    @property
    def chosen(self) -> bool:
        """Whether the training of this process is the one that is recorded, among those that train in this run."""
        if self._chosen is None:
            self._chosen = rank() == 0 if self._run is None else claim(self._run)
            if self._chosen and self.folder != self._run and "multiprocessing.util" in sys.modules:
                # Such a process leaves without the clean-up of the interpreter.
                sys.modules["multiprocessing.util"].Finalize(None, self.close, args=("completed",), exitpriority=0)
        return self._chosen

    def forked(self) -> None:
        """This process was forked from the one that recorded until now: what it does goes to a folder of its own."""
        if self.depth == 0:  # else it loads data for the training that is going on
            if "writer" in self.__dict__:
                self._inherited.append(self.__dict__.pop("writer"))  # SQLite forbids to close it here
                self._parent = self.folder
            self._process, self._chosen = os.getpid(), None
            self.loops.clear()

    def invitation(self) -> Any:
        """What makes a process that the script starts join the record."""
        return Invitation((str(self._run), str(self._parent or self.folder), self.samples))

    def guard(self, action: Callable[..., Any], where: str, *given: Any) -> Any:
        """Run `action(*given)`; an exception of ours becomes a note in the record and the script goes on."""
        if not self.active:
            return None
        try:
            return action(*given)
        except Exception as error:
            self._faults += 1
            try:
                self.writer.event(
                    "fault",
                    {
                        "where": where,
                        "error": f"{type(error).__name__}: {error}",
                        "trace": traceback.format_exc(),
                    },
                )
            except Exception:
                self._faults = MAX_FAULTS
            return None

    def site(self, depth: int = 2) -> Site | None:
        """The user's call site above the caller; its source text is kept on first sight."""
        site = user_site(depth + 1)
        if site and site["file"] not in self._files:
            self._files.add(site["file"])
            self.writer.source(site["file"])
        return site

    def remember_layer(self, layer: Any, site: Site | None) -> None:
        if site:
            self._sites[id(layer)] = (weakref.ref(layer), site)

    def remember_made(self, layer: Any, made: Made) -> None:
        """Keep what a class of the person's is called with for as long as its object lives."""
        if not is_keras(type(layer)):
            key = id(layer)
            self._made[key] = (weakref.ref(layer, lambda _: self._made.pop(key, None)), made)

    def remember_compile(self, model: Any, site: Site | None) -> None:
        if site:
            self._compiles[id(model)] = (weakref.ref(model), site)

    def site_of(self, layer: Any) -> Site | None:
        return _lookup(self._sites, layer)

    def made_with(self, layer: Any) -> Made | None:
        """The arguments that the class of a layer was called with, where it does not keep them itself."""
        return _lookup(self._made, layer)

    def compile_site_of(self, model: Any) -> Site | None:
        return _lookup(self._compiles, model)

    def layers(self) -> list[Any]:
        """The layers and models of the process that are still alive."""
        return [layer for reference, _ in list(self._sites.values()) if (layer := reference()) is not None]

    def close(self, status: str) -> None:
        for loop in self.loops.values():
            self.guard(loop.end, "close")
        self.loops.clear()
        self.guard(lambda: self.writer.meta("status", status), "close")
        self.guard(lambda: self.writer.meta("ended", time.time()), "close")
        self.guard(self.writer.commit, "close")


Kept = TypeVar("Kept")


def _lookup(table: dict[int, tuple[weakref.ref[Any], Kept]], thing: Any) -> Kept | None:
    entry = table.get(id(thing))
    return entry[1] if entry and entry[0]() is thing else None


def environment() -> dict[str, Any]:
    """Versions that matter for judging a run; only of modules that are already imported."""
    names = ("keras", "jax", "tensorflow", "torch", "numpy", "sklearn", "pandas")
    return {
        "python": sys.version.split()[0],
        "platform": sys.platform,
        "versions": {n: getattr(sys.modules[n], "__version__", "?") for n in names if n in sys.modules},
    }


def wrapped(original: Callable[..., Any], replacement: Callable[..., Any]) -> Callable[..., Any]:
    """`replacement` dressed as `original`, marked so that it is not wrapped twice."""
    dressed = functools.wraps(original)(replacement)
    dressed.__unstuck__ = True  # type: ignore[attr-defined]
    return dressed
