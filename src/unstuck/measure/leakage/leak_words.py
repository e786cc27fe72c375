"""Sentences about transformers that saw held-out rows, shared by the rules that speak of them."""

from __future__ import annotations

from collections.abc import Sequence

from unstuck.finding import Evidence, Location
from unstuck.measure.data import Data
from unstuck.measure.leakage.provenance import Fitted, Provenance
from unstuck.measure.setup import Setup

HELD_WORDS = {"validation": "validation rows", "evaluate": "test rows", "split": "test rows"}


def held_words(data: Data) -> str:
    return HELD_WORDS.get(data.held_kind, "held-out rows")


def sees(leak: Fitted) -> str:
    """What one transformer saw: `sees all 200 rows and their labels`."""
    rows = f"all {leak.rows} rows" if leak.saw == leak.of else f"{leak.saw} of {leak.of} held-out rows"
    return f"sees {rows}{' and their labels' if leak.supervised else ''}"


def evidence(leaks: Sequence[Fitted], provenance: Provenance, data: Data) -> tuple[Evidence, ...]:
    found = [
        Evidence(
            measure="held-out-rows-seen",
            text=f"{leak.estimator}.{leak.name} {sees(leak)}, {leak.saw} of {leak.of} {held_words(data)} among them",
            value=leak.saw,
            expected=0,
            of=leak.of,
        )
        for leak in leaks
    ]
    if provenance.why_not:
        text = f"it cannot be prepared again honestly: {provenance.why_not}"
        found.append(Evidence(measure="no-rerun", text=text))
    return tuple(found)


def places(leaks: Sequence[Fitted], setup: Setup) -> tuple[Location | None, tuple[Location | None, ...]]:
    """The first fitting call, and what else belongs into the frame: the other ones and the split."""
    sources = setup.sources
    calls = [sources.location(leak.site, sees(leak)) for leak in leaks]
    split = leaks[0].split_site
    end = sources.location(split, "the split comes only here") if split else setup.fit_location("held out only here")
    return calls[0], (*calls[1:], end)
