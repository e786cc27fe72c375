"""Two copies of Keras in one program, whose layers do not know each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from unstuck.source.sighting import Sighting
from unstuck.source.story import Story
from unstuck.source.values import Class

CODE = "API114"
_OTHERS = ("tf_keras", "tensorflow.python.keras")
"""Copies that Keras 3 and `tf.keras` know nothing of; the second is private and no longer kept."""


def sightings(story: Story) -> Iterator[Sighting]:
    if not story.contracts and not story.trainings:
        return
    plain = [(name, node) for name, node in story.imports.items() if _under(name, ("keras", "tensorflow.keras"))]
    for name, node in story.imports.items():
        if plain and _under(name, _OTHERS):
            copy = next(other for other in _OTHERS if _under(name, (other,)))
            yield Sighting(
                node=node,
                message=f"{copy} and {plain[0][0].partition('.keras')[0]} are two copies of Keras",
                label="another copy",
                related=((plain[0][1], "one copy"),),
                conclusion="a layer, optimiser or callback of one copy is none to the other: weights go missing, or an"
                " error says that only instances of Layer can be added",
                help="import everything from keras",
            )
            return
    if not any(_under(name, ("keras",)) for name in story.imports):
        return  # in tf.keras 2 such a variable is a weight
    for cls in story.classes:
        variables = _foreign(cls) if "train_step" not in cls.methods else None
        if variables is not None and any(base.endswith(("Layer", "Model")) for base in cls.bases):
            yield Sighting(
                node=variables,
                message=f"{cls.node.name} keeps a tf.Variable, and Keras 3 knows its own variables only",
                label="no weight of the layer",
                conclusion="it is given to no optimiser and stays as it was made",
                help="make it with self.add_weight",
            )


def _foreign(cls: Class) -> ast.Call | None:
    """A `self.name = tf.Variable(...)` that is meant to be trained."""
    for node in ast.walk(cls.node):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        kept = any(isinstance(t, ast.Attribute) and ast.unparse(t.value) == "self" for t in node.targets)
        constant = any(k.arg == "trainable" and ast.unparse(k.value) == "False" for k in node.value.keywords)
        if kept and not constant and ast.unparse(node.value.func) in ("tf.Variable", "tensorflow.Variable"):
            return node.value
    return None


def _under(name: str, homes: tuple[str, ...]) -> bool:
    return any(name == home or name.startswith(home + ".") for home in homes)
