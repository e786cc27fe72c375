"""What a rule is: documentation, needs (by the annotations of `check`), a judgement, experiments, examples."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from unstuck.experiments.intervention import Intervention
from unstuck.finding import Confidence, Evidence, Fix, Location, Severity, Step
from unstuck.rules.worth import worth_of

SECTIONS = (
    "What it finds",
    "Why training stops",
    "What you see",
    "How it is proven",
    "Instead",
    "When to ignore it",
    "How good is this rule",
    "References",
)

FAMILIES = {
    "OUT": "output, loss and metric contract",
    "DAT": "data and labels",
    "LEK": "leakage and splitting",
    "ACT": "activations and initialisation",
    "OPT": "optimiser and schedule",
    "CAP": "capacity and regularisation",
    "NET": "architecture wiring",
    "PIP": "input pipeline",
    "NUM": "numerics",
    "API": "Keras API traps",
    "EVA": "evaluation only",
    "OBJ": "special objectives",
}


@dataclass(frozen=True)
class Cleared:
    """The cause was looked for and is not there."""

    reason: str
    measured: float | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class NotApplicable:
    """The question does not arise for this program."""

    reason: str


@dataclass(frozen=True)
class Suspect:
    """The cause fits the evidence.

    Attributes:
        confidence: `proven` when it follows from code or arithmetic for any data and seed; else `likely` (or
            `possible`), and an experiment decides.
        cures: interventions that should help if this is the cause; the first is the fix that is offered.
        rivals: interventions that should *not* help if this is the cause (another rate, more epochs); shown beside.
        cannot: it says that the network as it is cannot do better: a rival that does as well as the cure refutes it.
        control: an extra intervention whose outcome is known beforehand, run with and without the cure.
        endpoint: what the trial is scored by, fixed before it runs.
        harm: the cure is expected to lower the score (removing a leak lowers what is shown).
        conclusion: for `proven`: why it follows. For others it is written from the trial.
        leads_to: rules whose findings are consequences of this one when this one is upheld.
        impairs: False when the finding stands also on a run that learns everything there is to learn.
        fix: a ready-made change; None lets the first cure show itself as an edit.
        harmless: what stays true, and is told as a note, where the network learns all there is or no cure helps; "" for
            nothing.
        unless_confirmed: why the cause is cleared unless a trial confirms it; "" where it is in play without one.
    """

    message: str
    confidence: Confidence = "likely"
    severity: Severity | None = None
    location: Location | None = None
    related: tuple[Location | None, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    flow: tuple[Step, ...] = ()
    scope: Mapping[str, str] | None = None
    cures: tuple[Intervention, ...] = ()
    rivals: tuple[Intervention, ...] = ()
    cannot: bool = False
    control: Intervention | None = None
    endpoint: str = "held-out skill"
    harm: bool = False
    conclusion: str = ""
    leads_to: tuple[str, ...] = ()
    impairs: bool = True
    fix: Fix | None = None
    harmless: str = ""
    unless_confirmed: str = ""

    @property
    def note(self) -> Suspect:
        """What stays true where it does no harm."""
        message = f"{self.harmless}; no harm is measurable here"
        known = replace(self, message=message, confidence="proven", severity="note", impairs=False)
        return replace(known, cures=(), rivals=(), conclusion="", fix=None)


Judgement = Cleared | NotApplicable | Suspect


@dataclass(frozen=True)
class Example:
    """A short training script, shown in the docs and run by the tests.

    Args:
        code: the script. `keras`, `np`, `x`, `y`, `x_val`, `y_val` exist already, made by `data`.
        data: name of a data set in `rules/examples.py`: `two-classes`, `three-classes`, `regression`, `noise`, ...
        backends: where it applies.
        raises: whether the script itself is expected to raise.
    """

    code: str
    data: str = "two-classes"
    backends: tuple[str, ...] = ("jax", "tensorflow", "torch")
    raises: bool = False


class Rule:
    """Base of all rules. One rule, one file; the file name is the rule's name with underscores.

    The class docstring holds the documentation in the sections of `SECTIONS` (`Instead` is made from `sick` and
    `healthy`, `How good is this rule` from the quality corpus).
    """

    code: ClassVar[str]
    severity: ClassVar[Severity] = "error"
    sick: ClassVar[Example]
    healthy: ClassVar[Example]
    name: ClassVar[str]
    family: ClassVar[str]
    echo_of: ClassVar[tuple[str, ...]] = ()
    """Rules that, when upheld, explain this one away."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.name = cls.__module__.rsplit(".", 1)[-1].replace("_", "-")
        cls.family = FAMILIES.get(cls.code[:3], "")

    def check(self, *needs: Any) -> Judgement:
        """Judge one fit from the quantities its parameters are annotated with."""
        raise NotImplementedError

    @classmethod
    def needs(cls) -> dict[str, type]:
        """Parameter name and quantity type of `check`, in order."""
        hints = typing.get_type_hints(cls.check)
        return {name: hints[name] for name in inspect.signature(cls.check).parameters if name != "self"}

    @classmethod
    def sections(cls) -> dict[str, str]:
        """The documentation, one text a section title, in the order of `SECTIONS`."""
        text = inspect.cleandoc(cls.__doc__ or "")
        pattern = r"^(" + "|".join(map(re.escape, SECTIONS)) + r"):?\s*$"
        parts = re.split(pattern, text, flags=re.MULTILINE)
        found = {title: body.strip() for title, body in zip(parts[1::2], parts[2::2], strict=True)}
        found["Instead"] = f"Not this:\n\n{_indent(cls.sick.code)}\n\nBut this:\n\n{_indent(cls.healthy.code)}"
        found["How good is this rule"] = worth_of(cls.name)
        return {title: found[title] for title in SECTIONS if title in found}


def _indent(code: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in code.strip().splitlines())
