"""Photographs without a leaf that could be read: of drones and of orthophotos, whole and in tiles of 256 pixels.

What a training sees of them and what judges it never come from one place: two photographs of a flight overlap.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.accuracy.groups import Indices
from tests.benchmarks.tile_accuracy import photographs, read_pixels
from worker.training.sheets import Picture, resized, squares
from worker.training.store import Examples

EDGE = 256  # pixels of a tile
INPUT_EDGE = 224
FOLDERS = ("drone", "ortho")


@dataclass(frozen=True)
class Grounds:
    """``tiles``: (n, 1, 224, 224, 3); ``photograph``: (n,) index of ``files``; ``place``: (n,) equal in a flight."""

    files: tuple[Path, ...]
    tiles: Examples
    photograph: Indices
    place: Indices

    def folder_without(self, chosen: NDArray[np.bool_], folder: Path) -> Path:
        """Make a folder of links to the photographs none of whose places has a chosen tile; return it."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        judged = set(self.place[chosen].tolist())
        for number, file in enumerate(self.files):
            if judged.isdisjoint(self.place[self.photograph == number].tolist()):
                (folder / f"{file.parent.name}-{file.name}").symlink_to(file.resolve())
        return folder


def read_grounds(root: Path, work: Path, *, limit: int | None = None) -> Grounds:
    """Cut every photograph of drones and orthophotos into tiles; ``limit``: so many of each photograph."""
    files: list[Path] = []
    cut: list[Picture] = []
    photograph: list[int] = []
    place: list[int] = []
    places: dict[str, int] = {}
    for path in (p for folder in FOLDERS for p in photographs(root / folder)):
        pixels = read_pixels(path)
        if min(pixels.shape[:2]) < EDGE:
            continue
        tiles = [resized(square.pixels, INPUT_EDGE) for square in squares(pixels, EDGE)][:limit]
        number = places.setdefault(place_of(path), len(places))
        photograph += [len(files)] * len(tiles)
        place += [number] * len(tiles)
        files.append(path)
        cut += tiles
    kept = np.lib.format.open_memmap(work / "tiles.npy", "w+", np.uint8, (len(cut), 1, INPUT_EDGE, INPUT_EDGE, 3))
    for number, tile in enumerate(cut):
        kept[number, 0] = tile
    empty = Examples(kept, np.zeros(len(cut), np.int64), ())
    return Grounds(tuple(files), empty, np.array(photograph), np.array(place))


def place_of(path: Path) -> str:
    """Return what tells the place of a photograph: the flight of a drone, the file of an orthophoto."""
    return path.stem if path.parent.name == "ortho" else path.parent.name
