"""Grounds: cuts of photographs in which no leaf can be recognised, and made ones."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.training.scenes.made import made_ground

Picture = NDArray[np.uint8]

SCALES = (0.3, 3.0)  # pixels of a cut over those of its photograph
MADE = 0.5  # of the grounds, where there are cuts
# A cut whose colours vary by less levels shows a lens cap or an overexposed sky: another place is tried, a few times.
EMPTY, TRIES = 2.5, 4


def cut_grounds(
    pictures: Sequence[Picture], rng: np.random.Generator, *, count: int, edge: int = 256
) -> NDArray[np.uint8]:
    """Cut squares out of photographs, at any place, and at a scale of ``SCALES``, even by its logarithm.

    Cut them once for a training: uint8, (count, edge, edge, 3), 200 kB each at 256 pixels.

    Args:
        pictures: uint8, (height, width, 3): photographs of any size without a leaf that can be recognised, as drones
            and the folders ``not_a_leaf`` have. A cut never shows more than its photograph does.
        rng: chooses.
        count: of cuts; 0 without pictures.
        edge: of a cut in pixels.
    """
    cuts = [_full_cut(pictures, rng, edge) for _ in range(count if len(pictures) else 0)]
    return np.stack(cuts) if cuts else np.zeros((0, edge, edge, 3), np.uint8)


def any_ground(cuts: Sequence[Picture] | NDArray[np.uint8], size: tuple[int, int], rng: np.random.Generator) -> Picture:
    """Take one of some cuts, turned and mirrored by chance, or make a ground: uint8, (height, width, 3) of ``size``."""
    if not len(cuts) or rng.random() < MADE:
        return made_ground(size, rng)
    cut = np.rot90(cuts[int(rng.integers(len(cuts)))], int(rng.integers(4)))
    if rng.random() < 0.5:  # noqa: PLR2004  # a coin
        cut = cut[:, ::-1]
    height, width = min(size[0], cut.shape[0]), min(size[1], cut.shape[1])
    top, left = int(rng.integers(cut.shape[0] - height + 1)), int(rng.integers(cut.shape[1] - width + 1))
    part = np.ascontiguousarray(cut[top : top + height, left : left + width])
    if part.shape[:2] == size:
        return part
    return np.asarray(Image.fromarray(part).resize(size[::-1], Image.Resampling.BILINEAR))


def _full_cut(pictures: Sequence[Picture], rng: np.random.Generator, edge: int) -> Picture:
    """Cut where something is to be seen; the last try is taken as it is."""
    for _ in range(TRIES):
        cut = _cut(pictures[int(rng.integers(len(pictures)))], rng, edge)
        if cut[::4, ::4].std(axis=(0, 1)).max() >= EMPTY:
            break
    return cut


def _cut(picture: Picture, rng: np.random.Generator, edge: int) -> Picture:
    scale = float(np.exp(rng.uniform(*np.log(SCALES))))
    side = max(1, min(round(edge / scale), *picture.shape[:2]))
    top, left = (int(rng.integers(length - side + 1)) for length in picture.shape[:2])
    part = Image.fromarray(np.ascontiguousarray(picture[top : top + side, left : left + side]))
    return np.asarray(part.resize((edge, edge), Image.Resampling.BICUBIC))
