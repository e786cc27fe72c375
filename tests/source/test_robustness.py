"""Whatever Python there is, in whatever order: nothing crashes, and nothing is said of nonsense that is proven."""

from __future__ import annotations

import ast
import random
from pathlib import Path

from unstuck.source.check import Asked, Checked, check_file

from .reader import IMPORTS
from .test_leak_witnesses import LEAKS

UNUSUAL = """
match x:
    case 1:
        y = 2
async def f():
    async with a as b:
        async for i in b:
            await i
def g(*a, k=1, **b):
    yield from a
    return lambda *q, **r: (yield)
x[1:2, ..., None] = y[::2] = z = {**a, 'b': 1}
a, *b = 1, 2, 3
[a, (b, c)] = d
del x, y[0], z.q
print(*a, **b, sep='')
f"{x!r:>{width}}"
class A(B, metaclass=M):
    x: int = 3
    def __init__(self):
        self.m = self
        self.m.m.fit(self)
A().m.m.fit(A())
while True:
    break
else:
    pass
try:
    pass
except* ValueError as e:
    pass
x = e if (n := 3) > 2 else not n
from . import z
from .. import *
X = X.fit(X).transform(X).predict(X).fit(X)
model.fit()
train_test_split()
pd.concat([])
np.mean()
df['a']['b'][0].c = 3
KFold().split()
StandardScaler().fit_transform()
keras.Sequential([]).compile()
keras.Model().fit()
keras.layers.Dense()()
"""


def checked(code: str, folder: Path) -> Checked:
    file = folder / "train.py"
    file.write_text(code, encoding="utf-8")
    found = check_file(file, Asked())
    assert (found.trouble, found.crashed) == ("", ())
    return found


def test_unusual_syntax_and_calls_without_arguments_are_followed(tmp_path: Path) -> None:
    assert checked(IMPORTS + UNUSUAL, tmp_path).findings == ()


def test_statements_in_any_order_never_crash_a_witness(tmp_path: Path) -> None:
    chance = random.Random(0)
    lines = [line.strip() for code, _ in LEAKS.values() for line in code.splitlines()]
    single = [line for line in lines if _stands_alone(line)]
    for _ in range(40):
        checked(IMPORTS + "\n".join(chance.sample(single, 60)), tmp_path)


def _stands_alone(line: str) -> bool:
    try:
        ast.parse(line)
    except SyntaxError:
        return False
    return True
