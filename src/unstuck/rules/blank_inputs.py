"""Inputs that are the same for every row."""

from __future__ import annotations

import numpy as np

from unstuck.experiments.interventions.rows import DropRows
from unstuck.finding import Evidence, Fix, Location
from unstuck.measure.data import Data
from unstuck.measure.leakage.rows import Rows
from unstuck.measure.replay import Replay
from unstuck.measure.seen import gathered, loss_at_chance, same_answer
from unstuck.measure.setup import Setup
from unstuck.measure.skill import Skill
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect

ENOUGH_ROWS = 10
"""Fewer rows may well be one on purpose (fitting a network to a single image)."""
MANY = 0.2
"""Share of blank images from which they are no longer the odd frame before the lens was open."""


class BlankInputs(Rule):
    """The inputs hold nothing: every row is the same, or many images are one flat colour.

    What it finds
    Training inputs whose rows are all equal (images that were not found and became zeros, one image repeated), and
    images of one colour in a fifth of the rows or more.

    Why training stops
    A network answers equal inputs equally. With one input for all rows the best it can do is the base rate; blank rows
    among others teach it that nothing means everything.

    What you see
    A plateau at the entropy or variance of the labels from the start, the same prediction for every row; loss 0 when
    the labels are zeros too.

    How it is proven
    By comparing the rows. Where only some are blank, the same network is trained with other rows in their place.

    When to ignore it
    When blank images are data: empty frames that have a label of their own.

    References
    githubharald/SimpleHTR#92; bubbliiiing/dcgan-keras#6.
    """

    code = "DAT206"
    severity = "error"
    echo_of = ("integer-dtype-accident", "empty-batches")
    sick = Example(
        """
images, images_val = np.zeros_like(x), np.zeros_like(x_val)
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, y, epochs=3, validation_data=(images_val, y_val), verbose=0)
""",
        data="images",
    )
    healthy = Example(
        """
model = keras.Sequential([
    keras.layers.Flatten(),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=20, validation_data=(x_val, y_val), verbose=0)
""",
        data="images",
    )

    def check(
        self, setup: Setup, data: Data, rows: Rows | None, replay: Replay | None, skill: Skill | None
    ) -> Cleared | NotApplicable | Suspect:
        if data.rows < ENOUGH_ROWS:
            return NotApplicable(f"{data.rows} rows are too few to expect different ones")
        if all((array == array[:1]).all() for array in data.x):
            return self._all(setup, data, rows, replay, skill)
        blank = _flat_images(data.x)
        share = float(blank.mean())
        if share < MANY:
            return Cleared(f"{share:.0%} of the rows are blank", share, MANY)
        positions = tuple(np.flatnonzero(blank[data.fit_rows]).tolist())
        return Suspect(
            message=f"{share:.0%} of the training images are blank",
            location=_inputs(setup),
            evidence=gathered(
                Evidence(
                    measure="blank-rows",
                    text=f"{int(blank.sum())} of {len(blank)} images have one value in every pixel",
                    value=int(blank.sum()),
                    of=len(blank),
                ),
                loss_at_chance(skill),
            ),
            cures=(DropRows("blank images", positions),),
            leads_to=("no-signal", "contradictory-labels", "model-too-small", "memorising"),
        )

    def _all(
        self, setup: Setup, data: Data, rows: Rows | None, replay: Replay | None, skill: Skill | None
    ) -> Cleared | Suspect:
        distinct = len(np.unique(rows.train)) if rows is not None else 1
        if distinct > 1:
            return Cleared(f"{distinct} of {data.rows} rows are different", distinct, 1)
        values = np.unique(np.concatenate([array[:1].reshape(-1) for array in data.x]).astype(np.float64))
        said = f"{values[0]:g} everywhere" if len(values) == 1 else "one row repeated"
        return Suspect(
            message=f"all {data.rows} training inputs are the same: {said}",
            confidence="proven" if rows is not None or len(data.x[0]) == data.rows else "likely",
            location=_inputs(setup),
            evidence=gathered(
                Evidence(
                    measure="distinct-inputs",
                    text=f"{data.rows} training rows, 1 distinct input",
                    value=1,
                    of=data.rows,
                ),
                same_answer(replay),
                loss_at_chance(skill),
            ),
            fix=Fix(
                title="look at what is loaded before fit: the files may not have been found",
                applicability="sketch",
                alternative="assert that the inputs vary: x.std(axis=0).max() > 0",
            ),
            conclusion="equal inputs get equal answers, so no weight can make the answers follow the labels",
            leads_to=(
                "no-signal",
                "constant-target",
                "contradictory-labels",
                "constant-feature-standardised",
                "class-imbalance",
                "model-too-small",
                "dying-relu",
                "dead-relu-output",
                "unscaled-inputs",
                "vanishing-gradient",
                "learning-rate-too-low",
                "too-few-updates",
                "zero-initialised-kernel",
                "rescaled-twice",
                "broadcast-loss",
                "sparse-targets",
                "everything-frozen",
            ),
        )


def _flat_images(inputs: tuple[np.ndarray, ...]) -> np.ndarray:
    """Rows in which every image holds one value only, (n,); tables and token sequences are never blank."""
    images = [array.reshape(len(array), -1) for array in inputs if array.ndim >= 3]
    if len(images) < len(inputs):
        return np.zeros(len(inputs[0]), dtype=bool)
    blank: np.ndarray = np.logical_and.reduce([(image == image[:, :1]).all(axis=1) for image in images])
    return blank


def _inputs(setup: Setup) -> Location | None:
    return setup.sources.argument(setup.sites["fit"], "x", 0, label="these inputs") or setup.fit_location()
