"""A leaf on another ground, and its own ground without it."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from worker.training.scenes.parts import Mask
from worker.training.scenes.plain import NEAREST, RING, plain_ground

Picture = NDArray[np.uint8]
Cells = NDArray[np.float32]

# All in parts of a picture's longer edge.
SOFT = (0.003, 0.01)
SHADOW_SHIFT = 0.04
SHADOW_SOFT = (0.01, 0.05)
SHADOW_DEPTH = (0.0, 0.55)
# Of a ground alone: cells along the longer edge in which it is looked for, those around the leaf that its colour and
# its shadow touch, those of the slow changes of its colour, and the least share of one that must show.
CELLS, MARGIN = 56, 2
COARSE, ENOUGH = 14, 0.3
ODD = 3.0  # times the noise of the ground: what is further away is none
# Half of a blurred edge lies outside of the leaf, and would take its old ground along: the curve brings it in.
INWARDS = [max(0, 2 * value - 255) for value in range(256)]
ROLLS = 4  # places where a texture is looked for
NO_TEXTURE = 128  # levels
TOUCHED = [0] * 4 + [255] * 252  # one of the cells around


def pasted(picture: Picture, mask: Mask, ground: Picture, rng: np.random.Generator) -> Picture:
    """Lay the leaf of a picture on another ground, with a soft edge and a slight shadow.

    Args:
        picture: uint8, (height, width, 3).
        mask: bool, (height, width): the leaf.
        ground: uint8, (any height, any width, 3); it is resized where it has another size.
        rng: chooses the softness and the shadow.

    Returns:
        uint8, (height, width, 3); the leaf stays where it is.
    """
    height, width = mask.shape
    edge = max(height, width)
    under = Image.fromarray(ground)
    if under.size != (width, height):
        under = under.resize((width, height), Image.Resampling.BILINEAR)
    leaf = _image(mask)
    shade = leaf.filter(ImageFilter.BoxBlur(rng.uniform(*SHADOW_SOFT) * edge))
    across, down = (round(float(v) * edge) for v in rng.uniform(-SHADOW_SHIFT, SHADOW_SHIFT, 2))
    depth = rng.uniform(*SHADOW_DEPTH)
    shadow = Image.new("L", (width, height))
    shadow.paste(shade, (across, down))
    under.paste((0, 0, 0), mask=shadow.point([round(depth * value) for value in range(256)]))
    under.paste(
        Image.fromarray(picture), mask=leaf.filter(ImageFilter.GaussianBlur(rng.uniform(*SOFT) * edge)).point(INWARDS)
    )
    return np.asarray(under)


def ground_alone(picture: Picture, mask: Mask, rng: np.random.Generator) -> Picture:
    """Fill the place of the leaf and of its shadow with the ground's own colours and texture: as ``picture``.

    The colours come from what is around, the texture from another place of the same picture.
    """
    hidden = _hidden(picture, mask)
    bare = np.asarray(hidden) == 0
    if not bare.any():
        return picture
    before = Image.fromarray(picture)
    slow = _slow(picture, bare)
    texture = ImageChops.subtract(before, slow, offset=NO_TEXTURE)
    free, left = ImageChops.invert(hidden), hidden
    filled = Image.new("RGB", before.size, (NO_TEXTURE,) * 3)
    for _ in range(ROLLS):
        across, down = int(rng.integers(before.width)), int(rng.integers(before.height))
        there = ImageChops.darker(ImageChops.offset(free, across, down), left)
        filled.paste(ImageChops.offset(texture, across, down), mask=there)
        left = ImageChops.subtract(left, there)
    made = ImageChops.add(slow, filled, offset=-NO_TEXTURE)
    return np.asarray(Image.composite(made, before, hidden.filter(ImageFilter.BoxBlur(2))))


def _hidden(picture: Picture, mask: Mask) -> Image.Image:
    """Return where the ground does not show (``L``, 255): on the leaf, around it, and where its colour is another."""
    height, width = mask.shape
    edge = max(height, width)
    size = max(2 * RING + 2, CELLS * width // edge), max(2 * RING + 2, CELLS * height // edge)
    cells = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX), np.float32)
    ground = plain_ground(cells)
    other = np.sqrt(((cells - ground.colour) ** 2).mean(axis=-1)) > max(NEAREST, ODD * ground.noise)
    leaf = np.asarray(_image(mask).resize(size, Image.Resampling.BOX)) > 0
    near = _image(other | leaf).filter(ImageFilter.BoxBlur(MARGIN)).point(TOUCHED)
    return near.resize((width, height), Image.Resampling.NEAREST)


def _slow(picture: Picture, bare: NDArray[np.bool_]) -> Image.Image:
    """Return the slow changes of colour of what is bare, spread over the rest: means of cells, and of those around."""
    height, width = bare.shape
    size = max(2, COARSE * width // max(height, width)), max(2, COARSE * height // max(height, width))
    weight: Cells = np.asarray(_image(bare).resize(size, Image.Resampling.BOX), np.float32)[..., None] / np.float32(255)
    sums: Cells = np.asarray(Image.fromarray(picture * bare[..., None]).resize(size, Image.Resampling.BOX), np.float32)
    # Cells that show little of the ground take from their neighbours, in turns.
    while weight.min() <= ENOUGH:
        few = weight <= ENOUGH
        sums, weight = np.where(few, _around(sums), sums), np.where(few, _around(weight), weight)
    colours = np.clip(sums / weight, 0, 255).astype(np.uint8)
    return Image.fromarray(colours).resize((width, height), Image.Resampling.BICUBIC)


def _around(cells: Cells) -> Cells:
    """Add up a cell and its eight neighbours."""
    wide = np.pad(cells, ((1, 1), (1, 1), (0, 0)))
    rows = wide[:-2] + wide[1:-1] + wide[2:]
    return np.asarray(rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:], np.float32)


def _image(mask: NDArray[np.bool_]) -> Image.Image:
    return Image.fromarray(mask * np.uint8(255))
