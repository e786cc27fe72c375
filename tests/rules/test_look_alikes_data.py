"""Programs that sit at chance for different reasons in their data: each gets its own root, and the good one none.

Judged before any trial, so that the table stays cheap: what tells them apart is in the record.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.harness import Bench

from unstuck.rules.rule import Example
from unstuck.settings import Settings

NETWORK = """
model = keras.Sequential([
    keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=8, validation_data=(x_val, y_val), verbose=0)
"""

LOOK_ALIKES = {
    "misaligned-labels": Example("y = np.roll(y, 1)" + NETWORK),
    "contradictory-labels": Example("x, y = np.concatenate([x, x]), np.concatenate([y, 1 - y])" + NETWORK),
    "no-signal": Example(NETWORK, data="noise"),
    "labels-wrongly-encoded": Example("y, y_val = y + 1, y_val + 1" + NETWORK),
    "class-imbalance": Example(
        "rng = np.random.default_rng(0)\n"
        'x, x_val = (rng.normal(size=(n, 6)).astype("float32") for n in (800, 400))\n'
        'y, y_val = ((a[:, 0] + rng.normal(size=len(a)) > 2.2).astype("float32") for a in (x, x_val))' + NETWORK
    ),
    "blank-inputs": Example("x, x_val = np.ones_like(x), np.ones_like(x_val)" + NETWORK),
    "constant-target": Example("y = np.ones_like(y)" + NETWORK),
}
IMAGES = """
model = keras.Sequential([
    keras.layers.Conv2D(8, 3, activation="relu"),
    keras.layers.Flatten(),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy")
model.fit(x, y, epochs=3, validation_data=(x_val, y_val), verbose=0)
"""
TOKENS = """
rng = np.random.default_rng(0)
x, x_val = (rng.integers(0, 50, (n, 12)) for n in (600, 300))
y, y_val = (((a < 10).sum(axis=1) > 2).astype("float32") for a in (x, x_val))
{labels}
model = keras.Sequential([
    keras.layers.Embedding(50, 8),
    keras.layers.GlobalAveragePooling1D(),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.01), loss="binary_crossentropy")
model.fit(x, y, epochs=10, validation_data=(x_val, y_val), verbose=0)
"""
SILENT = ("no-signal",)
SHUFFLED = "y = np.random.default_rng(1).permutation(y)"
NO_TABLES = {
    "images": Example(SHUFFLED + IMAGES, data="images"),
    "tokens": Example(TOKENS.format(labels=SHUFFLED)),
}


@pytest.mark.parametrize("cause", LOOK_ALIKES)
def test_each_cause_of_chance_gets_its_own_name(cause: str, bench: Bench, tmp_path: Path) -> None:
    report = bench.diagnose(LOOK_ALIKES[cause], tmp_path / "run", Settings(experiments="off"))
    roots = [finding.rule for finding in report.findings if finding.explained_by is None]
    assert [cause] == roots[:1]
    assert set() == set(roots[1:]) & set(LOOK_ALIKES)


def test_a_program_that_learns_has_none_of_them(bench: Bench, tmp_path: Path) -> None:
    learning = Example(NETWORK.replace("epochs=8", "epochs=25"))
    report = bench.diagnose(learning, tmp_path / "run", Settings(experiments="off"))
    assert [] == [finding.rule for finding in report.findings if finding.severity != "note"]


@pytest.mark.parametrize("kind", NO_TABLES)
def test_labels_of_other_rows_are_recognised_in_images_and_tokens_too(kind: str, bench: Bench, tmp_path: Path) -> None:
    report = bench.diagnose(NO_TABLES[kind], tmp_path / "run", Settings(experiments="off"))
    assert "misaligned-labels" in [finding.rule for finding in report.findings if finding.explained_by is None]


def test_noise_in_tokens_is_called_no_signal_and_never_confirmed(bench: Bench, tmp_path: Path) -> None:
    both = "y, y_val = (rng.permutation(a) for a in (y, y_val))"
    report = bench.diagnose(Example(TOKENS.format(labels=both)), tmp_path / "run", Settings(budget=30, only=SILENT))
    assert [("no-signal", "likely")] == [(finding.rule, finding.confidence) for finding in report.findings]


NEXT = """
class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 13

    def __getitem__(self, i):
        return x[32 * i : 32 * i + 32], y[32 * i + {ahead} : 32 * i + 32 + {ahead}]
""" + NETWORK.replace("fit(x, y,", "fit(Batches(),")


@pytest.mark.parametrize("ahead", [0, 1])
def test_batches_with_the_labels_of_the_next_row(ahead: int, bench: Bench, tmp_path: Path) -> None:
    report = bench.diagnose(Example(NEXT.format(ahead=ahead)), tmp_path / "run", Settings(experiments="off"))
    roots = [finding.rule for finding in report.findings if finding.severity != "note"]
    assert ahead * ["misaligned-labels"] == roots


SAME_BATCH = (
    NETWORK.partition("model.fit")[0]
    + """
for step in range(200):
    model.train_on_batch(x[:32], y[:32])
"""
)


def test_where_nothing_was_held_out_there_is_no_leak(bench: Bench, tmp_path: Path) -> None:
    report = bench.diagnose(Example(SAME_BATCH), tmp_path / "run", Settings(experiments="off"))
    assert [] == [finding.rule for finding in report.findings if finding.code.startswith("LEK")]


@pytest.mark.parametrize("code", [IMAGES, TOKENS.format(labels="")])
def test_images_and_tokens_with_their_own_labels_are_not_accused(code: str, bench: Bench, tmp_path: Path) -> None:
    example = Example(code, data="images" if code is IMAGES else "two-classes")
    report = bench.diagnose(example, tmp_path / "run", Settings(experiments="off"))
    assert not {*SILENT, "misaligned-labels"} & {finding.rule for finding in report.findings}
