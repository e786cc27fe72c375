"""Early stopping that takes progress for the lack of it."""

from __future__ import annotations

from collections.abc import Iterator

from unstuck.source.sighting import Sighting, argument_node
from unstuck.source.story import Story
from unstuck.source.values import Thing, constant, named

CODE = "OPT109"
_RISING = ("acc", "auc", "precision", "recall", "f1", "iou", "dice", "r2")
_FALLING = ("loss", "mae", "mse", "rmse", "error", "crossentropy")


def sightings(story: Story) -> Iterator[Sighting]:
    told: set[int] = set()
    for training in story.trainings:
        for callback in training.callbacks:
            if not isinstance(callback, Thing) or callback.name != "EarlyStopping" or callback.node is None:
                continue
            monitor, mode = named(callback.argument("monitor", 0)) or "val_loss", constant(callback.argument("mode", 4))
            wrong = _direction(monitor)
            if id(callback) in told or wrong is None or mode not in ("min", "max") or mode == wrong:
                continue
            told.add(id(callback))
            verb = "rises" if wrong == "max" else "falls"
            yield Sighting(
                node=argument_node(callback, "mode", 4),
                message=f'{monitor} {verb} as the network learns, and mode="{mode}" takes that for a step back',
                label="the other direction",
                related=((training.node, "stops after `patience` epochs of progress"),),
                severity="error",
                conclusion="training ends while it goes well, and the weights of the worst epoch count as the best",
                help=f'use mode="{wrong}"',
                edits=((argument_node(callback, "mode", 4), f'"{wrong}"'),),
            )


def _direction(monitor: str) -> str | None:
    """`max` for what rises in good training, `min` for what falls; None if the name does not tell."""
    rises = any(word in monitor.lower() for word in _RISING)
    falls = any(word in monitor.lower() for word in _FALLING)
    return None if rises == falls else "max" if rises else "min"
