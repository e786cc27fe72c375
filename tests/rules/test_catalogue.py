"""Every cause of the published catalogue (`published.txt`) has its rule, under the published name and code."""

from pathlib import Path

from unstuck.rules import catalogue

PUBLISHED = dict(line.split() for line in (Path(__file__).parent / "published.txt").read_text().splitlines())


def test_every_published_code_is_a_rule_of_that_name():
    assert {rule.code: rule.name for rule in catalogue()} == PUBLISHED
