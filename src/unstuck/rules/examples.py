"""The data that the examples of the rules train on: a prelude defines `keras`, `np`, `x`, `y`, `x_val`, `y_val`.

Everything is small, bundled with scikit-learn or drawn with a fixed seed, and float32 as Keras uses it.
"""

from __future__ import annotations

_HEAD = """\
import keras
import numpy as np
"""

_SEED = """
keras.utils.set_random_seed(0)
"""

_TABLE = """\
from sklearn.datasets import {loader}
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

x, y = {loader}(return_X_y=True)
x, x_val, y, y_val = train_test_split(x, y, test_size=0.25, random_state=0{stratify})
scaler = StandardScaler().fit(x)
x, x_val = scaler.transform(x).astype("float32"), scaler.transform(x_val).astype("float32")
"""

_PREPARE = {
    # 569 rows, 30 columns; labels 0 and 1, shape (n,).
    "two-classes": _TABLE.format(loader="load_breast_cancer", stratify=", stratify=y")
    + 'y, y_val = y.astype("float32"), y_val.astype("float32")\n',
    # 178 rows, 13 columns; labels 0, 1 and 2, shape (n,).
    "three-classes": _TABLE.format(loader="load_wine", stratify=", stratify=y")
    + 'y, y_val = y.astype("int32"), y_val.astype("int32")\n',
    # 442 rows, 10 columns; targets of mean 0 and standard deviation 1 over the training rows, shape (n,).
    "regression": _TABLE.format(loader="load_diabetes", stratify="")
    + "mean, sd = y.mean(), y.std()\n"
    + 'y, y_val = ((y - mean) / sd).astype("float32"), ((y_val - mean) / sd).astype("float32")\n',
    # 600 rows, 8 columns of normal numbers, and labels of a fair coin. The seed is one on which the reference learners
    # find nothing; on 3 of 30 others they found "signal" by luck (p < 0.05), and no-signal then stays silent.
    "noise": """\
rng = np.random.default_rng(3)
x = rng.normal(size=(600, 8)).astype("float32")
y = rng.integers(0, 2, size=600).astype("float32")
x, x_val, y, y_val = x[:450], x[450:], y[:450], y[450:]
""",
    # Breast cancer as it is in the file: not split, not scaled (columns from 0.001 to 4254).
    "raw": """\
from sklearn.datasets import load_breast_cancer

x, y = load_breast_cancer(return_X_y=True)
""",
    # 1,797 grey images of digits, (n, 8, 8, 1) in [0, 1]; labels 0 to 9, shape (n,).
    "images": """\
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

x, y = load_digits(return_X_y=True)
x = (x / 16).reshape(-1, 8, 8, 1).astype("float32")
x, x_val, y, y_val = train_test_split(x, y, test_size=0.25, random_state=0, stratify=y)
""",
    # 800 rows of up to 12 numbered words, filled up with 0, (n, 12); labels 0 and 1 by three words of each row.
    "words": """\
rng = np.random.default_rng(0)
good, bad, other = np.arange(20, 30), np.arange(30, 40), np.arange(1, 20)
y = rng.integers(0, 2, 800)
x = np.zeros((800, 12), "int32")
for row, label in zip(x, y):
    length = rng.integers(6, 13)
    row[:length] = rng.choice(other, length)
    row[rng.integers(0, length, 3)] = rng.choice(good if label else bad, 3)
x = rng.permutation(41)[x] * (x > 0)  # the numbers follow no order
x, x_val, y, y_val = x[:600], x[600:], y[:600], y[600:]
""",
}

DATA_SETS = tuple(_PREPARE)


def prelude(data: str) -> str:
    """Source text that makes the data set of this name; an example script is this and the example's code.

    The seed is set last, so that the weights do not depend on how the data were made.

    >>> "set_random_seed(0)" in prelude("noise")
    True

    Raises:
        KeyError: for a name that is not in `DATA_SETS`.
    """
    return f"{_HEAD}\n{_PREPARE[data]}{_SEED}"
