"""Pictures that must not get a diagnosis: those without a leaf, and those that are too blurred.

They are generated at random, so that a classifier learns to ask for a review without a collection of such pictures.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Picture = NDArray[np.uint8]
BLUR = (2.2, 9.0)  # standard deviation in pixels, of a picture of 224
MOTION = (8, 40)  # pixels


def junk(size: tuple[int, int], rng: np.random.Generator) -> Picture:
    """Make a picture without a leaf: uint8, (height, width, 3). Flat, dark, noisy, striped, written or drawn on."""
    kind = KINDS[int(rng.integers(len(KINDS)))]
    return np.clip(kind(size, rng), 0, 255).astype(np.uint8)


def blurred(picture: Picture, rng: np.random.Generator) -> Picture:
    """Blur a picture, by focus or by movement: uint8, (height, width, 3)."""
    image = Image.fromarray(picture)
    if rng.random() < 0.5:  # noqa: PLR2004  # a coin
        return np.asarray(image.filter(ImageFilter.GaussianBlur(rng.uniform(*BLUR) * picture.shape[0] / 224)))
    return _moved(np.asarray(image.filter(ImageFilter.GaussianBlur(1.2))), rng)


def canopy(leaves: Sequence[Picture], rng: np.random.Generator) -> Picture:
    """Make a picture of plants from far above, without a recognisable leaf: uint8, (height, width, 3).

    Small copies of close photographs, turned and laid over each other with soft edges.
    """
    height, width = leaves[0].shape[:2]
    ground = np.ones((height, width, 3), np.float32) * leaves[0].reshape(-1, 3).mean(axis=0)
    edge = int(rng.integers(height // 20, height // 4))
    soft = np.outer(np.hanning(edge + 2)[1:-1], np.hanning(edge + 2)[1:-1])[..., None].astype(np.float32) ** 0.3
    copies = [np.asarray(Image.fromarray(leaf).resize((edge, edge), Image.Resampling.BOX)) for leaf in leaves]
    for _ in range(3 * (height // edge + 1) * (width // edge + 1)):
        top, left = int(rng.integers(1 - edge // 2, height)), int(rng.integers(1 - edge // 2, width))
        copy = np.rot90(copies[int(rng.integers(len(copies)))], int(rng.integers(4)))
        rows, columns = slice(max(0, top), min(height, top + edge)), slice(max(0, left), min(width, left + edge))
        inner = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
        share = soft[inner]
        ground[rows, columns] = ground[rows, columns] * (1 - share) + copy[inner] * share
    return np.asarray(np.clip(ground, 0, 255), np.uint8)


def _moved(picture: Picture, rng: np.random.Generator) -> Picture:
    """Average along one axis, as when the drone or the hand moves."""
    length = int(rng.integers(*MOTION))
    axis = int(rng.integers(2))
    sums = np.cumsum(np.pad(picture.astype(np.float32), _padding(axis, length), "edge"), axis=axis)
    ahead = np.take(sums, range(length, sums.shape[axis]), axis=axis)
    behind = np.take(sums, range(sums.shape[axis] - length), axis=axis)
    return np.clip((ahead - behind) / length, 0, 255).astype(np.uint8)


def _padding(axis: int, length: int) -> list[tuple[int, int]]:
    padding = [(0, 0), (0, 0), (0, 0)]
    padding[axis] = (length // 2 + 1, length - length // 2 - 1)
    return padding


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    red, green, blue = (int(v) for v in rng.integers(0, 256, 3))
    return red, green, blue


def _flat(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    return np.ones((*size, 3)) * _colour(rng)


def _dark(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.normal(rng.uniform(0, 20), rng.uniform(1, 6), (*size, 3))


def _noise(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.normal(rng.uniform(60, 200), rng.uniform(20, 90), (*size, 3))


def _gradient(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    ramp = np.linspace(0, 1, size[0])[:, None, None] * np.ones((1, size[1], 1))
    return ramp * _colour(rng) + (1 - ramp) * _colour(rng)


def _clouds(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    edge = int(rng.integers(2, 40))
    small = Image.fromarray(rng.integers(0, 256, (edge, edge, 3)).astype(np.uint8))
    return np.asarray(small.resize(size[::-1], Image.Resampling.BICUBIC)) + rng.normal(
        0, rng.uniform(0, 12), (*size, 3)
    )


def _stripes(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    y, x = np.mgrid[: size[0], : size[1]] / size[0]
    angle = rng.uniform(0, np.pi)
    wave = np.sin(2 * np.pi * rng.uniform(2, 30) * (np.cos(angle) * x + np.sin(angle) * y))[..., None] / 2 + 0.5
    return np.asarray(wave * _colour(rng) + (1 - wave) * _colour(rng), np.float64)


def _page(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    image = Image.new("RGB", size[::-1], _colour(rng))
    draw = ImageDraw.Draw(image)
    ink = _colour(rng)
    for y in range(8, size[0], int(rng.integers(11, 24))):
        draw.text((8, y), "".join(chr(int(c)) for c in rng.integers(33, 126, 40)), fill=ink)
    return np.asarray(image, np.float64)


def _shapes(size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    image = Image.new("RGB", size[::-1], _colour(rng))
    draw = ImageDraw.Draw(image)
    for number in range(int(rng.integers(3, 16))):
        x, y = (int(v) for v in rng.integers(0, max(size), 2))
        width, height = (int(v) for v in rng.integers(8, max(size) // 2, 2))
        (draw.ellipse if number % 2 else draw.rectangle)((x, y, x + width, y + height), fill=_colour(rng))
    return np.asarray(image, np.float64)


KINDS: Sequence[Callable[[tuple[int, int], np.random.Generator], NDArray[np.float64]]] = (
    _flat,
    _dark,
    _noise,
    _gradient,
    _clouds,
    _stripes,
    _page,
    _shapes,
)
