"""Measures of answers: right, F1, calibration, and what is sent to a person."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.accuracy.data import CLASSES
from tests.benchmarks.accuracy.groups import Indices
from tests.benchmarks.accuracy.judged import Answers
from worker.training.calibration import calibration_error


@dataclass(frozen=True, slots=True)
class Measures:
    """Answers beside the truth: ``labels`` (n,), ``len(CLASSES)`` for another disease; ``crop`` (n,).

    A share of nothing is NaN.
    """

    answers: Answers
    labels: Indices
    crop: Indices

    def __getitem__(self, chosen: Indices | NDArray[np.bool_]) -> "Measures":
        return Measures(self.answers[chosen], self.labels[chosen], self.crop[chosen])

    @property
    def known(self) -> NDArray[np.bool_]:
        """True for a picture of one of the classes."""
        return np.asarray(self.labels < len(CLASSES))

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """True for a right answer, whether it asks or not."""
        return np.asarray(self.answers.answer == self.labels)

    @property
    def count(self) -> int:
        """Pictures of the classes."""
        return int(self.known.sum())

    @property
    def right(self) -> float:
        """Share of right answers on pictures of the classes."""
        return share(self.is_right[self.known])

    @property
    def error(self) -> float:
        """Expected calibration error on pictures of the classes, in ten bins."""
        if not self.known.any():
            return float("nan")
        return calibration_error(self.answers.confidence[self.known], self.is_right[self.known])

    @property
    def right_sent(self) -> float:
        """Share of the right answers that are sent to a person."""
        return share(self.answers.asks[self.known & self.is_right])

    @property
    def wrong_sent(self) -> float:
        """Share of the wrong answers on pictures of the classes that are sent to a person."""
        return share(self.answers.asks[self.known & ~self.is_right])

    @property
    def other_sent(self) -> float:
        """Share of other diseases that are sent to a person."""
        return share(self.answers.asks[~self.known])

    @property
    def asks(self) -> float:
        """Share of the pictures of the classes that are sent to a person."""
        return share(self.answers.asks[self.known])

    @property
    def right_of_standing(self) -> float:
        """Share of right ones among the answers on pictures of the classes that are not sent to a person."""
        return share(self.is_right[self.known & ~self.answers.asks])

    @property
    def standing(self) -> int:
        """Pictures of the classes that are not sent to a person."""
        return int((self.known & ~self.answers.asks).sum())

    @property
    def crop_right(self) -> float:
        """Share of pictures whose crop is named rightly; NaN where none is named."""
        return share((self.answers.crop == self.crop)[self.answers.crop >= 0])

    def f1(self, label: int) -> float:
        """Return the harmonic mean of precision and recall on pictures of the classes; NaN without such a label."""
        answers, labels = self.answers.answer[self.known], self.labels[self.known]
        if not (labels == label).any():
            return float("nan")
        hit = int(((answers == label) & (labels == label)).sum())
        return 2 * hit / (int((answers == label).sum()) + int((labels == label).sum()))

    def reasons(self) -> str:
        """Return the reasons of those that ask, of pictures of the classes, most frequent first: ``blurred 0.50``."""
        found = Counter(str(r) for r in self.answers.reason[self.known] if r)
        return ", ".join(f"{reason} {count / found.total():.2f}" for reason, count in found.most_common()) or "none"


def share(chosen: NDArray[np.bool_]) -> float:
    """Return the share that is true; NaN of nothing."""
    return float(chosen.mean()) if len(chosen) else float("nan")
