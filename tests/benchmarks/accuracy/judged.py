"""What one training said of pictures that it had not learned, kept as numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import ReviewReason
from tests.benchmarks.accuracy.data import CLASSES
from tests.benchmarks.accuracy.groups import Indices

LOW_CONFIDENCE = ReviewReason.LOW_CONFIDENCE.value


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers on pictures: ``answer``, ``confidence``, ``asks`` (n,); ``reason``: (n,) text, empty if it is sure.

    ``crop``: (n,) index of the crop that it names, -1 if it names none.
    """

    answer: Indices
    confidence: NDArray[np.float64]
    reason: NDArray[np.str_]
    crop: Indices

    @property
    def asks(self) -> NDArray[np.bool_]:
        """True where a person should look."""
        return np.asarray(self.reason != "")

    def __getitem__(self, chosen: Indices | NDArray[np.bool_]) -> "Answers":
        return Answers(self.answer[chosen], self.confidence[chosen], self.reason[chosen], self.crop[chosen])

    @classmethod
    def joined(cls, parts: "list[Answers]") -> "Answers":
        """Put the answers of several networks behind each other."""
        columns = zip(*((p.answer, p.confidence, p.reason, p.crop) for p in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))


@dataclass(frozen=True, slots=True)
class Judged:
    """The numbers of one training: of each set of pictures, rows and crops; and the limits that it chose.

    ``key`` differs for another schedule or other pictures.
    """

    rows: Mapping[str, NDArray[np.float64]]
    crops: Mapping[str, NDArray[np.float64]]
    limits: NDArray[np.float64]
    reasons: tuple[str, ...]
    threshold: float
    key: str = ""

    def answers(self, name: str) -> Answers:
        """Read the numbers of a set of pictures as ``worker.inference.interpret`` reads a row."""
        rows, crops = self.rows[name], self.crops[name]
        classes, review = rows[:, : len(CLASSES)], rows[:, len(CLASSES) :]
        confidence = classes.max(axis=1)
        over = review / self.limits
        furthest = over.argmax(axis=1)
        reason = np.where(
            over.max(axis=1) > 1,
            np.array(self.reasons)[furthest],
            np.where(confidence < self.threshold, LOW_CONFIDENCE, ""),
        )
        named = crops.argmax(axis=1) if crops.shape[1] else np.full(len(rows), -1)
        return Answers(classes.argmax(axis=1), confidence, reason, named)

    def keep(self, file: Path) -> None:
        """Write everything to an npz file, whole or not at all."""
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"made-{file.name}")
        columns: dict[str, Any] = {f"rows:{k}": v for k, v in self.rows.items()} | {
            f"crops:{k}": v for k, v in self.crops.items()
        }
        np.savez(
            draft,
            limits=self.limits,
            reasons=np.array(self.reasons),
            threshold=np.array(self.threshold),
            key=np.array(self.key),
            **columns,
        )
        draft.replace(file)

    @classmethod
    def kept(cls, file: Path, key: str = "") -> "Judged | None":
        """Read what ``keep`` wrote; ``None`` if there is nothing with this key."""
        if not file.exists():
            return None
        with np.load(file) as found:
            if str(found["key"]) != key:
                return None
            named = {
                kind: {key.split(":", 1)[1]: found[key] for key in found.files if key.startswith(f"{kind}:")}
                for kind in ("rows", "crops")
            }
            reasons = tuple(str(reason) for reason in found["reasons"])
            return cls(named["rows"], named["crops"], found["limits"], reasons, float(found["threshold"]), key)
