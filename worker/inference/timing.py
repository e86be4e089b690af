"""Telling an observer how long something took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from worker.inference.observer import Observer, Stage


@contextmanager
def timed(observer: Observer, stage: Stage) -> Iterator[None]:
    """Tell the observer the length of the block, also where it raises."""
    began = time.perf_counter()
    try:
        yield
    finally:
        observer.took(stage, time.perf_counter() - began)
