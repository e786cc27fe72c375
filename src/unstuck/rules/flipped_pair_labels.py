"""Similar and dissimilar confused in the labels of pairs."""

from __future__ import annotations

from unstuck.measure.case import Missing
from unstuck.measure.setup import Setup
from unstuck.rules.rule import Cleared, Example, NotApplicable, Rule, Suspect


class FlippedPairLabels(Rule):
    """The labels of pairs say 1 for similar, and the loss reads 1 as dissimilar, or the other way round.

    What it finds
    Nothing by itself yet: whether 1 means similar is written nowhere in a run. A contrastive loss of your own is named
    as not checked, with what would decide.

    Why training stops
    Similar pairs are pushed apart and dissimilar ones pulled together. If all pairs of a batch are "similar" to the
    loss, everything falls on one point and the loss is 0.

    What you see
    A loss of 0, or constant at half the squared margin (0.5 for a margin of 1), and distances that are larger for
    similar pairs.

    How it is proven
    Compare the mean distance of the pairs by label: it must be smaller for those you call similar. Then train once with
    1 - y.

    When to ignore it
    When the mean distances are in the right order.

    References
    Hadsell, Chopra and LeCun 2006, "Dimensionality Reduction by Learning an Invariant Mapping" (0 is similar there).
    keras-team/keras#1866; keras-team/keras#4387; keras-team/keras#16935.
    """

    code = "OBJ103"
    severity = "warning"
    sick = Example(
        """
def contrastive_loss(similar, distance):
    near = similar * keras.ops.square(distance)
    return near + (1 - similar) * keras.ops.square(keras.ops.relu(1.0 - distance))

model.compile("adam", loss=contrastive_loss)
model.fit([first, second], labels_first != labels_second)  # 1 for dissimilar pairs
""",
        backends=(),
    )
    healthy = Example(
        """
def contrastive_loss(similar, distance):
    near = similar * keras.ops.square(distance)
    return near + (1 - similar) * keras.ops.square(keras.ops.relu(1.0 - distance))

model.compile("adam", loss=contrastive_loss)
model.fit([first, second], labels_first == labels_second)  # 1 for similar pairs
""",
        backends=(),
    )

    def check(self, setup: Setup) -> Cleared | NotApplicable | Suspect:
        if not setup.loss.custom or "contrastive" not in setup.loss.name.lower():
            return NotApplicable("the loss is not one of pairs")
        raise Missing("which label means similar", "compare the mean distance of the pairs by label")
