"""Folders of images, one folder per class, to files with labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.inference.files import images_below
from worker.training.errors import TrainingError


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """One image and the index of its class."""

    path: Path
    label: int


def class_folders(folders: Sequence[Path]) -> tuple[str, ...]:
    """The names of the class folders in any of ``folders``, sorted.

    Raises:
        TrainingError: a folder is not there, or fewer than two classes are.
    """
    for folder in folders:
        if not folder.is_dir():
            raise TrainingError(f"There is no folder {folder}.")
    names = sorted({f.name for folder in folders for f in folder.iterdir() if f.is_dir()})
    if len(names) < 2:  # noqa: PLR2004  # one class is nothing to tell apart
        raise TrainingError(f"{_join(folders)} must hold at least two folders of images, one per class; found {names}.")
    return tuple(names)


def labelled_files(
    folders: Sequence[Path], classes: Sequence[str], *, review: Sequence[str] = ()
) -> list[LabelledFile]:
    """Every image below ``folder/class`` for each of ``classes``, in a stable order; other folders are left out.

    Args:
        folders: each holds one folder per class.
        classes: names of folders; the label of an image is the index of its class.
        review: names of folders of what is no class; their labels follow those of the classes. They may be missing.

    Raises:
        TrainingError: a class has no image.
    """
    files = [
        LabelledFile(path, label)
        for folder in folders
        for label, name in enumerate((*classes, *review))
        for path in images_below(folder / name)
    ]
    for label, name in enumerate(classes):
        if not any(f.label == label for f in files):
            raise TrainingError(f"No image of class {name!r} in {_join(folders)}: expected a folder of that name.")
    return files


def hold_out(labels: NDArray[np.int64], share: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices (kept, held out): the same share of every label, at least one image of each in both.

    Raises:
        TrainingError: a label has fewer than two images.
    """
    rng = np.random.default_rng(seed)
    held: list[int] = []
    for label in np.unique(labels):
        indices = rng.permutation(np.flatnonzero(labels == label))
        if len(indices) < 2:  # noqa: PLR2004  # one for each side
            raise TrainingError("Every class needs at least two images, one of them to hold out.")
        held += indices[: min(max(1, round(share * len(indices))), len(indices) - 1)].tolist()
    return np.setdiff1d(np.arange(len(labels)), held), np.sort(np.array(held, np.int64))


def _join(folders: Sequence[Path]) -> str:
    return ", ".join(map(str, folders))
