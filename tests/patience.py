"""How long a test waits for something that must come.

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


def wait_for(look: Callable[[], T], reached: Callable[[T], bool], seconds: float = PATIENCE_SECONDS) -> T:
    """Look until it is as wanted; fail with what was seen last."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if reached(seen):
            return seen
        assert time.monotonic() < deadline, f"not within {seconds} s; last seen: {seen}"
        time.sleep(0.05)
