"""Methods of library objects: transformers, resamplers, cross-validators, estimators, readers of folders."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from unstuck.source import command_line, frames, vocabulary
from unstuck.source import rows as row_sets
from unstuck.source.merging import as_data, via
from unstuck.source.story import Testing, Training
from unstuck.source.values import (
    NOTHING,
    Const,
    Data,
    Fitting,
    Folds,
    Items,
    Kind,
    Layer,
    RowIndex,
    Score,
    Statistic,
    Stop,
    Thing,
    Value,
    constant,
    named,
)

if TYPE_CHECKING:
    from unstuck.source.calls import Arguments
    from unstuck.source.reader import Reader

_FITS = ("fit", "partial_fit", "fit_generator", "train_on_batch")
_TRANSFORMS = (
    *("transform", "texts_to_sequences", "texts_to_matrix", "texts_to_sequences_generator", "sequences_to_matrix"),
)
_CHOICES = ("support_", "ranking_", "scores_", "pvalues_", "get_support")
_IMPORTANCES = ("feature_importances_", "coef_")
_CODINGS = {
    "LabelEncoder": "integer",
    "LabelBinarizer": "one-hot",
    "OneHotEncoder": "one-hot",
    "MultiLabelBinarizer": "multi-hot",
}
_ADAPTS = ("adapt", "fit_on_texts", "fit_on_sequences")


def kind_of(thing: Thing) -> Kind | None:
    """What a transformer keeps of the rows it is fitted on; None if it keeps nothing or is no transformer."""
    if thing.name in vocabulary.COMPOSED:
        kinds = [kind_of(step) for step in steps_of(thing)]
        order: tuple[Kind, ...] = ("selection", "encoding with labels", "statistics", "encoder")
        return next((kind for kind in order if kind in kinds), None)
    if named(thing.argument("strategy")) == "constant":  # an imputer that fills in what the code states
        return None
    return vocabulary.TRANSFORMERS.get(thing.name)


def steps_of(thing: Thing) -> list[Thing]:
    """The transformers and the estimator in a pipeline or a union."""
    found: list[Thing] = []
    waiting = list(reversed(list(thing.arguments.values())))
    while waiting:
        value = waiting.pop()
        if isinstance(value, Items):
            waiting += reversed(value.items)
        elif isinstance(value, Thing) and value.name:
            found.append(value)
    return found


def is_transformer(thing: Thing) -> bool:
    if thing.name == "Pipeline":
        steps = steps_of(thing)
        return not steps or is_transformer(steps[-1])
    known = vocabulary.TRANSFORMERS.keys() | vocabulary.HARMLESS | vocabulary.COMPOSED
    return thing.name in known


def method(reader: Reader, thing: Thing, name: str, arguments: Arguments) -> Value | None:
    """The value of `thing.name(...)`; None if it is nothing that is known of objects."""
    node = arguments.node
    assert node is not None
    if thing.name == "ArgumentParser":
        return command_line.method(reader, thing, name, arguments)
    if name == "split" and (thing.name in vocabulary.SPLITTERS or _looks_like_splitter(thing, node)):
        return _folds(thing, arguments)
    if name in ("fit_resample", "fit_sample") or (name == "fit_transform" and thing.name in vocabulary.RESAMPLERS):
        return _resampled(reader, thing, arguments)
    if name == "fit_transform":
        return _fit_transform(reader, thing, arguments)
    if name in _TRANSFORMS:
        return _transformed(thing, name, arguments)
    if name in _ADAPTS or (name == "fit" and (is_transformer(thing) or thing.name in ("ImageDataGenerator",))):
        fit_transformer(reader, thing, name, arguments)
        return thing
    if name in _FITS:
        train(reader, thing, name, arguments)
        if thing.name in vocabulary.PROJECTIONS_WITH_LABELS:
            fit_transformer(reader, thing, name, arguments)
        return thing
    if name in vocabulary.PREDICTIONS | vocabulary.SCORES:
        return test(reader, thing, name, arguments)
    if name in _CHOICES:
        return chosen_by(thing, name, node)
    if name == "fit_predict":
        return as_data(arguments.get("X", 0))
    if name == "shuffle" and len(node.args) == 1 and isinstance(node.args[0], ast.Name):
        return frames.shuffle_in_place(reader, arguments)
    if name == "permutation" and isinstance(arguments.get("x", 0), (Thing, Const)):
        return Data(row_sets.source(reader.fresh("order")), drawn=reader.story.draws_order(node))
    return _read_folder(reader, thing, name, arguments)


def chosen_by(thing: Thing, name: str, node: ast.AST) -> Statistic | None:
    """What a fitted selector or model says of the columns: choosing by it is a selection with labels."""
    if name in _CHOICES and thing.fitted is not None and thing.fitted.kind == "selection":
        return Statistic(thing.fitted)
    last = thing.attributes.get("(training)")
    if name in _IMPORTANCES and isinstance(last, Trained) and last.training.x is not None:
        x = last.training.x
        return Statistic(Fitting(name, "selection", node, x.rows, via(x, Stop(name, node)).trail))
    return None


def _looks_like_splitter(thing: Thing, node: ast.Call) -> bool:
    return not thing.name and isinstance(node.func, ast.Attribute) and "fold" in ast.unparse(node.func.value).lower()


def _folds(thing: Thing, arguments: Arguments) -> Value:
    split = ("folds", arguments.node)
    return Folds(
        Items([RowIndex(sides=frozenset({(split, "train")})), RowIndex(sides=frozenset({(split, "test")}))]),
    )


def _resampled(reader: Reader, thing: Thing, arguments: Arguments) -> Value:
    x, y = as_data(arguments.get("X", 0)), as_data(arguments.get("y", 1))
    if x is None or arguments.node is None:
        return Items([reader.unknown(), reader.unknown()])
    if thing.name and thing.name not in vocabulary.RESAMPLERS:
        return Items([x, y or x])
    made = frames.fitted_on(x, thing.name or "fit_resample", "resampling", arguments.node)
    reader.story.fittings.append(made)
    stop = Stop(f"{made.name}.{_method_name(arguments)}", arguments.node)
    copied = via(replace(x, copies=x.copies | {made}), stop)
    return Items([copied, replace(y, copies=y.copies | {made}) if y else copied])


def _method_name(arguments: Arguments) -> str:
    func = arguments.node.func if arguments.node else None
    return func.attr if isinstance(func, ast.Attribute) else ""


def fit_transformer(reader: Reader, thing: Thing, name: str, arguments: Arguments) -> None:
    """Note on which rows a transformer was fitted."""
    x = as_data(arguments.positional[0] if arguments.positional else next(iter(arguments.named.values()), None))
    labelled = len(arguments.positional) > 1 or "y" in arguments.named
    kind = kind_of(thing)
    if thing.name in vocabulary.PROJECTIONS_WITH_LABELS:
        kind = "encoding with labels"
    if kind == "encoding with labels" and not labelled:
        kind = "statistics"
    if not thing.name and name == "fit_on_texts":
        kind = "statistics"
    if isinstance(thing, Layer):
        reader.story.adapted.add(id(thing))
    if name in _ADAPTS and "(numbered)" in thing.attributes and thing.node is not None and arguments.node is not None:
        reader.story.refitted.append((thing, thing.node, arguments.node))
    if x is None or kind is None or arguments.node is None:
        return
    title = thing.name or "Tokenizer"
    made = frames.fitted_on(x, title, kind, arguments.node)
    made.trail = via(x, Stop(f"{title}.{name}", arguments.node)).trail
    thing.fitted = made
    reader.story.fittings.append(made)


def _fit_transform(reader: Reader, thing: Thing, arguments: Arguments) -> Value:
    x = as_data(arguments.get("X", 0))
    if x is None and arguments.positional:
        x = as_data(arguments.positional[0])
    if x is None:
        return reader.unknown()
    if thing.name in vocabulary.PROJECTIONS_WITH_LABELS or is_transformer(thing):
        fit_transformer(reader, thing, "fit_transform", arguments)
    return _transformed(thing, "fit_transform", arguments)


def _transformed(thing: Thing, name: str, arguments: Arguments) -> Value:
    x = as_data(arguments.positional[0] if arguments.positional else next(iter(arguments.named.values()), None))
    if x is None or arguments.node is None:
        return Thing()
    stop = Stop(f"{thing.name or _receiver(arguments)}.{name}", arguments.node)
    coding = _CODINGS.get(thing.name, "")
    if name.startswith("texts_to"):
        thing.attributes["(numbered)"] = NOTHING
    kept = x.columns if thing.name in vocabulary.COLUMN_BY_COLUMN else None
    moved = replace(x, columns=kept, column=x.column, coding=coding, table=x.table and kept is None)
    if thing.fitted is None and thing.name in vocabulary.SELECTORS:
        thing.fitted = _of_trained(thing, arguments.node)
    if thing.fitted is None:
        return via(moved, stop) if thing.name and kind_of(thing) else moved
    return via(frames.tainted(moved, thing.fitted, x.column), stop)


def _of_trained(selector: Thing, node: ast.Call) -> Fitting | None:
    """`SelectFromModel(model, prefit=True)` chooses by what the model was trained on."""
    model = selector.argument("estimator", 0)
    trained = model.attributes.get("(training)") if isinstance(model, Thing) else None
    x = trained.training.x if isinstance(trained, Trained) else None
    return frames.fitted_on(x, selector.name, "selection", node) if x is not None else None


def _receiver(arguments: Arguments) -> str:
    func = arguments.node.func if arguments.node else None
    return ast.unparse(func.value) if isinstance(func, ast.Attribute) else ""


def train(reader: Reader, model: Thing, name: str, arguments: Arguments) -> Training | None:
    """Note a call of `fit` of something that learns."""
    node = arguments.node
    first = arguments.get("x", 0) or arguments.get("X") or arguments.get("generator")
    x = as_data(first)
    if node is None or (x is None and not isinstance(model, Layer)):
        return None
    held = next((k.value for k in node.keywords if k.arg == "validation_split"), None)
    folds = tuple(number for number, is_fold in reader.loops if is_fold)
    made = Training(
        model=model,
        node=node,
        name=name,
        x=x,
        y=arguments.get("y", 1),
        validation=_validation(arguments.get("validation_data")),
        held_back=held if constant(arguments.get("validation_split"), 1) else None,
        inside=model.name in vocabulary.SEARCHES,
        selects=_selecting(arguments.get("callbacks")),
        rescheduled=_rescheduling(arguments.get("callbacks")),
        loops=reader.open_loops,
        folds=folds,
        arguments=arguments.by_name(),
    )
    reader.story.trainings.append(made)
    if isinstance(made.y, Data) and made.y.column:
        reader.story.label_columns.add(made.y.column)
    model.attributes["(training)"] = Trained(made)
    return made


class Trained(Value):
    """What a model remembers of its last training."""

    def __init__(self, training: Training) -> None:
        self.training = training


def _validation(value: Value | None) -> Data | None:
    if isinstance(value, Items) and value.items:
        return as_data(value.items[0])
    return as_data(value)


def _selecting(value: Value | None) -> tuple[str, ...]:
    """Callbacks that keep the weights which were best on the validation rows."""
    callbacks = value.items if isinstance(value, Items) else [value]
    found = []
    for callback in callbacks:
        if isinstance(callback, Thing) and callback.name in vocabulary.SELECTING_CALLBACKS:
            monitor = named(callback.argument("monitor", 0 if callback.name == "EarlyStopping" else 1)) or "val_loss"
            wanted = callback.name == "EarlyStopping" or constant(callback.argument("save_best_only")) is True
            if wanted and monitor.startswith("val"):
                found.append(callback.name)
    return tuple(found)


def _rescheduling(value: Value | None) -> bool:
    """Whether some callback is, or may be, one that sets the learning rate."""
    if value is None or isinstance(value, Const):
        return False
    callbacks = value.items if isinstance(value, Items) else [value]
    return any(not isinstance(c, Thing) or c.name in ("", "LearningRateScheduler") or c.cls for c in callbacks)


def test(reader: Reader, model: Thing, name: str, arguments: Arguments) -> Value:
    """Note a call of `predict`, `evaluate` or `score`."""
    first = arguments.positional[0] if arguments.positional else None
    first = first or arguments.get("x") or arguments.get("X") or arguments.get("generator")
    x = as_data(first)
    if x is None or arguments.node is None:
        return reader.unknown()
    last = model.attributes.get("(training)")
    training = last.training if isinstance(last, Trained) else None
    scored = name in vocabulary.SCORES
    made = Testing(model, arguments.node, name, x, training, scored, loops=reader.open_loops)
    reader.story.testings.append(made)
    if made.scored:
        return Score(frozenset({made}))
    return replace(x, columns=None, column=None, tests=frozenset({made}), taints=frozenset(), table=False, coding="")


def _read_folder(reader: Reader, thing: Thing, name: str, arguments: Arguments) -> Value | None:
    """`ImageDataGenerator.flow*`."""
    node = arguments.node
    if node is None or name not in ("flow", "flow_from_directory", "flow_from_dataframe"):
        return None
    maker = Thing(name, f"keras.{name}", node, thing.arguments | arguments.by_name(), arguments.complete)
    subset = named(arguments.get("subset"))
    if name == "flow_from_directory":
        folder = arguments.get("directory", 0)
        read = Data(row_sets.source(("folder", folder_key(reader, folder, node))))
        mode = "categorical" if arguments.get("class_mode") is None else named(arguments.get("class_mode"))
        coding = {"categorical": "one-hot", "sparse": "integer", "binary": "binary"}.get(mode, "")
        read = replace(read, coding=coding)
    else:
        known = as_data(arguments.get("x", 0) if name == "flow" else arguments.get("dataframe", 0))
        if known is None:
            return reader.unknown()
        read = known
    if subset:
        read = replace(read, rows=row_sets.part(read.rows, "subset", subset))
    return via(replace(read, generator=maker, table=False, columns=None), Stop(name, node))


def folder_key(reader: Reader, folder: Value | None, node: ast.Call) -> object:
    """Two readers of a folder read the same files if the path is the same constant or the same variable's value."""
    if isinstance(folder, Const):
        return folder.value
    if isinstance(folder, Thing) and folder.origin is not None:
        return folder.origin
    if isinstance(folder, Data):
        return ("data", folder.rows)
    return reader.fresh("folder")
