"""Folders of images, one folder per class, to arrays. The pixels are made by the code that serves."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Preprocessing
from worker.inference.errors import ImageError
from worker.inference.files import is_image_name
from worker.inference.preprocess import resized_pixels
from worker.training.errors import TrainingError


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """One image and the index of its class."""

    path: Path
    label: int


@dataclass(frozen=True, slots=True)
class Examples:
    """``pixels``: uint8, (n, height, width, 3), RGB, not scaled; ``labels``: int64, (n,)."""

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


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


def labelled_files(folders: Sequence[Path], classes: Sequence[str]) -> list[LabelledFile]:
    """Every image below ``folder/class`` for each of ``classes``, in a stable order; other folders are left out.

    Raises:
        TrainingError: a class has no image.
    """
    files = [
        LabelledFile(path, label)
        for folder in folders
        for label, name in enumerate(classes)
        for path in _images_below(folder / name)
    ]
    for label, name in enumerate(classes):
        if not any(f.label == label for f in files):
            raise TrainingError(f"No image of class {name!r} in {_join(folders)}: expected a folder of that name.")
    return files


def load_examples(
    files: Sequence[LabelledFile], preprocessing: Preprocessing, input_size: tuple[int, int], *, threads: int = 2
) -> tuple[Examples, list[str]]:
    """Decode and resize every file; returns the examples and a sentence for each file that could not be read."""

    def load(file: LabelledFile) -> NDArray[np.uint8] | str:
        try:
            return resized_pixels(file.path.read_bytes(), preprocessing, input_size)
        except ImageError as error:
            return f"{file.path}: {error.detail}"

    with ThreadPoolExecutor(threads) as pool:
        loaded = list(pool.map(load, files))
    good = [(pixels, f.label) for pixels, f in zip(loaded, files, strict=True) if not isinstance(pixels, str)]
    if not good:
        raise TrainingError("No image could be read.")
    pixels = np.stack([p for p, _ in good])
    return Examples(pixels, np.array([label for _, label in good])), [p for p in loaded if isinstance(p, str)]


def hold_out(examples: Examples, share: float, seed: int) -> tuple[Examples, Examples]:
    """Split into (kept, held out), the same share of every class, at least one image of each in both.

    Raises:
        TrainingError: a class has fewer than two images.
    """
    rng = np.random.default_rng(seed)
    held: list[int] = []
    for label in np.unique(examples.labels):
        indices = rng.permutation(np.flatnonzero(examples.labels == label))
        if len(indices) < 2:  # noqa: PLR2004  # one for each side
            raise TrainingError("Every class needs at least two images, one of them to hold out.")
        held += indices[: min(max(1, round(share * len(indices))), len(indices) - 1)].tolist()
    mask = np.zeros(len(examples), dtype=bool)
    mask[held] = True
    return (
        Examples(examples.pixels[~mask], examples.labels[~mask]),
        Examples(examples.pixels[mask], examples.labels[mask]),
    )


def _images_below(folder: Path) -> Iterator[Path]:
    yield from sorted(p for p in folder.rglob("*") if p.is_file() and is_image_name(p.name))


def _join(folders: Sequence[Path]) -> str:
    return ", ".join(map(str, folders))
