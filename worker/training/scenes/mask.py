"""The leaf of a picture on a plain ground.

The ground is the colour of the border. A leaf differs from it in hue; a shadow is the same hue with less light, so the
distance is measured across the line from black to the ground's colour. Where that finds no single part with a clear
edge, there is no mask: a wrong one would teach pieces of tables as leaves.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from worker.training.scenes.parts import Mask, largest_part, without_holes
from worker.training.scenes.plain import RING, Colours, PlainGround, plain_ground

Picture = NDArray[np.uint8]
Distance = NDArray[np.float32]

CELLS = 112  # along the longer edge, in which the leaf is looked for
MIN_EDGE = 16  # pixels; a smaller picture has no mask
# Distances are shares of a cell's light: the sine of an angle of hues, damped by SOFTEN levels where it is dark.
SOFTEN = 25.0
DARK_SCALE = 60.0  # levels that count as 1 on a black ground
LIMITS = (0.045, 0.12)  # of the distance; between them the value that parts the picture best
NOISY = 3.0  # times the median distance of the border
# Deep shadow takes a brown tint from what is around; of less than this part of the ground's light, only green is leaf.
SHADOW, TINTED = 0.4, 0.4
# What is believable: area, other parts beside the leaf, the part of the border that it covers, the part of its edge
# that hardly differs from the ground. Chosen by eye on the sets of docs/decisions/0038.
AREA = (0.05, 0.9)
OTHER_PARTS = 0.25
ON_BORDER = 0.45
WEAK, WEAK_EDGE = 1.4, 0.4
NOTCH = 2.5  # cells; spread with which notches, where a leaf shines like the ground, are closed


def leaf_mask(picture: Picture) -> Mask | None:
    """Find the leaf of a picture on a plain ground: bool, (height, width), of uint8, (height, width, 3), RGB.

    Returns None where the ground is not plain (a field, a leaf that fills the picture) or the part that differs from
    it is not believable as one leaf. It knows nothing of crops. About 4 ms; a picture's mask is worth keeping.
    """
    height, width = picture.shape[:2]
    if min(height, width) < MIN_EDGE:
        return None
    scale = CELLS / max(height, width)
    size = max(MIN_EDGE, round(width * scale)), max(MIN_EDGE, round(height * scale))
    cells = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX), np.float32)
    ground = plain_ground(cells)
    if not ground.is_plain:
        return None
    away = _distance(cells, ground)
    limit = _limit(away)
    seen = away > limit
    leaf = without_holes(_closed(largest_part(_smooth(seen))))
    if not _is_believable(leaf, seen, away, limit):
        return None
    soft = _image(leaf).filter(ImageFilter.GaussianBlur(1.0)).resize((width, height), Image.Resampling.BILINEAR)
    return _bits(soft)


def _distance(cells: Colours, ground: PlainGround) -> Distance:
    """Return how far each cell is from the ground in any light of up to full strength, (height, width)."""
    colour = ground.colour
    if ground.is_dark:
        return np.asarray(np.sqrt(((cells - colour) ** 2).mean(axis=-1)) / DARK_SCALE, np.float32)
    light = np.clip((cells * colour).sum(axis=-1) / (colour * colour).sum(axis=-1), 0, 1)
    across = np.sqrt(((cells - light[..., None] * colour) ** 2).sum(axis=-1))
    away = across / (np.sqrt((cells * cells).sum(axis=-1)) + SOFTEN)
    tinted = (light < SHADOW) & (cells[..., 1] < cells[..., 0] + 2)
    return np.asarray(np.where(tinted, away * TINTED, away), np.float32)


def _limit(away: Distance) -> float:
    """Return the distance that parts the cells best (Otsu, 1979), within ``LIMITS`` and above the ground's noise."""
    counts = np.bincount(np.clip(away * 256, 0, 255).astype(np.int64).ravel(), minlength=256).astype(np.float64)
    below, sums = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    above = below[-1] - below
    between = (sums[-1] * below / below[-1] - sums) ** 2 / np.maximum(below * above, 1e-9)
    best = (float(between.argmax()) + 0.5) / 256
    border = np.concatenate(
        [away[:RING].ravel(), away[-RING:].ravel(), away[:, :RING].ravel(), away[:, -RING:].ravel()]
    )
    return float(np.clip(max(best, NOISY * float(np.median(border))), *LIMITS))


def _smooth(mask: Mask) -> Mask:
    return _bits(_image(mask).filter(ImageFilter.BoxBlur(1)))


def _closed(mask: Mask) -> Mask:
    """Close narrow notches: what is near the mask on both sides joins it."""
    height, width = mask.shape
    near = _image(np.pad(mask, 8)).filter(ImageFilter.GaussianBlur(NOTCH)).point([0] * 40 + [255] * 216)
    return np.asarray(mask | _inner(near)[8 : 8 + height, 8 : 8 + width])


def _is_believable(leaf: Mask, seen: Mask, away: Distance, limit: float) -> bool:
    area = float(leaf.mean())
    if not AREA[0] < area < AREA[1] or float((seen & ~leaf).mean()) > OTHER_PARTS * area:
        return False
    if np.concatenate([leaf[0], leaf[-1], leaf[:, 0], leaf[:, -1]]).mean() > ON_BORDER:
        return False
    edge = leaf & ~_inner(_image(leaf))
    return float((away[edge] < WEAK * limit).mean()) < WEAK_EDGE


def _inner(image: Image.Image) -> Mask:
    """Return the cells of a mask whose neighbours to the third are all in it."""
    return np.asarray(np.asarray(image.filter(ImageFilter.BoxBlur(3))) == 255)  # noqa: PLR2004  # all of them


def _image(mask: Mask) -> Image.Image:
    return Image.fromarray(mask * np.uint8(255))


def _bits(image: Image.Image) -> Mask:
    return np.asarray(np.asarray(image) > 127)  # noqa: PLR2004  # half
