"""Folders of images, one folder per class, to files with labels."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.inference.files import images_below
from worker.training.errors import TrainingError
from worker.training.folders import folders_of, joined

NO_CROP = -1
MIN_IMAGES = 2  # one to learn from, one to judge by


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """One image, the index of its class, and that of its crop; ``NO_CROP`` where nobody said which it is."""

    path: Path
    label: int
    crop: int = NO_CROP


def labelled_files(
    folders: Sequence[Path], classes: Sequence[str], *, review: Sequence[str] = ()
) -> list[LabelledFile]:
    """List every image below ``folder/class`` for each of ``classes``, in a stable order; skip other folders.

    Args:
        folders: each holds one folder per class.
        classes: ids or names of folders; the label of an image is the index of its class.
        review: names of folders of the review; their labels follow those of the classes. They may be missing.

    Raises:
        TrainingError: a class has no image.
    """
    files = [
        LabelledFile(path, label)
        for folder in folders
        for label, name in enumerate((*classes, *review))
        for class_folder in folders_of(folder, name)
        for path in images_below(class_folder)
    ]
    for label, name in enumerate(classes):
        if not any(f.label == label for f in files):
            raise TrainingError(
                f"No image of class {name!r} in {joined(folders)}: expected a folder of that name with images "
                "in it; or leave the class out with --classes."
            )
    return files


def check_counts(labels: Iterable[int], names: Sequence[str], *, classes: int) -> None:
    """Check that every class has an image to learn from and one to judge by; a label of the review may have none.

    Args:
        labels: of the images.
        names: of the classes, then of the review.
        classes: number of classes.

    Raises:
        TrainingError: a class has fewer; the sentence names it.
    """
    counts = Counter(labels)
    few = [
        name
        for label, name in enumerate(names)
        if counts[label] < MIN_IMAGES and (label < classes or counts[label] > 0)
    ]
    if few:
        raise TrainingError(
            f"Every class needs at least two images that can be read, one of them to hold out; fewer are in "
            f"{', '.join(few)}. Add some, or leave it out with --classes."
        )


def hold_out(labels: NDArray[np.int64], share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split indices into (train, held out): the same share of every label, at least one image of each in both.

    Raises:
        TrainingError: a label has fewer than two images.
    """
    rng = np.random.default_rng(seed)
    held_out: list[int] = []
    for label in np.unique(labels):
        indices = rng.permutation(np.flatnonzero(labels == label))
        if len(indices) < MIN_IMAGES:
            raise TrainingError("Every class needs at least two images, one of them to hold out.")
        held_out += indices[: min(max(1, round(share * len(indices))), len(indices) - 1)].tolist()
    return np.setdiff1d(np.arange(len(labels)), held_out), np.sort(np.array(held_out, np.int64))
