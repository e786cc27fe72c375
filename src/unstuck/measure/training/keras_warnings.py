"""What Keras, or the framework below it, said itself while the script ran: cited as evidence, not as our discovery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unstuck.finding import Evidence
from unstuck.measure.case import Case

LIBRARIES = ("keras", "tensorflow", "torch", "jax")
SHOWN = 160
"""Characters of a warning that are cited; Keras names every variable in some."""


@dataclass(frozen=True)
class KerasWarnings:
    """Texts of the warnings of Keras and its backends, in order, without repeats."""

    texts: tuple[str, ...]

    @classmethod
    def of(cls, case: Case) -> Self:
        said = [
            " ".join(event.body["text"].split())
            for event in case.run.events
            if event.kind == "warning" and any(f"/{name}/" in event.body["file"] for name in LIBRARIES)
        ]
        return cls(tuple(dict.fromkeys(said)))

    def cite(self, *phrases: str) -> Evidence | None:
        """The first warning that contains one of the phrases, as evidence."""
        for text in self.texts:
            if any(phrase in text for phrase in phrases):
                shown = text if len(text) <= SHOWN else f"{text[:SHOWN].rstrip()} ..."
                return Evidence(measure="keras-warning", text=f'Keras warned: "{shown}"')
        return None
