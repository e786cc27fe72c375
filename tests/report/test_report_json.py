from __future__ import annotations

import json
import math

import msgspec
import numpy as np
import pytest
from reports import CASES, case_a, hostile

from unstuck.finding import Report
from unstuck.report import from_json, to_json

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


def test_a_number_of_an_array_is_a_number_in_json() -> None:
    trial = msgspec.structs.replace(case_a().experiments[0], seconds=np.float64(1.5), held_fixed=np.array(["data"]))
    shown = json.loads(to_json(msgspec.structs.replace(case_a(), experiments=(trial,))))["experiments"][0]
    assert (1.5, ["data"]) == (shown["seconds"], shown["held_fixed"])


def test_json_is_indented_and_ends_its_last_line() -> None:
    shown = to_json(case_a())
    assert shown.startswith('{\n  "schema"')
    assert shown.endswith("}\n")
