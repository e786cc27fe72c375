"""A case: one recorded fit with everything that can be derived from it, computed once and on demand.

A measured quantity is a frozen dataclass with a classmethod `of(case)`. A rule asks for it by annotating a parameter
of its `check`. A quantity that cannot be derived raises `Missing`, and the rule's outcome is then `not-checked`.
"""

from __future__ import annotations

from typing import Any, Protocol, Self, TypeVar

from unstuck.record.recorded import RecordedFit, RecordedRun

NO_STEPS = "training steps (fit stopped before the first)"
"""What is missing where fit ended before it trained."""


class Missing(Exception):
    """Evidence that a quantity needs is not in the record.

    Args:
        evidence: what is missing, a short noun: `validation rows`.
        supply: the command or change that would supply it.
    """

    def __init__(self, evidence: str, supply: str = "") -> None:
        self.evidence = evidence
        self.supply = supply
        super().__init__(evidence)


class Quantity(Protocol):
    @classmethod
    def of(cls, case: Case) -> Self: ...


Q = TypeVar("Q", bound=Quantity)


class Case:
    """One recorded fit of a run. Quantities are cached, also the fact that one is missing."""

    def __init__(self, run: RecordedRun, fit: RecordedFit) -> None:
        self.run = run
        self.fit = fit
        self._cache: dict[type, Any] = {}
        self.crashed: dict[str, str] = {}
        """Quantities whose derivation failed by a mistake of ours, and how."""

    @property
    def file(self) -> str:
        """The recorded name of the file that calls fit, "" where that is not known."""
        site = self.fit.body.get("site")
        return str(site["file"]) if site else ""

    def get(self, kind: type[Q]) -> Q:
        """The quantity of this type.

        Raises:
            Missing: when the record lacks what it needs.
        """
        if kind not in self._cache:
            try:
                self._cache[kind] = kind.of(self)
            except Missing as missing:
                self._cache[kind] = missing
            except Exception as error:
                self.crashed[kind.__name__] = f"{type(error).__name__}: {error}"
                self._cache[kind] = Missing(f"{kind.__name__.lower()}, whose derivation failed")
        value = self._cache[kind]
        if isinstance(value, Missing):
            raise value
        return value  # type: ignore[no-any-return]

    def find(self, kind: type[Q]) -> Q | None:
        """The quantity, or None when it is missing."""
        try:
            return self.get(kind)
        except Missing:
            return None
