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
TOO_MANY = (
    1.5  # times the wanted images of a label: a photograph that brings more is held out only where none is better
)


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


def hold_out(
    labels: NDArray[np.int64], share: float, seed: int, *, photographs: Sequence[str] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split indices into (train, held out): about the same share of every label, at least one image of each in both.

    Tiles of one photograph are alike: a network that has learned some of them would be judged too well by the others.
    So a photograph lies on one side with all its images. The only exception is a label that comes from one photograph
    alone, whose images are divided.

    Args:
        labels: of the images.
        share: of the images of each label to hold out.
        seed: of the choice.
        photographs: the photograph that each image was cut from; None: each image is one of its own.

    Raises:
        TrainingError: a label has fewer than two images.
    """
    rng = np.random.default_rng(seed)
    _, sources = np.unique(np.arange(len(labels)) if photographs is None else photographs, return_inverse=True)
    is_held_out = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        indices = rng.permutation(np.flatnonzero(labels == label))
        if len(indices) < MIN_IMAGES:
            raise TrainingError("Every class needs at least two images, one of them to hold out.")
        wanted = min(max(1, round(share * len(indices))), len(indices) - 1)
        for source in dict.fromkeys(sources[indices].tolist()):
            if is_held_out[indices].sum() >= wanted:
                break
            with_it = is_held_out | (sources == source)
            if with_it[indices].sum() <= TOO_MANY * wanted and _all_learn(labels, with_it):
                is_held_out = with_it
        if not is_held_out[indices].any():
            is_held_out = _with_the_smallest(labels, sources, is_held_out, indices, wanted)
    return np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)


def _with_the_smallest(
    labels: NDArray[np.int64],
    sources: NDArray[np.int64],
    is_held_out: NDArray[np.bool_],
    indices: NDArray[np.int64],
    wanted: int,
) -> NDArray[np.bool_]:
    """Hold out the photograph with the fewest images of a label; where none can be spared, some of its images."""
    ids, counts = np.unique(sources[indices], return_counts=True)
    for source in ids[np.argsort(counts, kind="stable")]:
        with_it: NDArray[np.bool_] = is_held_out | (sources == source)
        if _all_learn(labels, with_it):
            return with_it
    divided = is_held_out.copy()
    divided[indices[:wanted]] = True
    return divided


def _all_learn(labels: NDArray[np.int64], is_held_out: NDArray[np.bool_]) -> bool:
    """Return True if every label has an image to learn from."""
    return set(labels[~is_held_out].tolist()) == set(labels.tolist())
