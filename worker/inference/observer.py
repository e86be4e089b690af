"""Who watches a pipeline at work. Inference itself knows of no metrics."""

from enum import StrEnum
from typing import Protocol


class Stage(StrEnum):
    """Where the time of a pipeline goes."""

    DOWNLOAD = "download"  # The fetch of one image, without the wait for memory.
    DECODE = "decode"  # One image, from encoded bytes to the model's input.
    PREDICT = "predict"  # One call of the model, with one batch.


class Observer(Protocol):
    """Is told from several threads at once, hundreds of times a second: it must be quick, and raise nothing."""

    def took(self, stage: Stage, seconds: float) -> None:
        """A stage took so long, also when it failed."""

    def batch(self, images: int, size: int) -> None:
        """The model is called with ``images``, where ``size`` would fit."""


class Nobody:
    """Watches nothing."""

    def took(self, stage: Stage, seconds: float) -> None:
        """See ``Observer.took``."""

    def batch(self, images: int, size: int) -> None:
        """See ``Observer.batch``."""
