"""Which of the weights that training began with were given to it, and which an initialiser drew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unstuck.measure.case import Case, Missing
from unstuck.measure.network.normalisers import belongs
from unstuck.measure.replay import Replay


@dataclass(frozen=True)
class Given:
    """The first weights, by the key of the variable (`record/given.py`).

    Attributes:
        variables: keys of all variables, in the order of `model.variables`.
        names: of those that were loaded, set by hand or left by an earlier fit, and of the rest of their layers.
        later: layers that a later fit trains, of this model or of another that holds them.
    """

    variables: tuple[str, ...]
    names: frozenset[str]
    later: frozenset[str]

    @classmethod
    def of(cls, case: Case) -> Self:
        case.get(Replay)  # which says why where there is none
        names = case.fit.probe.get("given")
        if names is None:
            raise Missing("the weights training began with", "give the model an input shape")
        later = (layer for fit in case.run.fits[case.fit.index + 1 :] for layer in fit.body["model"]["layers"])
        trained = frozenset(layer["name"] for layer in later if layer["trainable"] and layer["params"])
        return cls(tuple(case.fit.probe["variables"]), frozenset(names), trained)

    def holds(self, layer: str) -> bool:
        """Whether the layer (or nested model) of this name was given any of its weights."""
        return any(belongs(name, layer) for name in self.names)
