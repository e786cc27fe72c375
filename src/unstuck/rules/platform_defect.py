"""NUM107: a device or driver that computes something else."""

from __future__ import annotations

from unstuck.measure.case import Missing
from unstuck.measure.room import Room
from unstuck.rules.rule import Example, Judgement, NotApplicable, Rule


class PlatformDefect(Rule):
    """
    What it finds:
    Nothing by itself: a run cannot tell a wrong kernel from a wrong program. It says what would decide it.

    Why training stops:
    Now and then an accelerator's kernel is wrong for some shapes or types: gradients that are zero, sums that are
    stale. tensorflow-metal has been the most frequent case.

    What you see:
    The same script with the same seed learns on the CPU and not on the accelerator.

    How it is proven:
    By running it on the CPU (`CUDA_VISIBLE_DEVICES=-1`, or without tensorflow-metal) and comparing the two records. The
    trials run on the CPU as well: when they do not show what was recorded, the report says so.

    When to ignore it:
    When the CPU shows the same.

    References:
    tensorflow/tensorflow issue 61772; keras-team/tf-keras issue 140; apple/tensorflow_macos issue 119.
    """

    code = "NUM107"
    severity = "note"
    sick = Example("model = keras.Sequential([keras.layers.Dense(1)])", backends=())
    healthy = Example("model = keras.Sequential([keras.layers.Dense(1)])", backends=())

    def check(self, room: Room | None) -> Judgement:
        if room is not None and not room.exists:
            return NotApplicable("the run learnt what there is to learn on this device")
        raise Missing("the same run on another device", "run the script again on the CPU, with the same seed")
