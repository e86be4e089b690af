"""Measures of a classifier's answers: accuracy, F1, calibration, confusion."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.training.calibration import calibration_error, reliability


@dataclass(frozen=True, slots=True)
class Answers:
    """``labels``, ``answers``: indices of ``classes``, (n,); ``confidence``: 0 to 1; ``review``: needs a review."""

    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    answers: NDArray[np.int64]
    confidence: NDArray[np.float64]
    review: NDArray[np.bool_]

    @property
    def total(self) -> int:
        """Number of images."""
        return len(self.labels)

    @property
    def right(self) -> NDArray[np.bool_]:
        """True for each right answer, (n,)."""
        return np.asarray(self.answers == self.labels)

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return float(self.right.mean()) if self.total else 0.0

    @property
    def calibration_error(self) -> float:
        """Expected calibration error in ten bins."""
        return calibration_error(self.confidence, self.right)

    @property
    def reliability(self) -> list[tuple[float, float, int]]:
        """(mean confidence, share right, images) of each of ten steps of confidence."""
        return reliability(self.confidence, self.right)

    def confusion(self) -> NDArray[np.int64]:
        """Count images by (true class, answered class)."""
        count = len(self.classes)
        cells = np.bincount(self.labels * count + self.answers, minlength=count * count)
        return np.asarray(cells.reshape(count, count), np.int64)

    def recall(self, label: int) -> float:
        """Return the share of a class's images that were recognised; 0 if it has none."""
        row = self.confusion()[label]
        return float(row[label] / max(1, row.sum()))

    def precision(self, label: int) -> float:
        """Return the share of a class's answers that were right; 0 if it was never answered."""
        column = self.confusion()[:, label]
        return float(column[label] / max(1, column.sum()))

    def f1(self, label: int) -> float:
        """Return the harmonic mean of precision and recall."""
        cells = self.confusion()
        return float(2 * cells[label, label] / max(1, cells[label].sum() + cells[:, label].sum()))

    def only(self, chosen: NDArray[np.bool_]) -> "Answers":
        """Select the answers for some images."""
        return Answers(
            self.classes, self.labels[chosen], self.answers[chosen], self.confidence[chosen], self.review[chosen]
        )

    def metrics(self, prefix: str) -> dict[str, float]:
        """Return the metrics for the manifest."""
        per_class = {f"{prefix}_f1_{c}": round(self.f1(n), 4) for n, c in enumerate(self.classes)}
        return {
            f"{prefix}_images": self.total,
            f"{prefix}_accuracy": round(self.accuracy, 4),
            f"{prefix}_calibration_error": round(self.calibration_error, 4),
            **per_class,
        }

    def table(self) -> str:
        """Write the confusion as Markdown: a row per true class, a column per answered class."""
        lines = [
            "| true class | images | recall | precision | F1 | " + " | ".join(f"as {c}" for c in self.classes) + " |",
            "|---" * (5 + len(self.classes)) + "|",
        ]
        cells = self.confusion()
        for n, label in enumerate(self.classes):
            numbers: Sequence[str] = [str(count) for count in cells[n]]
            lines.append(
                f"| {label} | {cells[n].sum()} | {self.recall(n):.3f} | {self.precision(n):.3f} | {self.f1(n):.3f} | "
                + " | ".join(numbers)
                + " |"
            )
        return "\n".join(lines)
