"""Sheets: pictures of many plants with a known truth, made of single leaves and of ground.

There are few photographs of many plants, and none whose tiles a person has labelled. A sheet lays photographs of single
leaves side by side, with ground between them, so that each of its tiles has a truth.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.tiles.grid import Grid, lay_grid

Picture = NDArray[np.uint8]
GROUND = 254
MIXED = 255
# The part of a tile's pixels that must show one class, so that the tile has a truth.
PURE = 0.95


@dataclass(frozen=True, slots=True)
class Leaf:
    """One photograph of a leaf, uint8, (height, width, 3), and the index of its class; ``GROUND`` for ground."""

    pixels: Picture
    label: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """``pixels``: uint8, (height, width, 3); ``truth``: uint8, (height, width), the class of each pixel."""

    pixels: Picture
    truth: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Shake:
    """The difference between a sheet and one that fits the tiles: degrees, a scale, a shift in pixels of the sheet."""

    degrees: float
    scale: float
    left: int
    top: int

    @classmethod
    def by_chance(cls, rng: np.random.Generator, *, edge: int, scales: tuple[float, float]) -> "Shake":
        """Draw any angle, a scale (evenly by its logarithm), and a shift of a part of a leaf of ``edge`` pixels."""
        scale = float(np.exp(rng.uniform(*np.log(scales))))
        half = max(1, round(edge * scale)) // 2
        left, top = (int(shift) for shift in rng.integers(-half, half + 1, 2))
        return cls(float(rng.uniform(0, 360)), scale, left, top)


def aligned(leaves: Sequence[Leaf], *, columns: int, edge: int) -> Sheet:
    """Lay leaves side by side in squares of ``edge`` pixels, in their order; a last row is filled from the first."""
    rows = ceil(len(leaves) / columns)
    return _laid([[leaves[(row * columns + c) % len(leaves)] for c in range(columns)] for row in range(rows)], edge)


def regions(  # the leaves, the ground, and how they are laid
    pools: Sequence[Sequence[Leaf]],
    grounds: Sequence[Picture],
    rng: np.random.Generator,
    *,
    size: int,
    edge: int,
    region: int,
    shake: Shake,
) -> Sheet:
    """Make a square sheet of regions: several leaves of one class beside each other, then turned, scaled and shifted.

    Args:
        pools: the leaves of each class; a region takes a class at random, and its leaves in a random order.
        grounds: photographs without leaves, larger than a region; a region may be a part of one. May be empty.
        rng: chooses.
        size: of the sheet in pixels.
        edge: of a leaf in pixels, before ``shake``.
        region: leaves along one side of a region.
        shake: how the sheet differs from one that fits the tiles.
    """
    drawn = max(1, round(edge * shake.scale))
    # Turned by any angle, a square needs a field that is larger by the root of two; and a leaf for the shift.
    blocks = ceil((ceil(size * sqrt(2) / drawn) + 2) / region)
    leaves = [_endless(pool, rng) for pool in pools]
    field: list[list[Leaf]] = [[] for _ in range(blocks * region)]
    for block in range(blocks * blocks):
        kind = int(rng.integers(len(pools) + bool(grounds)))
        if kind == len(pools):
            photograph = grounds[int(rng.integers(len(grounds)))]
            piece = _piece(photograph, rng, edge=edge, drawn=drawn, region=region)
        else:
            piece = [[next(leaves[kind]) for _ in range(region)] for _ in range(region)]
        for row, squares_of_it in zip(field[block // blocks * region :][:region], piece, strict=True):
            row.extend(squares_of_it)
    return _shaken(_laid(field, drawn), shake, size)


def squares(photograph: Picture, edge: int) -> list[Leaf]:
    """Cut a photograph of ground into the tiles of its grid."""
    grid = lay_grid(photograph.shape[1], photograph.shape[0], edge)
    boxes = map(grid.box, range(grid.tiles))
    return [Leaf(photograph[top:bottom, left:right], GROUND) for left, top, right, bottom in boxes]


def truths(sheet: Sheet, grid: Grid) -> NDArray[np.uint8]:
    """Return the truth of each tile of ``grid``: the class that ``PURE`` of its pixels show, or ``MIXED``."""
    found = np.full(grid.tiles, MIXED, np.uint8)
    for tile in range(grid.tiles):
        left, top, right, bottom = grid.box(tile)
        values, counts = np.unique(sheet.truth[top:bottom, left:right], return_counts=True)
        if counts.max() >= PURE * counts.sum():
            found[tile] = values[counts.argmax()]
    return found


def resized(picture: Picture, edge: int) -> Picture:
    """Resize to a square of ``edge`` pixels; a smaller one has means of pixels, as a camera further away sees it."""
    if picture.shape[:2] == (edge, edge):
        return picture
    return np.asarray(Image.fromarray(picture).resize((edge, edge), Image.Resampling.BICUBIC))


def _laid(rows: Sequence[Sequence[Leaf]], edge: int) -> Sheet:
    pixels = np.zeros((len(rows) * edge, len(rows[0]) * edge, 3), np.uint8)
    truth = np.full(pixels.shape[:2], MIXED, np.uint8)
    for y, row in enumerate(rows):
        for x, leaf in enumerate(row):
            place = slice(y * edge, (y + 1) * edge), slice(x * edge, (x + 1) * edge)
            pixels[place] = resized(leaf.pixels, edge)
            truth[place] = leaf.label
    return Sheet(pixels, truth)


def _endless(pool: Sequence[Leaf], rng: np.random.Generator) -> Iterator[Leaf]:
    """Yield the leaves of a pool for ever: all of them in a random order before one comes again."""
    for _ in count():
        for number in rng.permutation(len(pool)):
            yield pool[int(number)]


def _piece(photograph: Picture, rng: np.random.Generator, *, edge: int, drawn: int, region: int) -> list[list[Leaf]]:
    """Cut a region out of a photograph of ground: rows of squares of ``drawn`` pixels that belong together."""
    side = min(region * edge, *photograph.shape[:2])
    top, left = (int(rng.integers(length - side + 1)) for length in photograph.shape[:2])
    piece = resized(photograph[top : top + side, left : left + side], region * drawn)
    return [
        [Leaf(piece[y * drawn :][:drawn, x * drawn : (x + 1) * drawn], GROUND) for x in range(region)]
        for y in range(region)
    ]


def _shaken(field: Sheet, shake: Shake, size: int) -> Sheet:
    """Turn the field, and cut a square of ``size`` pixels near its middle."""
    turned = Image.fromarray(field.pixels).rotate(shake.degrees, Image.Resampling.BICUBIC)
    truth = Image.fromarray(field.truth).rotate(shake.degrees, Image.Resampling.NEAREST, fillcolor=MIXED)
    middle = (field.truth.shape[0] - size) // 2
    left, top = middle + shake.left, middle + shake.top
    rows, columns = slice(top, top + size), slice(left, left + size)
    return Sheet(np.asarray(turned)[rows, columns], np.asarray(truth)[rows, columns])
