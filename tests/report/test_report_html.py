from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from html.parser import HTMLParser

import msgspec
import pytest
from reports import CASES, EVIL, LONG, case_a, case_b, hostile, trial

from unstuck.finding import Fit, LayerMap, Report, Series
from unstuck.report import html_fragment, html_page, to_json
from unstuck.report.charts.draw import BAND
from unstuck.report.charts.forest import differences, forest_chart, price_chart
from unstuck.report.charts.layers import layer_chart
from unstuck.report.charts.learning import learning_charts
from unstuck.report.charts.training import loss_chart, scale_of

VOID = ("meta", "br")


class Elements(HTMLParser):
    """All elements and their attributes, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("case", CASES)
def test_html_is_well_formed_and_holds_nothing_active_of_its_own(case: str) -> None:
    for shown in (html_page(CASES[case]()), html_fragment(CASES[case]())):
        elements = Elements(shown)
        assert elements.open == []
        for tag, attributes in elements.found:
            active = {name for name in attributes if name.startswith("on")} | {"src", "style"}
            assert not active & set(attributes), tag
            assert (attributes.get("href") or "#").startswith("#"), tag


@pytest.mark.parametrize("case", CASES)
def test_no_name_stands_for_two_elements(case: str) -> None:
    names = [a["id"] for _, a in Elements(html_page(CASES[case]())).found if "id" in a]
    assert len(names) == len(set(names))


def test_html_escapes_hostile_names() -> None:
    for shown in (html_page(hostile()), html_fragment(hostile())):
        assert "<script>alert" not in shown
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_the_page_allows_only_its_own_style_and_script() -> None:
    shown = html_page(case_a())
    digests = []
    for pattern in (r"<style>(.*?)</style>", r"<script>(.*?)</script>"):
        block = re.search(pattern, shown, re.DOTALL)
        assert block is not None
        digests.append(base64.b64encode(hashlib.sha256(block[1].encode()).digest()).decode())
    style, script = digests
    policy = (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; "
        "base-uri 'none'; form-action 'none'"
    )
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
    assert not re.search(r"url\(|@import|https?://", shown.replace("http://www.w3.org", ""))
    assert len(shown.encode()) < 250_000


def deep_report() -> Report:
    """20 layers, 10^4 steps thinned to 200 points, 40 kept steps, 8 arms of 12 seeds."""
    steps = tuple(range(0, 10_000, 50))
    wave = tuple(1 + math.sin(s / 500) / (1 + s / 1000) for s in steps)
    names = tuple(f"functional/block_{i}/dense_{i}/kernel" for i in range(20))
    kept = tuple(range(0, 10_000, 250))
    maps = tuple(
        LayerMap(
            measure=m, layers=names, steps=kept, values=tuple(tuple(1 / (i + k + 1) for k in kept) for i in range(20))
        )
        for m in ("dead share", "gradient norm", "update ratio")
    )
    logs = ("loss", "val_loss", "accuracy", "val_accuracy", "auc", "val_auc")
    fit = Fit(
        index=0,
        verdict="stuck",
        sentence="Stuck.",
        series=tuple(Series(name=n, steps=steps, values=wave) for n in logs),
        layers=maps,
    )
    curve = tuple(1 / (1 + i / 7) for i in range(100))
    arms = tuple(
        trial(
            f"x{i}",
            "intervention" if i else "baseline",
            f"arm {i}",
            (0.1 * i,) * 12,
            baseline=(0.0,) * 12,
            effect=0.1 * i,
            interval=(0.0, 0.2 * i),
            curves=(curve,) * 12,
        )
        for i in range(8)
    )
    report = case_a()
    finding = msgspec.structs.replace(report.findings[0], experiments=tuple(a.id for a in arms))
    findings = tuple(
        msgspec.structs.replace(finding, rule=f"rule-{i}", fingerprint=f"v1:{i}", message=f"cause {i}")
        for i in range(3)
    )
    return msgspec.structs.replace(report, fits=(fit,), experiments=arms, findings=findings)


def test_a_deep_and_long_run_stays_under_a_megabyte_with_all_its_charts() -> None:
    shown = html_page(deep_report())
    assert len(shown.encode()) <= 1_000_000
    assert "left out to keep this page small" not in shown


def test_a_page_that_would_be_too_large_leaves_out_charts_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unstuck.report.html.CAP", 400_000)
    shown = html_page(deep_report())
    assert "Training loss by epoch" not in shown
    assert "left out to keep this page small" in shown


def test_a_chart_has_a_text_alternative_and_no_style_name_or_link() -> None:
    fit = hostile().fits[0]
    arms = hostile().experiments
    drawn = [loss_chart(fit), forest_chart(arms), *(layer_chart(m) for m in fit.layers)]
    drawn += [panel.chart for panel in learning_charts(arms).panels]
    for chart in drawn:
        elements = Elements(str(chart)).found
        assert elements[0][0] == "svg"
        assert elements[0][1]["role"] == "img"
        assert elements[0][1]["aria-label"]
        assert not {"script", "a", "image", "style", "foreignobject"} & {tag for tag, _ in elements}
        assert not [a for _, a in elements if {"id", "style", "href", "xlink:href"} & set(a)]
        assert EVIL[:4] not in str(chart)
        assert LONG not in re.sub(r'aria-label="[^"]*"', "", str(chart))


def test_every_colour_of_a_chart_has_its_variable_in_the_style_sheet() -> None:
    style = re.search(r"<style>(.*?)</style>", html_page(case_a()), re.DOTALL)
    assert style is not None
    report = case_b()
    drawn = [html_page(case_a()), price_chart(report.experiments[1:2]), html_page(deep_report())]
    used = set(re.findall(r' ((?:fill|stroke)="#[0-9a-f]{6}")', " ".join(map(str, drawn))))
    assert used
    assert [c for c in used if f"[{c}]" not in style[1]] == []


def test_the_forest_shows_each_seeds_own_difference() -> None:
    arm = trial("x", "intervention", "a", (0.5, 0.75), baseline=(0.25, 0.25), effect=0.375, interval=(0.2, 0.55))
    assert differences(arm) == [0.25, 0.5]
    assert "a: +0.375, interval +0.200 to +0.550" in str(forest_chart([arm]))


def test_arms_that_are_scored_otherwise_share_no_axis() -> None:
    placebo = trial("p", "placebo", "p", (0.1,), baseline=(0.0,), effect=0.1, interval=(-0.1, 0.2), metric="other")
    other = trial("a", "rival", "first", (0.5,), baseline=(0.0,), effect=0.5, interval=(0.4, 0.6), metric="other")
    own = trial("b", "intervention", "second", (0.5,), baseline=(0.0,), effect=0.5, interval=(0.4, 0.6))
    shown = str(forest_chart([placebo, other, own]))
    assert "second" in shown
    assert "first" not in shown
    assert BAND not in shown
    assert BAND in str(forest_chart([placebo, other]))


def test_the_price_of_a_leak_is_told_by_both_means() -> None:
    assert "val_accuracy: 0.796 as written, 0.536 done honestly" in str(price_chart(case_b().experiments))


def test_an_axis_is_logarithmic_only_where_a_straight_one_would_hide_values() -> None:
    assert scale_of([0.01, 1.0]).to_dict()["type"] == "log"
    assert "type" not in scale_of([0.0, 1.0]).to_dict()


def test_what_is_flat_is_drawn_flat() -> None:
    low, high = scale_of([7.4e-8, 7.5e-8]).to_dict()["domain"]
    assert 0.03 < (high - low) / high
    low, high = scale_of([0.625, 0.626]).to_dict()["domain"]
    assert 0.1 == pytest.approx(high - low)
