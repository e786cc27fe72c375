from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from html.parser import HTMLParser

import msgspec
import pytest
from reports import CASES, case_a, hostile

from unstuck.finding import Report
from unstuck.report import from_json, html_fragment, html_page, to_json

FINITE = [case for case in CASES if case != "hostile"]


@pytest.mark.parametrize("case", FINITE)
def test_json_gives_the_same_report_back(case: str) -> None:
    report = CASES[case]()
    assert report == msgspec.json.decode(to_json(report), type=Report)
    assert report == from_json(to_json(report))


def test_a_score_that_is_not_a_number_survives_json() -> None:
    again = from_json(to_json(hostile()))
    assert math.isnan(again.experiments[0].value[0])
    assert again.experiments[0].value[1] == 1.0


def test_json_is_indented_and_ends_its_last_line() -> None:
    shown = to_json(case_a())
    assert shown.startswith('{\n  "schema"')
    assert shown.endswith("}\n")


class Elements(HTMLParser):
    """All elements and their attributes, and the text of data blocks."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("case", CASES)
def test_html_is_well_formed_and_runs_nothing(case: str) -> None:
    for shown in (html_page(CASES[case]()), html_fragment(CASES[case]())):
        elements = Elements(shown)
        assert elements.open == []
        scripts = [attributes for tag, attributes in elements.found if tag == "script"]
        assert all(a == {"type": "application/json", "id": "report"} for a in scripts)
        for tag, attributes in elements.found:
            active = {name for name in attributes if name.startswith("on")} | {"src", "href", "style"}
            assert not active & set(attributes), tag


def test_html_escapes_hostile_names() -> None:
    for shown in (html_page(hostile()), html_fragment(hostile())):
        assert "<script>alert" not in shown
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_the_page_allows_only_its_own_style() -> None:
    shown = html_page(case_a())
    style = re.search(r"<style>(.*?)</style>", shown, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert f'content="{policy}"' in shown


@pytest.mark.parametrize("case", CASES)
def test_the_page_carries_the_report(case: str) -> None:
    block = re.search(
        r'<script type="application/json" id="report">(.*?)</script>', html_page(CASES[case]()), re.DOTALL
    )
    assert block is not None
    assert json.loads(to_json(CASES[case]())) == json.loads(block[1])


def test_the_page_needs_no_network_and_is_small() -> None:
    shown = html_page(case_a())
    assert not re.search(r"url\(|@import|https?://", shown)
    assert len(shown.encode()) < 250_000
