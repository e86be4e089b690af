"""Grounds without files: soil, gravel, water, wood, concrete, dark foil, paper, grass out of focus."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Picture = NDArray[np.uint8]
Levels = NDArray[np.float32]
Size = tuple[int, int]
Colour = tuple[float, float, float]

# Pairs of colours, darkest and lightest, between which a ground lies; each channel varies by TINT levels, and the light
# by a factor.
TINT = 9.0
LIGHT = (0.7, 1.2)
SOILS: Sequence[tuple[Colour, Colour]] = (
    ((45, 32, 22), (120, 92, 66)),
    ((92, 52, 36), (190, 122, 92)),
    ((110, 92, 66), (205, 182, 148)),
    ((60, 55, 50), (140, 132, 124)),
)
STONES: Sequence[tuple[Colour, Colour]] = (((62, 60, 58), (190, 186, 180)), ((88, 74, 60), (205, 190, 168)))
WATERS: Sequence[tuple[Colour, Colour]] = (
    ((18, 38, 50), (110, 140, 156)),
    ((38, 46, 34), (134, 142, 118)),
    ((66, 54, 38), (164, 148, 118)),
)
WOODS: Sequence[tuple[Colour, Colour]] = (((84, 56, 34), (182, 138, 96)), ((112, 106, 98), (188, 180, 170)))
CONCRETES: Sequence[tuple[Colour, Colour]] = (
    ((96, 96, 96), (172, 170, 166)),
    ((140, 136, 146), (202, 198, 206)),
    ((60, 60, 64), (110, 110, 112)),
)
FOILS: Sequence[tuple[Colour, Colour]] = (((8, 8, 10), (96, 98, 104)), ((16, 22, 30), (120, 128, 136)))
PAPERS: Sequence[tuple[Colour, Colour]] = (
    ((176, 174, 170), (250, 249, 246)),
    ((150, 158, 170), (226, 232, 240)),
    ((128, 112, 92), (206, 190, 164)),
)
GRASSES: Sequence[tuple[Colour, Colour]] = (((24, 46, 18), (146, 176, 92)), ((74, 78, 36), (196, 190, 118)))


def made_ground(size: Size, rng: np.random.Generator) -> Picture:
    """Make a ground of any kind by chance: uint8, (height, width, 3)."""
    return KINDS[int(rng.integers(len(KINDS)))](size, rng)


def soil(size: Size, rng: np.random.Generator) -> Picture:
    """Make soil: crumbs on clods."""
    return _coloured(_noise(size, (4, 18, 60, 140), (1, 1, 1, 0.8), rng), SOILS, rng)


def _gravel(size: Size, rng: np.random.Generator) -> Picture:
    """Make stones: levels of a noise, each of another grey, with dark gaps between them."""
    stones = _noise(size, (int(rng.integers(12, 50)), 90), (1, 0.2), rng) * float(rng.uniform(5, 9))
    greys = rng.uniform(0.3, 1, 12).astype(np.float32)[stones.astype(np.int64) % 12]
    gap = np.clip(np.abs(stones % 1 - 0.5) * 6 - 0.3, 0, 1)
    return _coloured(greys * (1 - 0.6 * np.clip(gap - 1, 0, 1)) * np.clip(0.4 + gap, 0, 1), STONES, rng)


def _water(size: Size, rng: np.random.Generator) -> Picture:
    """Make ripples, with lights on some."""
    ripples = _noise(size, (4, (24, 7), (70, 20)), (1, 1, 0.6), rng)
    return _coloured(np.clip(0.75 * ripples + 1.2 * np.clip(ripples - 0.68, 0, 1), 0, 1), WATERS, rng)


def _wood(size: Size, rng: np.random.Generator) -> Picture:
    """Make planks, with their grain."""
    grain = _noise(size, ((40, 3), (120, 5), (3, 3)), (1, 0.7, 0.6), rng)
    planks = int(rng.integers(1, 5))
    at = np.arange(size[0]) * planks / size[0] + rng.uniform(0, 1)
    lights = rng.uniform(0.8, 1.1, planks + 2)[at.astype(np.int64)] * np.where(at % 1 < 0.025 * planks, 0.35, 1)
    return _coloured(grain * lights[:, None].astype(np.float32), WOODS, rng)


def _concrete(size: Size, rng: np.random.Generator) -> Picture:
    """Make concrete or a table: slow stains and fine grains."""
    fine = float(rng.uniform(0.1, 0.6))
    return _coloured(_noise(size, (3, 12, 200), (1, 0.5, fine), rng), CONCRETES, rng)


def _foil(size: Size, rng: np.random.Generator) -> Picture:
    """Make the dark foil of a greenhouse's ground: light on its folds, or a weave."""
    folds = 1 - np.abs(_noise(size, (4, (int(rng.integers(6, 20)), 5)), (1, 1), rng) - 0.5) * 5
    weave = np.indices(size).sum(axis=0) % int(rng.integers(2, 7)) * float(rng.uniform(0, 0.08))
    return _coloured(np.clip(folds, 0, 1) ** 3 * float(rng.uniform(0.3, 1)) + weave.astype(np.float32), FOILS, rng)


def _paper(size: Size, rng: np.random.Generator) -> Picture:
    """Make paper or cloth: one colour in uneven light."""
    return _coloured(0.4 + 0.6 * _noise(size, (2, 160), (1, float(rng.uniform(0, 0.15))), rng), PAPERS, rng)


def _grass(size: Size, rng: np.random.Generator) -> Picture:
    """Make grass or foliage that is out of focus: no leaf of it can be told."""
    blades = _coloured(_noise(size, (5, (12, 40)), (1, 0.8), rng), GRASSES, rng)
    blur = ImageFilter.BoxBlur(float(rng.uniform(0.015, 0.05)) * size[0])
    return np.asarray(Image.fromarray(blades).filter(blur))


def _noise(
    size: Size, cells: Sequence[int | tuple[int, int]], weights: Sequence[float], rng: np.random.Generator
) -> Levels:
    """Add up noises of so many cells (down, across) each, by their weights: 0 to 1, (height, width)."""
    total = np.zeros(size, np.float32)
    for each, weight in zip(cells, weights, strict=True):
        down, across = each if isinstance(each, tuple) else (each, each)
        grains = rng.integers(0, 256, (min(down, size[0]), min(across, size[1])), dtype=np.uint8)
        total += np.asarray(Image.fromarray(grains).resize(size[::-1], Image.Resampling.BICUBIC)) * np.float32(weight)
    low, high = float(total.min()), float(total.max())
    return (total - low) / max(high - low, 1.0)


def _coloured(levels: Levels, pairs: Sequence[tuple[Colour, Colour]], rng: np.random.Generator) -> Picture:
    """Colour levels (0 to 1; what is beyond is cut) from the dark to the light colour of one of some pairs."""
    dark, light = np.array(pairs[int(rng.integers(len(pairs)))]) + rng.uniform(-TINT, TINT, (2, 3))
    table = np.clip(np.linspace(dark, light, 256) * rng.uniform(*LIGHT), 0, 255).astype(np.uint8)
    picture = np.take(table, np.clip(levels * 255, 0, 255).astype(np.uint8), axis=0)
    turned: Picture = np.rot90(picture, 2 * int(rng.integers(2)))
    return np.ascontiguousarray(turned)


KINDS: Sequence[Callable[[Size, np.random.Generator], Picture]] = (
    soil,
    _gravel,
    _water,
    _wood,
    _concrete,
    _foil,
    _paper,
    _grass,
)
