"""The plain ground of a picture of a single leaf: a table or a sheet of paper, whose colour changes slowly."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]
ROUNDS = 4
RING = 3  # cells along the border, in which the ground is looked for
BOX = 24  # levels of a colour that are counted as one
# Levels (root of the mean square of a cell's three differences) within which a cell of the border is ground.
NEAREST, NEAR = 9.0, 26.0
MIN_CELLS = 12  # for a plane of three numbers
# Beyond these no ground is plain. A table beside which the border shows a leaf, a stem or a shadow has 0.6 and more.
MIN_SHARE = 0.55
MAX_NOISE = 12.0
DARK = 40.0  # levels; no colour can be told below
# A leaf or soil that fills the border has a colour; paper and tables have little, cloth and plastic a blue one.
GREY, COLOURED, BLUER = 0.2, 0.45, 1.12


@dataclass(frozen=True, slots=True)
class PlainGround:
    """The colour of the ground in each cell, float32, (height, width, 3), 0 to 255, behind the leaf, too.

    ``noise``: its spread in levels; ``share``: of the border's cells that show it.
    """

    colour: Colours
    noise: float
    share: float

    @property
    def is_dark(self) -> bool:
        """True if it is too dark to have a hue."""
        return float(self.colour.mean()) < DARK

    @property
    def is_plain(self) -> bool:
        """True if it fills most of the border evenly, and has no colour of leaves or soil."""
        if self.share < MIN_SHARE or self.noise > MAX_NOISE:
            return False
        red, green, blue = (float(v) for v in self.colour.reshape(-1, 3).mean(axis=0))
        top = max(red, green, blue)
        saturation = (top - min(red, green, blue)) / max(top, 1.0)
        blueish = blue >= max(red, BLUER * green)
        return top < DARK or saturation < (COLOURED if blueish else GREY)


def plain_ground(cells: Colours) -> PlainGround:
    """Fit a plane of colour to most of the border of a picture: float32, (height, width, 3), 0 to 255.

    The leaf may cross the border: cells that are far from the plane are left out, in turns.
    """
    height, width = cells.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    places = np.stack([np.ones_like(x), x / width - 0.5, y / height - 0.5], axis=-1)
    here, seen = _border(places), _border(cells)
    weights = np.zeros((3, 3), np.float32)
    weights[0] = _mode(seen)
    spread, limit, near = NEAR, NEAR, np.zeros(len(seen), bool)
    for _ in range(ROUNDS):
        away = seen - here @ weights
        near = np.sqrt((away**2).mean(axis=1)) < limit
        if near.sum() < MIN_CELLS:
            break
        weights = np.linalg.lstsq(here[near], seen[near], rcond=None)[0].astype(np.float32)
        spread = float(np.sqrt(((seen - here @ weights)[near] ** 2).mean()))
        limit = float(np.clip(3 * spread, NEAREST, NEAR))
    return PlainGround(places @ weights, spread, float(near.mean()))


def _border(cells: Colours) -> Colours:
    return np.concatenate(
        [
            cells[:RING].reshape(-1, 3),
            cells[-RING:].reshape(-1, 3),
            cells[RING:-RING, :RING].reshape(-1, 3),
            cells[RING:-RING, -RING:].reshape(-1, 3),
        ]
    )


def _mode(seen: Colours) -> Colours:
    """Return the colour that most of the border shows: the mean of the fullest box, and then of what is near it."""
    boxes = (seen // BOX).astype(np.int64) @ np.array([256, 16, 1])
    values, counts = np.unique(boxes, return_counts=True)
    middle = seen[boxes == values[counts.argmax()]].mean(axis=0)
    near = np.sqrt(((seen - middle) ** 2).mean(axis=1)) < NEAR
    return np.asarray(seen[near].mean(axis=0) if near.any() else middle, np.float32)
