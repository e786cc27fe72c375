from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from unstuck.record import custom
from unstuck.record.launch import run_script
from unstuck.record.recorded import read_run

SCRIPT = """
import numpy as np
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
rng = np.random.default_rng(0)
X, y = rng.normal(size=(40, 6)), rng.integers(0, 2, 40)
X = StandardScaler().fit_transform(X)
X = SelectKBest(f_classif, k=3).fit_transform(X, y)
parts = train_test_split(X, y, test_size=10)
print(float(sum(part.sum() for part in parts)), np.random.rand())
"""


class Doubler(TransformerMixin, BaseEstimator):
    def fit(self, x, y=None):
        self.seen_ = len(x)
        return self

    def transform(self, x):
        return x * 2


class Oversampler(BaseEstimator):
    def fit_resample(self, x, y):
        return np.concatenate([x, x]), np.concatenate([y, y])


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(40, 6)), rng.integers(0, 2, 40)


def test_a_script_prints_the_same_with_and_without_the_hooks(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "script.py"
    script.write_text("import numpy as np\nnp.random.seed(3)\n" + SCRIPT)
    plain = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True).stdout
    capfd.readouterr()
    recording = run_script(script, root=tmp_path)
    assert (0, plain) == (recording.status, capfd.readouterr().out)


def test_split_and_fit_are_recorded_in_order_with_the_lines_they_were_called_on(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    run = read_run(run_script(script, root=tmp_path).folder)
    seen = [
        (e.body["operation"], e.body.get("estimator"), e.body["site"]["line"]) for e in run.events if e.kind == "flow"
    ]
    assert [("fit_transform", "StandardScaler", 8), ("fit_transform", "SelectKBest", 9), ("split", None, 10)] == seen


def test_the_parts_of_a_split_have_the_fingerprints_of_the_rows_they_came_from(program) -> None:
    x, y = data()
    program.split(x, y)
    arrays = program.case().run.arrays("flow-1")
    parts = np.concatenate([arrays["part0-hash"], arrays["part1-hash"]])
    assert sorted(arrays["in-hash"].tolist()) == sorted(parts.tolist())
    assert (10, 6) == arrays["other-x"].shape
    assert (10,) == arrays["other-y"].shape


def test_a_pandas_frame_has_the_fingerprints_of_its_values(program) -> None:
    pandas = pytest.importorskip("pandas")
    x, _ = data()
    StandardScaler().fit(pandas.DataFrame(x, columns=list("abcdef")))
    StandardScaler().fit(x)
    first, second = (program.case().run.arrays(f"flow-{i}")["in-hash"] for i in (1, 2))
    assert first.tolist() == second.tolist()
    assert list("abcdef") == program.flow()[0]["columns"]


def test_calls_inside_other_estimators_are_not_recorded(program) -> None:
    x, y = data()
    make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
    RandomForestClassifier(n_estimators=2).fit(x, y)
    assert [] == program.flow()


def test_a_transformer_of_the_person_is_recorded_once_a_call(program) -> None:
    x, _ = data()
    Doubler().fit_transform(x)
    assert [("fit_transform", "Doubler")] == [(b["operation"], b["estimator"]) for b in program.flow()]


def test_a_resampler_is_recorded_with_its_output_rows(program) -> None:
    x, y = data()
    Oversampler().fit_resample(x, y)
    body = program.flow()[0]
    assert ("fit_resample", 40, 80, True) == (body["operation"], body["rows"], body["output_rows"], body["labels"])


def test_in_place_scaling_is_recorded_with_the_rows_before_it(program) -> None:
    x, _ = data()
    before = x.copy()
    StandardScaler(copy=False).fit_transform(x)
    assert not np.array_equal(before, x)
    assert np.array_equal(before, program.case().run.arrays("flow-1")["in-x"])


def test_a_generator_is_left_for_the_transformer(program) -> None:
    words = CountVectorizer().fit(text for text in ("one two", "two three"))
    assert ["one", "three", "two"] == sorted(words.vocabulary_)
    assert program.flow()[0]["left_out"]


def test_the_kept_estimator_is_configured_alike_and_not_fitted(program) -> None:
    x, y = data()
    SelectKBest(f_classif, k=2).fit(x, y)
    kept = custom.load(program.recorder.folder, "flow-1")
    assert 2 == kept.k
    assert not hasattr(kept, "scores_")
    assert (40, 2) == clone(kept).fit_transform(x, y).shape


def test_objects_get_numbers_of_their_own_even_when_memory_is_used_again(program) -> None:
    x, _ = data()
    for _ in range(5):
        StandardScaler().fit(x)
    assert 5 == len({body["estimator_id"] for body in program.flow()})


def test_signatures_stay_visible(program) -> None:
    assert ["self", "X", "y", "sample_weight"] == list(inspect.signature(StandardScaler.fit).parameters)
    assert hasattr(StandardScaler.fit, "__wrapped__")


def test_a_wrapped_class_can_be_sent_to_another_process(program) -> None:
    import cloudpickle

    source = "from sklearn.base import BaseEstimator\nclass Own(BaseEstimator):\n def fit(self, X): return self\n"
    space: dict = {"__name__": "__main__"}
    exec(source, space)
    assert "Own" == type(cloudpickle.loads(cloudpickle.dumps(space["Own"]()))).__name__


def test_an_error_of_the_estimator_reaches_the_script_and_leaves_the_hooks_working(program) -> None:
    x, _ = data()
    with pytest.raises(ValueError, match="could not convert"):
        StandardScaler().fit([["a"], ["b"]])
    StandardScaler().fit(x)
    assert 1 == len(program.flow())


def test_a_fault_of_ours_does_not_reach_the_script(program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program.recorder.writer, "event", lambda *_, **__: 1 / 0)
    x, y = data()
    assert (40, 6) == StandardScaler().fit_transform(x).shape
    assert 4 == len(program.split(x, y))


def test_a_search_over_many_fits_is_recorded_up_to_a_limit_and_says_so(program, monkeypatch) -> None:
    from unstuck.record import sklearn_hooks

    monkeypatch.setattr(sklearn_hooks, "MAX_CALLS", 3)
    x, _ = data()
    for _ in range(6):
        StandardScaler().fit(x)
    assert 3 == len(program.flow())
    assert ["only the first 3 scikit-learn calls were recorded"] == [
        e.body["text"] for e in program.case().run.events if e.kind == "note"
    ]


def test_without_samples_only_fingerprints_are_kept(program) -> None:
    x, y = data()
    program.recorder.samples = False
    program.split(StandardScaler().fit_transform(x), y)
    run = program.case().run
    kept = {name for i in (1, 2) for name in run.arrays(f"flow-{i}")}
    assert {"in-hash", "out-hash", "in1-hash", "part0-hash", "part1-hash"} == kept


def test_the_global_random_state_is_not_touched(program) -> None:
    x, y = data()
    np.random.seed(5)
    StandardScaler().fit_transform(x)
    program.split(x, y)
    drawn = np.random.rand()
    np.random.seed(5)
    assert np.random.rand() == drawn
