"""What a trial makes of a suspect: a fit that was cut to where nothing is learnt refutes nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from unstuck.diagnosis import testing
from unstuck.diagnosis.judge import Judged
from unstuck.diagnosis.uphold import uphold
from unstuck.experiments.interventions.from_logits import SetFromLogits
from unstuck.finding import RuleResult, Trial
from unstuck.rules import catalogue
from unstuck.rules.rule import Suspect

RULE = next(rule for rule in catalogue() if rule.name == "missing-output-activation")
CURE = SetFromLogits(True)
NOTHING: Any = SimpleNamespace(fit=SimpleNamespace(index=0), find=lambda kind: None)


@pytest.mark.parametrize(
    ("cut", "skill", "outcome"),
    [("1 of 12 epochs", 0.0, "inconclusive"), ("1 of 12 epochs", 0.5, "refuted"), ("", 0.0, "refuted")],
)
def test_a_fit_that_was_cut_to_where_nothing_is_learnt_refutes_nothing(cut: str, skill: float, outcome: str) -> None:
    values = (skill, skill, skill)
    trial = Trial("x1", "intervention", CURE.label, value=values, baseline=values, effect=0.0, outcome="refuted")
    tested = testing.Tested(trials=(trial,), by_rule={RULE.name: (trial,)}, cut=cut)
    suspect = Suspect("the output is linear", cures=(CURE,))
    finding, result = uphold(Judged(RULE, RuleResult(RULE.name, RULE.code, "found"), suspect), NOTHING, tested)
    assert (outcome, outcome == "inconclusive") == (result.outcome, finding is not None)


@pytest.mark.parametrize(("rival", "outcome"), [(0.94, "refuted"), (0.6, "found")])
def test_a_network_that_does_as_well_with_another_rate_is_not_too_small(rival: float, outcome: str) -> None:
    def trial(name: str, role: Any, skill: float, judged: str) -> Trial:
        values, baseline = (skill,) * 3, (0.5,) * 3
        return Trial(name, role, name, value=values, baseline=baseline, effect=skill - 0.5, outcome=judged)  # type: ignore[arg-type]

    trials = (trial("wider", "intervention", 0.95, "confirmed"), trial("rate", "rival", rival, "inconclusive"))
    tested = testing.Tested(trials=trials, by_rule={RULE.name: trials})
    suspect = Suspect("too few units", cures=(CURE,), cannot=True)
    finding, result = uphold(Judged(RULE, RuleResult(RULE.name, RULE.code, "found"), suspect), NOTHING, tested)
    assert (outcome, outcome == "found") == (result.outcome, finding is not None)
