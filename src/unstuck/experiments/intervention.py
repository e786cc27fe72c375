"""An intervention: a small declarative change, which knows how to apply itself to an experiment and to the source."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from unstuck.experiments.experiment import Experiment
from unstuck.finding import Fix
from unstuck.measure.setup import Setup


@dataclass(frozen=True)
class Intervention:
    """Base of all interventions; one a file in `interventions/`. Fields are plain data."""

    @property
    def label(self) -> str:
        """Short words for a table: `learning rate ÷ 10`."""
        raise NotImplementedError

    def apply(self, experiment: Experiment) -> Experiment:
        """A copy of `experiment` with this one change. It cannot touch the held-out labels."""
        raise NotImplementedError

    def for_seed(self, experiment: Experiment, held_y: np.ndarray, seed: int) -> tuple[Experiment, np.ndarray]:
        """The changed experiment and the canonical labels of its held-out rows, for one seed.

        Only interventions that draw the split anew for each seed give other held-out rows than the recorded ones.
        """
        return self.apply(experiment), held_y

    @property
    def baseline(self) -> Intervention | None:
        """What to compare with, where that is not the run as recorded (the same split drawn anew)."""
        return None

    @property
    def turns(self) -> frozenset[str]:
        """What it turns; of two that turn the same the later one undoes the other, so they are no pair."""
        return frozenset({type(self).__name__})

    @property
    def shuffled(self) -> Intervention | None:
        """The same change under shuffled labels, where it is more than both changes together."""
        return None

    def edit(self, setup: Setup) -> Fix | None:
        """The change in the person's source, or None when it cannot be shown as one."""
        return None

    def describe(self) -> dict[str, Any]:
        """Type and parameters, for the report."""
        name = "".join(f"-{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(type(self).__name__))
        return {"type": name} | {
            k: v for k, v in asdict(self).items() if isinstance(v, (str, int, float, bool, list, tuple))
        }


@dataclass(frozen=True)
class Together(Intervention):
    """Several changes at once."""

    parts: tuple[Intervention, ...]

    @property
    def label(self) -> str:
        return " + ".join(part.label for part in self.parts)

    @property
    def turns(self) -> frozenset[str]:
        return frozenset[str]().union(*(part.turns for part in self.parts))

    def apply(self, experiment: Experiment) -> Experiment:
        for part in self.parts:
            experiment = part.apply(experiment)
        return experiment

    def edit(self, setup: Setup) -> Fix | None:
        fixes = [fix for part in self.parts if (fix := part.edit(setup))]
        if len(fixes) < len(self.parts):
            return None
        sketched = any(fix.applicability == "sketch" for fix in fixes)
        return Fix(
            title=", and ".join(fix.title for fix in fixes),
            applicability="sketch" if sketched else "suggested",
            edits=tuple(edit for fix in fixes for edit in fix.edits),
        )

    def describe(self) -> dict[str, Any]:
        return {"type": "together", "parts": [part.describe() for part in self.parts]}
