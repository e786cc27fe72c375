"""Every example script, run as a user would, must end in its verdict. Assertions are on the JSON, never on text."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_cache: dict[str, tuple[dict, int]] = {}


def report_of(name, tmp_path_factory):
    """The JSON report and exit status of `unstuck run --budget 60 NAME`, once a session."""
    if name not in _cache:
        folder = tmp_path_factory.mktemp(name.removesuffix(".py"))
        out = folder / "report.json"
        command = [sys.executable, "-m", "unstuck", "run", "--format", "json", "--output", str(out), "--budget", "60"]
        done = subprocess.run(
            [*command, str(EXAMPLES / name)],
            cwd=folder,
            capture_output=True,
            text=True,
            env=dict(os.environ, KERAS_BACKEND="jax"),
        )
        assert out.exists(), done.stderr[-3000:]
        _cache[name] = json.loads(out.read_text()), done.returncode
    return _cache[name]


@pytest.fixture
def report(request, tmp_path_factory):
    return report_of(request.param, tmp_path_factory)


def finding(report, rule):
    found = [f for f in report["findings"] if f["rule"] == rule]
    assert found, f"{rule} not among {[(f['rule'], f['confidence']) for f in report['findings']]}"
    return found[0]


def roots(report):
    return [f for f in report["findings"] if not f.get("explained_by")]


def trials(report, entry):
    return [t for t in report["experiments"] if t["id"] in entry["experiments"]]


def errors(report):
    return [f["rule"] for f in report["findings"] if f["severity"] == "error"]


def line_of(name, text):
    lines = (EXAMPLES / name).read_text().splitlines()
    return next(i for i, line in enumerate(lines, 1) if text in line)


def mean(values):
    return sum(values) / len(values)


def healthy_rules(report):
    assert not [r for r in report["rules"] if r["outcome"] == "crashed"]


@pytest.mark.parametrize("report", ["stuck_at_zero.py"], indirect=True)
def test_softmax_on_one_unit_is_proven_and_its_cure_tried(report):
    data, status = report
    root = roots(data)[0]
    assert ("softmax-on-one-unit", "proven", "error") == (root["rule"], root["confidence"], root["severity"])
    assert "stuck" == data["summary"]["verdict"]
    assert 1 == status
    line = line_of("stuck_at_zero.py", 'activation="softmax"')
    assert line == root["location"]["line"]
    cure = next(t for t in trials(data, root) if t["role"] == "intervention")
    assert abs(mean(cure["baseline"])) < 0.05
    assert mean(cure["value"]) > 0.5
    assert cure["interval"][0] > 0
    edited = {e["text"]: e["start"][0] for e in root["fix"]["edits"]}
    assert line == edited['"sigmoid"']
    assert line_of("stuck_at_zero.py", "categorical_crossentropy") == edited['"binary_crossentropy"']
    assert ["softmax-on-one-unit"] == errors({"findings": roots(data)})
    healthy_rules(data)


@pytest.mark.parametrize("report", ["article_leakage.py"], indirect=True)
def test_no_signal_is_the_verdict_and_the_scaler_costs_nothing(report):
    data, status = report
    assert "no-signal" == data["summary"]["verdict"]
    assert "confirmed" == finding(data, "no-signal")["confidence"]
    leak = finding(data, "preprocessing-before-split")
    assert "note" == leak["severity"]
    assert line_of("article_leakage.py", "fit_transform") == leak["location"]["line"]
    assert abs(leak["worth"]) < 0.1
    assert any("never was near zero" in fact for fact in data["fits"][0]["facts"])
    assert not errors(data)
    assert 0 == status


@pytest.mark.parametrize("report", ["article_capacity.py"], indirect=True)
def test_capacity_is_the_cause_and_the_rate_alone_is_not_enough(report):
    data, status = report
    root = roots(data)[0]
    assert ("model-too-small", "confirmed") == (root["rule"], root["confidence"])
    assert 1 == status
    tried = trials(data, root)
    wider = [t for t in tried if t["role"] == "intervention"]
    assert any(t["sufficient"] for t in wider)
    assert wider[0]["effect"] > 0.5
    rates = [t for t in tried if t["intervention"].get("type") == "scale-learning-rate" and t["value"]]
    assert rates
    assert all(not t["sufficient"] for t in rates)
    everything = {t["intervention"].get("type") for t in data["experiments"]}
    assert {"standardise-targets", "scale-epochs"} <= everything


@pytest.mark.parametrize("report", ["article_small_rate.py"], indirect=True)
def test_a_small_rate_is_true_of_the_training_loss_and_no_signal_rules(report):
    data, _ = report
    assert "no-signal" == data["summary"]["verdict"]
    slow = finding(data, "learning-rate-too-low")
    assert "confirmed" == slow["confidence"]
    assert "train skill" == next(t for t in trials(data, slow) if t["role"] == "intervention")["metric"]
    assert not errors(data)


@pytest.mark.parametrize("report", ["leaky_selection.py"], indirect=True)
def test_selection_before_the_split_is_confirmed_with_its_price(report):
    data, status = report
    root = roots(data)[0]
    assert ("selection-before-split", "confirmed", "error") == (root["rule"], root["confidence"], root["severity"])
    assert "misleading" == data["summary"]["verdict"]
    assert 1 == status
    assert line_of("leaky_selection.py", "fit_transform") == root["location"]["line"]
    tried = trials(data, root)
    honest = next(t for t in tried if t["role"] == "intervention")
    assert honest["effect"] < -0.2
    assert honest["interval"][1] < 0
    assert [t for t in tried if t["role"] == "control"]


@pytest.mark.parametrize(
    ("report", "rule", "verdicts"),
    [
        ("dead_relu.py", "dying-relu", {"stuck", "impaired"}),
        ("hot_rate.py", "learning-rate-too-high", {"stuck", "impaired"}),
        ("frozen.py", "everything-frozen", {"stuck"}),
        ("target_inside.py", "target-in-features", {"misleading"}),
    ],
    indirect=["report"],
)
def test_the_named_cause_is_the_first_root(report, rule, verdicts):
    data, status = report
    root = roots(data)[0]
    assert rule == root["rule"]
    assert root["confidence"] in ("proven", "confirmed")
    assert "error" == root["severity"]
    assert data["summary"]["verdict"] in verdicts
    assert 1 == status
    healthy_rules(data)


@pytest.mark.parametrize(
    ("report", "verdict"), [("healthy.py", "healthy"), ("finished.py", "finished")], indirect=["report"]
)
def test_a_good_run_is_left_alone(report, verdict):
    data, status = report
    assert verdict == data["summary"]["verdict"]
    assert [] == [f["rule"] for f in data["findings"] if f["severity"] != "note"]
    assert 0 == status
    healthy_rules(data)
