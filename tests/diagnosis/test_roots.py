"""Which finding is the cause of which: consequences are folded into their root, partners stand beside each other."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from unstuck.diagnosis import testing
from unstuck.diagnosis.roots import link
from unstuck.finding import Finding, Trial
from unstuck.rules import catalogue
from unstuck.rules.rule import Suspect

RULES = {rule.name: rule for rule in catalogue()}
LARGE, DIVERGING = "oversized-initialisation", "diverging-loss"
SUSPECTS = {LARGE: Suspect("large", leads_to=(DIVERGING,)), DIVERGING: Suspect("diverging")}


def finding(rule: str, cure: str, worth: float) -> Finding:
    code = RULES[rule].code
    return Finding(rule, code, f"v1:{rule}", "error", "confirmed", rule, cure=cure, worth=worth, experiments=(cure,))


def trial(name: str, *, several: bool) -> Trial:
    return Trial(id=name, role="intervention", label=name, intervention={"type": "together" if several else "one"})


def explained(tested: testing.Tested) -> dict[str, str | None]:
    found = [finding(LARGE, "init", 0.4), finding(DIVERGING, "rate", 0.3)]
    return {f.rule: f.explained_by for f in link(found, RULES, SUSPECTS, tested)}


ALONE = testing.Tested(trials=(trial("init", several=False), trial("rate", several=False)))


def test_a_consequence_is_folded_into_its_root():
    assert explained(ALONE) == {LARGE: None, DIVERGING: LARGE}


def test_a_cause_whose_cure_helps_only_on_top_of_another_is_not_the_root_of_that():
    on_top = replace(ALONE, trials=(trial("init", several=True), ALONE.trials[1]), leads={LARGE: DIVERGING})
    assert explained(on_top) == {LARGE: None, DIVERGING: None}


def test_a_cause_that_shows_only_once_its_root_is_gone_stands_beside_it():
    shown = replace(ALONE, trials=(ALONE.trials[0], trial("rate", several=True)), leads={DIVERGING: LARGE})
    assert explained(shown) == {LARGE: None, DIVERGING: None}


def test_what_does_no_harm_explains_nothing_that_a_trial_confirms():
    harmless = Finding(LARGE, RULES[LARGE].code, "v1:large", "note", "proven", LARGE)
    likely = msgspec.structs.replace(finding(DIVERGING, "rate", 0.3), confidence="likely")
    for other, root in ((finding(DIVERGING, "rate", 0.3), None), (likely, LARGE)):
        found = {f.rule: f.explained_by for f in link([harmless, other], RULES, SUSPECTS, ALONE)}
        assert found == {LARGE: None, DIVERGING: root}
