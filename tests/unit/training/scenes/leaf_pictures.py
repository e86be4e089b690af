"""Drawn pictures of leaves, whose mask is known."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Picture = NDArray[np.uint8]
EDGE = 224
GREEN = (60, 110, 50)
TABLE = (150, 144, 152)


def table(size: tuple[int, int] = (EDGE, EDGE), colour: tuple[int, int, int] = TABLE, seed: int = 0) -> Picture:
    """A grey table with grains, lighter on the right."""
    grains = np.random.default_rng(seed).normal(0, 3, (*size, 1)) + np.linspace(-10, 10, size[1])[None, :, None]
    return np.clip(np.array(colour) + grains, 0, 255).astype(np.uint8)


def leaf_on(
    ground: Picture, *, colour: tuple[int, int, int] = GREEN, shadow: bool = False
) -> tuple[Picture, NDArray[np.bool_]]:
    """A leaf in the middle of a ground, with its mask."""
    height, width = ground.shape[:2]
    cover = Image.new("L", (width, height))
    ImageDraw.Draw(cover).ellipse((width * 0.3, height * 0.15, width * 0.7, height * 0.85), 255)
    picture = Image.fromarray(ground)
    if shadow:
        moved = Image.new("L", cover.size)
        moved.paste(cover.filter(ImageFilter.GaussianBlur(2)).point([v * 3 // 4 for v in range(256)]), (12, 9))
        picture.paste((0, 0, 0), mask=moved)
    picture.paste(colour, mask=cover)
    return np.asarray(picture), np.asarray(cover) > 127


def overlap(found: NDArray[np.bool_], mask: NDArray[np.bool_]) -> float:
    """What is in both, over what is in one of them."""
    return float((found & mask).sum() / (found | mask).sum())
