"""How well a classifier does on a folder-per-class set, measured through the code that serves."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from worker.inference.classifier import Classifier
from worker.inference.errors import ImageError
from worker.inference.pipeline import Item, Pipeline
from worker.training.dataset import LabelledFile, class_folders, labelled_files
from worker.training.errors import TrainingError

BYTES_IN_FLIGHT = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Evaluation:
    """``confusion`` counts (true class, predicted class); ``errors`` has a sentence for each unreadable file."""

    classes: tuple[str, ...]
    confusion: Counter[tuple[str, str]]
    needs_review: int
    errors: tuple[str, ...]

    @property
    def total(self) -> int:
        """Images that were classified."""
        return self.confusion.total()

    @property
    def accuracy(self) -> float:
        """Share of the classified images that got their class."""
        return sum(self.confusion[c, c] for c in self.classes) / max(1, self.total)

    def recall(self, label: str) -> float:
        """Share of the images of a class that were recognised; 0 where there are none."""
        return self.confusion[label, label] / max(1, sum(self.confusion[label, c] for c in self.classes))

    def precision(self, label: str) -> float:
        """Share of the answers of a class that were right; 0 where it was never answered."""
        return self.confusion[label, label] / max(1, sum(self.confusion[c, label] for c in self.classes))

    def metrics(self, prefix: str) -> dict[str, float]:
        """For the manifest."""
        per_class = {f"{prefix}_recall_{c}": round(self.recall(c), 4) for c in self.classes}
        return {f"{prefix}_images": self.total, f"{prefix}_accuracy": round(self.accuracy, 4)} | per_class

    def table(self) -> str:
        """Markdown: a row per true class with what it was taken for."""
        lines = [
            "| true class | images | recall | precision | " + " | ".join(f"as {c}" for c in self.classes) + " |",
            "|---" * (4 + len(self.classes)) + "|",
        ]
        for label in self.classes:
            counts = [self.confusion[label, c] for c in self.classes]
            lines.append(
                f"| {label} | {sum(counts)} | {self.recall(label):.2f} | {self.precision(label):.2f} | "
                + " | ".join(map(str, counts))
                + " |"
            )
        return "\n".join(lines)


def evaluate(classifier: Classifier, data: Path, *, threads: int = 2) -> Evaluation:
    """Classify every image below ``data/class``; folders that are no class of the classifier are left out.

    Raises:
        TrainingError: no folder in ``data`` is named as a class of the classifier.
    """
    classes = classifier.manifest.labels
    present = [c for c in classes if c in class_folders([data])]
    if not present:
        raise TrainingError(f"{data} has no folder named as a class of the classifier: {', '.join(classes)}.")
    files = [LabelledFile(f.path, classes.index(present[f.label])) for f in labelled_files([data], present)]
    items = [Item(seq, str(f.path), f.path.stat().st_size) for seq, f in enumerate(files)]
    confusion: Counter[tuple[str, str]] = Counter()
    needs_review = 0
    errors: list[str] = []
    with Pipeline(
        classifier,
        batch_size=classifier.batch_size,
        download_threads=threads,
        decode_threads=threads,
        bytes_in_flight=BYTES_IN_FLIGHT,
    ) as pipeline:
        for outcome in pipeline.run(items, lambda item: Path(item.name).read_bytes()):
            if outcome.interpretation is None:
                errors.append(_sentence(files[outcome.seq], outcome.error))
            else:
                confusion[classes[files[outcome.seq].label], outcome.interpretation.label] += 1
                needs_review += outcome.interpretation.needs_review
    return Evaluation(classes, confusion, needs_review, tuple(errors))


def _sentence(file: LabelledFile, error: ImageError | None) -> str:
    return f"{file.path}: {error.detail if error else 'no reason given'}"
