"""Which fitted transformers saw held-out rows: the recorded data flow, followed backwards from fit's arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from unstuck.finding import Step
from unstuck.measure.case import Case, Missing
from unstuck.measure.code.source import Sources
from unstuck.measure.data import Data
from unstuck.measure.leakage.rows import Rows
from unstuck.measure.leakage.trace import match, seen, share
from unstuck.record import custom
from unstuck.record.recorded import Event

ON_THE_WAY = 0.5
"""From this share of the rows on, an event lies on their way; less is a chance equality of rows."""
SAW = 0.05
"""A transformer saw the held-out rows if it was fitted on this share of them; fewer may be natural copies."""
SUPERVISED = frozenset(
    {
        *("TargetEncoder", "LeaveOneOutEncoder", "CatBoostEncoder", "WOEEncoder", "JamesSteinEncoder"),
        *("LinearDiscriminantAnalysis", "QuadraticDiscriminantAnalysis", "NeighborhoodComponentsAnalysis"),
        *("PLSRegression", "PLSCanonical", "PLSSVD", "CCA", "MEstimateEncoder", "GLMMEncoder"),
        *("SelectKBest", "SelectPercentile", "SelectFromModel", "RFE", "RFECV", "SequentialFeatureSelector"),
    }
)
COMPOSED = frozenset({"Pipeline", "ColumnTransformer", "FeatureUnion"})


@dataclass(frozen=True)
class Fitted:
    """A transformer that was fitted on training and held-out rows together.

    Attributes:
        supervised: whether it used the labels.
        sequence: of the event in which it was fitted; site: of that call; name: the method that was called.
        saw, of: how many of the held-out rows it was fitted on. rows: all rows it was fitted on.
        split_site: the recorded split that came later, None for a split that was not recorded.
        flow: the way of the rows, in order of time.
    """

    estimator: str
    module: str
    name: str
    supervised: bool
    sequence: int
    rows: int
    saw: int
    of: int
    site: Mapping[str, Any] | None
    split_site: Mapping[str, Any] | None
    flow: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Stage:
    """One transformer on the way from the raw rows to the network.

    Attributes:
        estimator: as it was configured, not fitted. name: of its class.
        leaky: whether it saw held-out rows. supervised: whether it used the labels; labelled: was given them.
        at_once: whether its training rows went through `fit_transform`, which is not always `fit`, `transform`.
    """

    estimator: Any = field(repr=False, compare=False)
    name: str
    leaky: bool
    supervised: bool
    labelled: bool
    at_once: bool


@dataclass(frozen=True)
class Rerun:
    """What it takes to prepare the data again, honestly or as written.

    Attributes:
        raw: rows before the first transformer that saw held-out rows, (n, d).
        columns: their names when they came as a pandas frame.
        stages: all transformers from there to the network, in order.
        train, held: row of `raw` of each row of `Data.x` and `Data.held_x`.
        shuffled, stratified: how the recorded split was drawn; one that was not recorded counts as not shuffled.
    """

    raw: np.ndarray = field(repr=False, compare=False)
    columns: tuple[str, ...]
    stages: tuple[Stage, ...]
    train: np.ndarray = field(repr=False, compare=False)
    held: np.ndarray = field(repr=False, compare=False)
    shuffled: bool
    stratified: bool


@dataclass(frozen=True)
class Provenance:
    """The transformers that saw held-out rows before the split, in order of time; empty when there are none.

    Attributes:
        transformers: how many fitted transformers lie on the way of the rows in all.
        split_site: the call that split training from held-out rows, if it was recorded.
        rerun: None when the data cannot be prepared again; `why_not` says why.
        raw: fingerprints of all training, then all held-out rows before the first transformer on their way.
    """

    fitted: tuple[Fitted, ...]
    transformers: int = 0
    split_site: Mapping[str, Any] | None = None
    rerun: Rerun | None = None
    why_not: str = ""
    raw: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint64), repr=False, compare=False)

    @classmethod
    def of(cls, case: Case) -> Self:
        flow = [event for event in case.run.events if event.kind == "flow"]
        watched = "command" in case.run.meta  # `unstuck run` saw every call; a callback or `diagnose` sees none
        if not flow and not watched:
            raise Missing("the data before the split", "run the whole script with `unstuck run`")
        rows = case.get(Rows)
        if not flow or not len(rows.held):
            return cls(())
        walk = _Walk(case, rows)
        for event in reversed([event for event in flow if event.sequence < rows.until]):
            walk.back(event)
        if walk.lost and not walk.found:
            names = ", ".join(dict.fromkeys(walk.lost))
            raise Missing(f"rows that can be followed through {names}", "transform whole rows, not some columns")
        return cls(*walk.result())


class _Walk:
    """The walk backwards: `now` holds the fingerprints of training, then held-out rows at that point."""

    def __init__(self, case: Case, rows: Rows) -> None:
        self._case, self._rows = case, rows
        self.now = np.concatenate([rows.train, rows.held])
        self._count = len(rows.train)
        self._applied: dict[int, int] = {}
        """Estimators that the rows passed through, by when; their fit is still to come on the way back."""
        self.lost: list[str] = []
        """Transformers that were fitted on rows which are neither on the way nor known from it."""
        self._split: Event | None = None
        self._way: list[tuple[int, str, Mapping[str, Any] | None]] = []
        self._fitted: list[tuple[int, Event, Fitted | None]] = []
        self._origin: tuple[Event, np.ndarray] | None = None

    def back(self, event: Event) -> None:
        arrays = self._case.run.arrays(f"flow-{event.sequence}")
        operation = event.body.get("operation")
        if operation == "split":
            self._through_split(event, arrays)
            return
        if operation in ("transform", "fit_transform"):
            self._through_transform(event, arrays)
        if operation in ("fit", "fit_transform") and event.body["estimator_id"] in self._applied:
            self._through_fit(event, arrays, self._applied.pop(event.body["estimator_id"]))
        elif operation in ("fit", "fit_transform") and (event.body.get("width") or 0) > 1:
            known = share(self.now, arrays.get("in-hash", np.zeros(0, np.uint64)))
            if known < ON_THE_WAY and 2 * (event.body.get("rows") or 0) >= len(self.now):
                self.lost.append(event.body["estimator"])

    @property
    def found(self) -> bool:
        return bool(self._fitted)

    def _through_split(self, event: Event, arrays: Mapping[str, np.ndarray]) -> None:
        parts = arrays.get("part0-hash"), arrays.get("part1-hash")
        if parts[0] is None or parts[1] is None or self._split is not None:
            return
        train, held = self.now[: self._count], self.now[self._count :]
        for one, other in (parts, parts[::-1]):
            if one is not None and min(share(train, one), share(held, other)) >= ON_THE_WAY:  # type: ignore[arg-type]
                self._split = event
                self._way.append((event.sequence, "train_test_split", event.body.get("site")))
                return

    def _through_transform(self, event: Event, arrays: Mapping[str, np.ndarray]) -> None:
        before, after = arrays.get("in-hash"), arrays.get("out-hash")
        if before is None or after is None or len(before) != len(after):
            return
        index = match(self.now, after)
        late = event.sequence > self._case.fit.sequence
        groups = [slice(self._count, None)] if late else [slice(0, self._count), slice(self._count, None)]
        moved = np.zeros(len(self.now), bool)
        for group in groups:
            moved[group] = (index[group] >= 0) & ((index[group] >= 0).mean() >= ON_THE_WAY)
        if not moved.any():
            return
        self.now = np.where(moved, before[np.where(moved, index, 0)], self.now)
        self._applied.setdefault(event.body["estimator_id"], event.sequence)
        what = f"{event.body['estimator']}.{event.body['operation']}"
        self._way.append((event.sequence, what, event.body.get("site")))

    def _through_fit(self, event: Event, arrays: Mapping[str, np.ndarray], applied: int) -> None:
        table = arrays.get("in-hash")
        if table is None:
            return
        train, held = self.now[: self._count], self.now[self._count :]
        trained, saw = seen(train, held, table)
        if event.body["operation"] == "fit":
            self._way.append((event.sequence, f"{event.body['estimator']}.fit", event.body.get("site")))
        if not trained or saw < max(1, SAW * len(held)):
            self._fitted.append((applied, event, None))
            return
        found = Fitted(
            estimator=event.body["estimator"],
            module=event.body["module"],
            name=event.body["operation"],
            supervised=_uses_labels(event.body),
            sequence=event.sequence,
            rows=len(table),
            saw=saw,
            of=len(held),
            site=event.body.get("site"),
            split_site=self._split.body.get("site") if self._split else None,
        )
        self._fitted.append((applied, event, found))
        self._origin = (event, match(self.now, table))

    def result(self) -> tuple[Any, ...]:
        ordered = sorted(self._fitted, key=lambda entry: entry[:1])
        flow = self._steps()
        leaky = tuple(_with_flow(found, flow) for _, _, found in ordered if found)
        split = self._split.body.get("site") if self._split else None
        rerun, why_not = self._rerun(ordered) if leaky else (None, "")
        return leaky, len(ordered), split, rerun, why_not, self.now

    def _steps(self) -> tuple[Step, ...]:
        sources = self._case.get(Sources)
        way = sorted(self._way, key=lambda entry: entry[0])
        steps = [Step(text=text, location=sources.location(site)) for _, text, site in way]
        end = {"validation": "validation_data", "evaluate": "evaluate", "split": "fit"}[self._rows.held_kind]
        return (*steps, Step(text=end, location=sources.location(self._case.fit.body.get("site"))))

    def _rerun(self, ordered: list[tuple[int, Event, Fitted | None]]) -> tuple[Rerun | None, str]:
        assert self._origin is not None
        if self._case.fit.body.get("validation_split"):
            return None, "fit itself cut the validation rows off, not a split that can be drawn anew"
        first, index = self._origin
        arrays, data = self._case.run.arrays(f"flow-{first.sequence}"), self._case.get(Data)
        train = index[: self._count][self._rows.train_sample]
        held = index[self._count :][self._rows.held_sample]
        raw = arrays.get("in-x")
        if raw is None:
            return None, "the rows before the split were not kept (too large, or --no-samples)"
        if raw.dtype.kind not in "biuf":
            return None, "the rows before the split hold text"
        if (train < 0).any() or (held < 0).any() or len(data.x) != 1 or len(train) != len(data.y):
            return None, "some rows cannot be followed back to the rows before the split"
        began = next(i for i, (_, event, _) in enumerate(ordered) if event is first)
        stages = tuple(self._stage(event, found) for _, event, found in ordered[began:])
        if any(stage is None for stage in stages):
            return None, "a transformer could not be kept, or the run folder comes from elsewhere"
        split = self._split.body if self._split else {}
        return Rerun(
            raw=raw,
            columns=tuple(first.body.get("columns") or ()),
            stages=tuple(stage for stage in stages if stage),
            train=train,
            held=held,
            shuffled=bool(split.get("shuffle")),
            stratified=bool(split.get("stratify")),
        ), ""

    def _stage(self, event: Event, found: Fitted | None) -> Stage | None:
        estimator = custom.load(self._case.run.folder, f"flow-{event.sequence}")
        if estimator is None:
            return None
        return Stage(
            estimator=estimator,
            name=event.body["estimator"],
            leaky=found is not None,
            supervised=_uses_labels(event.body),
            labelled=bool(event.body.get("labels")),
            at_once=event.body["operation"] == "fit_transform",
        )


def _with_flow(found: Fitted, flow: tuple[Step, ...]) -> Fitted:
    return Fitted(**{**found.__dict__, "flow": flow})


def _uses_labels(body: Mapping[str, Any]) -> bool:
    if not body.get("labels"):
        return False
    name, module = body["estimator"], body["module"]
    if name in COMPOSED:
        return any(word in " ".join(body.get("params", {}).values()) for word in SUPERVISED)
    selector = module.startswith("sklearn.feature_selection") and name != "VarianceThreshold"
    return selector or name in SUPERVISED or module.startswith(("category_encoders.target", "boruta"))
