"""Which operations of one's own count as unguarded."""

import ast

import pytest

from unstuck.measure.code.undefined import _risky


def risky(text):
    return [name for name, _ in _risky(ast.parse(text))]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ops.log(p)", ["log"]),
        ("ops.log(1 - p)", ["log"]),
        ("ops.sqrt(ops.mean(e))", ["sqrt"]),
        ("a / b", ["division"]),
        ("ops.divide(a, b)", ["divide"]),
        ("x ** 0.5", ["power"]),
        ("x ** -1", ["power"]),
        ("ops.arccos(c)", ["arccos"]),
    ],
)
def test_an_operation_without_a_guard_is_named(text, found):
    assert found == risky(text)


@pytest.mark.parametrize(
    "text",
    [
        "ops.log(p + 1e-7)",
        "ops.log(ops.clip(p, 1e-7, 1))",
        "ops.sqrt(ops.maximum(e, 1e-12))",
        "ops.log(2.0)",
        "x / 255.0",
        "x / x.shape[0]",
        "a / (b + eps)",
        "x ** 2",
        "ops.log1p(x)",
    ],
)
def test_a_guarded_operation_is_left_alone(text):
    assert [] == risky(text)
