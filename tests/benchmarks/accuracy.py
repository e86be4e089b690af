"""``make evaluate``: what a classifier of this recipe knows, and whether it knows what it does not know.

Trains the recipe of the shipped classifier ten times: five folds over all labelled images (each is judged by a network
that has not learned it), and once without each crop. The original classifier stands in the same table. Each training is
kept in ``--work`` and not repeated; the whole takes about an hour and a half on two cores.

    python -m tests.benchmarks.accuracy --data ../shared/data --work .data/accuracy
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.served import print_served
from worker.inference.keras_classifier import import_tensorflow
from worker.training.backbone import open_backbone
from worker.training.calibration import calibration_error
from worker.training.dataset import LabelledFile, hold_out, labelled_files
from worker.training.learn import Learned, learn
from worker.training.negatives import blurred, junk
from worker.training.plan import PREPROCESSING, Schedule
from worker.training.store import Examples, open_examples

CLASSES = ("healthy", "powdery_mildew", "rust")
REVIEW = ("other_disease",)
CROPS = ("cherry", "corn", "coffee", "mango", "strawberry")
SOURCES = ("apple-field/train", "apple-field/validation", "apple-field/extra", *(f"{c}/train" for c in CROPS))
FOLDS = 5
HELD_OUT = 0.1
JUNK = 500
INPUT_SIZE = (224, 224)

Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Judged:
    """What one network said of images that it had not learned: outputs (n, classes + 4), and the limits it chose."""

    outputs: NDArray[np.float64]
    limits: NDArray[np.float64]
    threshold: float

    @property
    def answers(self) -> Indices:
        """Index of the best class."""
        return np.asarray(self.outputs[:, : len(CLASSES)].argmax(axis=1), np.int64)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Probability of the best class."""
        return np.asarray(self.outputs[:, : len(CLASSES)].max(axis=1))

    @property
    def review(self) -> NDArray[np.bool_]:
        """True where a person should review the image."""
        over = (self.outputs[:, len(CLASSES) :] > self.limits).any(axis=1)
        return np.asarray(over | (self.confidence < self.threshold))


@dataclass(frozen=True, slots=True)
class Data:
    """Every labelled image, what it comes from, and what must get no diagnosis."""

    examples: Examples
    source: NDArray[np.str_]
    drone: Examples

    @property
    def labels(self) -> Indices:
        """Index of the class; ``len(CLASSES)`` for another disease."""
        return self.examples.labels


def read(root: Path, work: Path) -> Data:
    """Decode everything once."""
    leaves = root / "leaves"
    files, source = [], []
    for name in SOURCES:
        found = list(_files(leaves / name))
        files += found
        source += [name] * len(found)
    examples = open_examples(files, PREPROCESSING, INPUT_SIZE, work / "leaves", seed=1)
    kept = {f.path for f in examples.files}
    names = np.array([s for f, s in zip(files, source, strict=True) if f.path in kept])
    drone = [LabelledFile(p, 0) for p in sorted((root / "drone").rglob("*")) if p.suffix.lower() in {".jpg", ".jpeg"}]
    return Data(examples, names, open_examples(drone, PREPROCESSING, INPUT_SIZE, work / "drone", seed=1))


def _files(folder: Path) -> list[LabelledFile]:
    present = [c for c in (*CLASSES, *REVIEW) if (folder / c).is_dir()]
    numbered = (*CLASSES, *REVIEW)
    return [LabelledFile(f.path, numbered.index(present[f.label])) for f in labelled_files([folder], present)]


def train_without(data: Data, left_out: Indices, root: Path, work: Path, schedule: Schedule) -> Learned:
    """The recipe on everything but ``left_out``."""
    rest = np.setdiff1d(np.arange(len(data.labels)), left_out)
    kept, held = hold_out(data.labels[rest], HELD_OUT, schedule.seed)
    backbone = open_backbone(root / "models/efficientnet-lite0-imagenet/features.keras")
    begin = time.monotonic()

    def advance(done: int, total: int, words: str) -> None:
        if done % 100 == 0:
            print(f"  {work.name}: {done} of {total}, {words}, {time.monotonic() - begin:.0f} s", flush=True)

    return learn(
        backbone,
        data.examples,
        rest[kept],
        rest[held],
        len(CLASSES),
        PREPROCESSING,
        schedule,
        folder=work,
        advance=advance,
    )


def judge(data: Data, left_out: Indices, root: Path, work: Path, schedule: Schedule) -> dict[str, Judged]:
    """Train without these images, and judge them, the drone's, junk and blurred ones; kept in ``work``."""
    import keras

    file = work / "judged.npz"
    if not file.exists():
        keras.utils.clear_session()
        learned = train_without(data, left_out, root, work, schedule)
        rng = np.random.default_rng(20_000 + schedule.seed)
        leaves = data.examples.pixels[left_out[rng.permutation(len(left_out))[:100]], 0]
        sets = {
            "left_out": (data.examples, left_out),
            "drone": (data.drone, np.arange(len(data.drone))),
            "junk": _made([junk(INPUT_SIZE, rng) for _ in range(JUNK)]),
            "blurred": _made([blurred(leaf, rng) for leaf in leaves]),
        }
        found = {name: learned.outputs(learned.activate(*chosen, PREPROCESSING)) for name, chosen in sets.items()}
        limits = np.array([o.limit for o in learned.review])
        numbers: dict[str, Any] = {"limits": limits, "threshold": learned.threshold, **found}
        np.savez(file, **numbers)
    kept = np.load(file)
    names = ("left_out", "drone", "junk", "blurred")
    return {name: Judged(kept[name], kept["limits"], float(kept["threshold"])) for name in names}


def _made(pictures: Sequence[NDArray[np.uint8]]) -> tuple[Examples, Indices]:
    pixels = np.stack(pictures)[:, None]
    return Examples(pixels, np.zeros(len(pixels), np.int64), ()), np.arange(len(pixels))


def folds(data: Data, seed: int) -> list[Indices]:
    """Each image in one of five folds: the same share of every class of every source in each."""
    rng = np.random.default_rng(seed)
    parts: list[list[int]] = [[] for _ in range(FOLDS)]
    for source in SOURCES:
        for label in np.unique(data.labels):
            for place, index in enumerate(
                rng.permutation(np.flatnonzero((data.source == source) & (data.labels == label)))
            ):
                parts[place % FOLDS].append(int(index))
    return [np.sort(np.array(part)) for part in parts]


def f1(answers: Indices, labels: Indices, label: int) -> float:
    """Harmonic mean of precision and recall."""
    hit = int(((answers == label) & (labels == label)).sum())
    return 2 * hit / max(1, int((answers == label).sum()) + int((labels == label).sum()))


def main() -> None:
    """Train what is not there yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path(".data/accuracy"))
    options = parser.parse_args()
    import_tensorflow()
    print_served(options.data)
    schedule = Schedule()
    data = read(options.data, options.work)
    print(json.dumps({"images": len(data.labels), "unreadable": len(data.examples.unreadable)}))
    parts = folds(data, schedule.seed)
    judged = [
        judge(data, part, options.data, options.work / f"fold{number}", schedule) for number, part in enumerate(parts)
    ]
    print_folds(data, parts, judged)
    for crop in CROPS:
        left_out = np.flatnonzero(data.source == f"{crop}/train")
        found = judge(data, left_out, options.data, options.work / f"without-{crop}", schedule)["left_out"]
        known = data.labels[left_out] < len(CLASSES)
        right = (found.answers == data.labels[left_out])[known]
        sure = ~found.review[known]
        print(
            f"{crop} left out: accuracy {right.mean():.3f} of {known.sum()}, "
            f"needs_review {found.review[known].mean():.3f}, "
            f"accuracy without those {right[sure].mean() if sure.any() else float('nan'):.3f}",
            flush=True,
        )


def print_folds(data: Data, parts: Sequence[Indices], judged: Sequence[dict[str, Judged]]) -> None:
    """The figures of the cross-validation."""
    accuracies = []
    for part, found in zip(parts, judged, strict=True):
        of_apple = np.isin(data.source[part], SOURCES[:2])
        accuracies.append(float((found["left_out"].answers == data.labels[part])[of_apple].mean()))
    print(
        f"apple-field train + validation, {FOLDS} folds: {np.round(accuracies, 4).tolist()}, "
        f"mean {np.mean(accuracies):.4f}"
    )
    index = np.concatenate(parts)
    answers = np.concatenate([f["left_out"].answers for f in judged])
    confidence = np.concatenate([f["left_out"].confidence for f in judged])
    review = np.concatenate([f["left_out"].review for f in judged])
    labels, source = data.labels[index], data.source[index]
    right = answers == labels
    for name in SOURCES:
        chosen = (source == name) & (labels < len(CLASSES))
        present = [(n, c) for n, c in enumerate(CLASSES) if (labels[chosen] == n).any()]
        scores = " ".join(f"{c} {f1(answers[chosen], labels[chosen], n):.3f}" for n, c in present)
        error = calibration_error(confidence[chosen], right[chosen])
        print(f"{name}: accuracy {right[chosen].mean():.4f} of {chosen.sum()}, F1 {scores}, ECE {error:.3f}")
    known = labels < len(CLASSES)
    print(f"all: accuracy {right[known].mean():.4f}, ECE {calibration_error(confidence[known], right[known]):.4f}")
    print(
        f"needs_review: correct answers {review[known & right].mean():.4f}, "
        f"wrong ones {review[known & ~right].mean():.3f}, "
        f"other_disease {review[~known].mean():.3f} of {(~known).sum()}"
    )
    for name in ("drone", "junk", "blurred"):
        print(f"needs_review: {name} {np.mean([f[name].review.mean() for f in judged]):.4f}")


if __name__ == "__main__":
    main()
