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

LEAST_IMAGES = 2  # one to learn from, one to judge by


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """One image and the index of its class."""

    path: Path
    label: int


def labelled_files(
    folders: Sequence[Path], classes: Sequence[str], *, review: Sequence[str] = ()
) -> list[LabelledFile]:
    """Every image below ``folder/class`` for each of ``classes``, in a stable order; other folders are left out.

    Args:
        folders: each holds one folder per class.
        classes: ids or names of folders; the label of an image is the index of its class.
        review: names of folders of what is no class; their labels follow those of the classes. They may be missing.

    Raises:
        TrainingError: a class has no image.
    """
    files = [
        LabelledFile(path, label)
        for folder in folders
        for label, name in enumerate((*classes, *review))
        for found in folders_of(folder, name)
        for path in images_below(found)
    ]
    for label, name in enumerate(classes):
        if not any(f.label == label for f in files):
            raise TrainingError(
                f"No image of class {name!r} in {joined(folders)}: expected a folder of that name with images "
                "in it; or leave the class out with --classes."
            )
    return files


def check_counts(labels: Iterable[int], names: Sequence[str], *, classes: int) -> None:
    """Return when every class has an image to learn from and one to judge by; what is for review may have none.

    Args:
        labels: of the images.
        names: of the classes, then of what is for review.
        classes: how many there are.

    Raises:
        TrainingError: some have fewer; the sentence names them.
    """
    counts = Counter(labels)
    few = [
        name
        for label, name in enumerate(names)
        if counts[label] < LEAST_IMAGES and (label < classes or counts[label] > 0)
    ]
    if few:
        raise TrainingError(
            f"Every class needs at least two images that can be read, one of them to hold out; fewer are in "
            f"{', '.join(few)}. Add some, or leave it out with --classes."
        )


def hold_out(labels: NDArray[np.int64], share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices (kept, held out): the same share of every label, at least one image of each in both.

    Raises:
        TrainingError: a label has fewer than two images.
    """
    rng = np.random.default_rng(seed)
    held: list[int] = []
    for label in np.unique(labels):
        indices = rng.permutation(np.flatnonzero(labels == label))
        if len(indices) < LEAST_IMAGES:
            raise TrainingError("Every class needs at least two images, one of them to hold out.")
        held += indices[: min(max(1, round(share * len(indices))), len(indices) - 1)].tolist()
    return np.setdiff1d(np.arange(len(labels)), held), np.sort(np.array(held, np.int64))
