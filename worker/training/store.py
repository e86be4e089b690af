"""The pixels of a training on disk: decoded once, by the code that serves, and read again when a training resumes."""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import Preprocessing
from worker.inference.errors import ImageError
from worker.inference.preprocess import resized_pixels
from worker.training.dataset import NO_CROP, LabelledFile
from worker.training.errors import TrainingError
from worker.training.vary import rewritten

log = logging.getLogger(__name__)

# Each picture as it is, and as a file of another size and quality.
VARIANTS = 2
PIXELS_FILE = "pixels.u8"
INDEX_FILE = "pixels.json"

Advance = Callable[[int, int], None]


class Index(TypedDict):
    """The numbers of the readable files, and a sentence for each unreadable one."""

    good: list[int]
    unreadable: list[str]


@dataclass(frozen=True, slots=True)
class Examples:
    """Pictures with their labels.

    ``pixels``: uint8, (n, variants, height, width, 3), RGB, not scaled, on disk; ``labels``: int64, (n,).
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    files: tuple[LabelledFile, ...]
    unreadable: tuple[str, ...] = ()

    @property
    def crops(self) -> NDArray[np.int64]:
        """The index of the crop of each picture, (n,); ``NO_CROP`` where nobody said which it is."""
        return np.array([f.crop for f in self.files] or [NO_CROP] * len(self.labels), np.int64)

    def __len__(self) -> int:
        return len(self.labels)


def open_examples(  # the data, how they are read, and where they are kept
    files: Sequence[LabelledFile],
    preprocessing: Preprocessing,
    input_size: tuple[int, int],
    folder: Path,
    *,
    seed: int,
    threads: int = 2,
    advance: Advance | None = None,
) -> Examples:
    """Decode every file into ``folder``, or reuse the pixels of an earlier call with the same files.

    Args:
        files: images and the indices of their classes.
        preprocessing: as the manifest will say.
        input_size: (height, width) in pixels.
        folder: for the pixels; about 300 kB for each image of 224 pixels.
        seed: of the variants.
        threads: files decoded at a time.
        advance: called with (done, total) from time to time.

    Raises:
        TrainingError: no image can be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    key = _key(files, preprocessing, input_size, seed)
    index = _read_index(folder / INDEX_FILE, key)
    if index is None:
        index = _decode(files, preprocessing, input_size, folder, seed, threads, advance)
        (folder / INDEX_FILE).write_text(json.dumps({"key": key} | index), encoding="utf-8")
    good = tuple(files[i] for i in index["good"])
    if not good:
        raise TrainingError("No image could be read.")
    shape = (len(files), VARIANTS, *input_size, 3)
    pixels = np.memmap(folder / PIXELS_FILE, np.uint8, "r", shape=shape)
    chosen = pixels if len(good) == len(files) else pixels[index["good"]]
    return Examples(chosen, np.array([f.label for f in good]), good, tuple(index["unreadable"]))


def _key(files: Sequence[LabelledFile], preprocessing: Preprocessing, input_size: tuple[int, int], seed: int) -> str:
    identity = [[str(f.path), f.path.stat().st_size, f.path.stat().st_mtime_ns] for f in files]
    text = json.dumps([identity, preprocessing.model_dump(mode="json"), input_size, seed, VARIANTS])
    return hashlib.sha256(text.encode()).hexdigest()


def _read_index(path: Path, key: str) -> Index | None:
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Index(good=index["good"], unreadable=index["unreadable"]) if index.get("key") == key else None


def _decode(  # as its caller
    files: Sequence[LabelledFile],
    preprocessing: Preprocessing,
    input_size: tuple[int, int],
    folder: Path,
    seed: int,
    threads: int,
    advance: Advance | None,
) -> Index:
    pixels = np.memmap(folder / PIXELS_FILE, np.uint8, "w+", shape=(max(1, len(files)), VARIANTS, *input_size, 3))

    def load(number: int) -> str | None:
        try:
            data = files[number].path.read_bytes()
            pixels[number, 0] = resized_pixels(data, preprocessing, input_size)
            other = rewritten(data, np.random.default_rng((seed, number)))
            pixels[number, 1] = resized_pixels(other, preprocessing, input_size)
        except ImageError as error:
            return f"{files[number].path}: {error.detail}"
        except OSError as error:
            return f"{files[number].path}: The file cannot be read ({error.strerror})."
        return None

    unreadable: dict[int, str] = {}
    with ThreadPoolExecutor(threads) as pool:
        for number, reason in enumerate(pool.map(load, range(len(files)))):
            if reason is not None:
                unreadable[number] = reason
            if advance is not None:
                advance(number + 1, len(files))
    pixels.flush()
    return Index(good=[i for i in range(len(files)) if i not in unreadable], unreadable=list(unreadable.values()))
