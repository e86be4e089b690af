"""The patience of tests with something that must come, and the one function that waits until something is true.

The bound ends a hang, and says nothing of speed: what comes earlier is not waited for. On a machine that does ten other
things a start of TensorFlow takes minutes instead of seconds, so whoever waits in a test waits for this long. A test
whose meaning is that something is *not* waited for takes an event or a clock of its own, and no shorter bound.
``timeout`` of pytest (``pyproject.toml``) lies above it, so that the failure says what was missing.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 240.0
PAUSE_SECONDS = 0.02


def wait_for(
    read: Callable[[], T],
    reached: Callable[[T], object] = bool,
    seconds: float = PATIENCE_SECONDS,
    *,
    not_yet: tuple[type[Exception], ...] = (),
) -> T:
    """Read until it is as wanted and return what was read; an exception of ``not_yet`` counts as not reached.

    Raises:
        AssertionError: it was not reached within so many seconds; says what was read last.
    """
    deadline = time.monotonic() + seconds
    while True:
        last: object
        try:
            last = seen = read()
        except not_yet as error:
            last = error
        else:
            if reached(seen):
                return seen
        assert time.monotonic() < deadline, f"not within {seconds} s; last seen: {last!r}"
        time.sleep(PAUSE_SECONDS)
