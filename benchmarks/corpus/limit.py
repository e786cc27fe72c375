"""A limit to how long a program may train in this process."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class TrainsTooLong(BaseException):
    """No `Exception`: what guards the training against mistakes of the recorder would catch it."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise `TrainsTooLong` after `seconds`, at the next return from compiled code, and each second from then on."""

    def stop(*_: object) -> None:
        raise TrainsTooLong(f"it trains for more than {seconds:.0f} s")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
