"""The observer of a pipeline: durations and batches. Inference itself knows nothing of metrics."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Protocol


class Stage(StrEnum):
    """The steps of a pipeline that take time."""

    DOWNLOAD = "download"  # The fetch of one image, without the wait for memory.
    DECODE = "decode"  # One image, from encoded bytes to the model's input.
    PREDICT = "predict"  # One call of the model, with one batch.


class Observer(Protocol):
    """An observer is called from several threads at once, hundreds of times a second: be quick, and raise nothing."""

    def took(self, stage: Stage, seconds: float) -> None:
        """Record the duration of a stage, also of one that failed."""

    def batch(self, images: int, size: int) -> None:
        """Record a call of the model with ``images``, of at most ``size``."""


class NullObserver:
    """An observer that records nothing."""

    def took(self, stage: Stage, seconds: float) -> None:
        """See ``Observer.took``."""

    def batch(self, images: int, size: int) -> None:
        """See ``Observer.batch``."""


@contextmanager
def timed(observer: Observer, stage: Stage) -> Iterator[None]:
    """Report the duration of the block to the observer, also if it raises."""
    began = time.perf_counter()
    try:
        yield
    finally:
        observer.took(stage, time.perf_counter() - began)
