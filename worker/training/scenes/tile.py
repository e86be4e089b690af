"""A picture as a tile of a larger photograph would show it: several leaves, cut by its edges, with what lies about."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from worker.training.scenes import things
from worker.training.scenes.lamps import in_shadow, under_lamps
from worker.training.scenes.parts import Mask
from worker.training.scenes.paste import INWARDS

Picture = NDArray[np.uint8]
Label = TypeVar("Label", bound=Hashable)
Thing = Callable[[Image.Image, np.random.Generator], object]

SCALES = (0.5, 2.0)  # of a leaf's picture, over the tile
# Of one to six leaves: few, because each costs about a millisecond.
COUNTS = (0.28, 0.24, 0.18, 0.13, 0.1, 0.07)
MIN_LEAF = 0.15  # of a tile's pixels; a tile with less leaf is ground
# The chance of each thing under the leaves, and over them.
UNDER: Sequence[tuple[Thing, float]] = (
    (things.patch_of_soil, 0.12),
    (things.rim_of_a_pot, 0.1),
    (things.stems, 0.35),
)
HANDS = 0.1
SHADOWS = 0.3
DROPS = 0.12
LAMPS = 0.05
LEAF_SHADOWS = 0.5
WHOLE = 0.7  # of the first leaves without a mask, where the picture fills the tile: no edge is made
# The edge that a leaf without a mask gets: its picture to this part of its half, and waves of a part of that.
REACH, WAVES = 0.92, 0.16
CELLS, EDGES = 24, 16
MIDDLES = (-0.05, 1.05)  # of leaves, in parts of the tile's edge
SHADOW_SOFT = 0.015
HALVED = 1.6  # times smaller: a picture that loses more is halved first, so that it does not flicker
SHADE = [value * 2 // 5 for value in range(256)]
HALF = [0] * 128 + [255] * 128
AFFINE, BILINEAR = Image.Transform.AFFINE, Image.Resampling.BILINEAR


@dataclass(frozen=True, slots=True)
class Leaf:
    """A picture of a leaf, uint8, (height, width, 3), and its mask, bool, (height, width), if one was found."""

    pixels: Picture
    mask: Mask | None = None


@dataclass(frozen=True, slots=True)
class LeafTile(Generic[Label]):
    """A made tile, uint8, (edge, edge, 3), with its truth.

    ``shares``: the part of its pixels that each label covers, 0 to 1; of a leaf without a mask its whole picture
    counts. ``lamps``: True if purple or amber lamps light it.
    """

    pixels: Picture
    shares: Mapping[Label, float]
    lamps: bool

    @property
    def leaf_share(self) -> float:
        """The part of its pixels that leaves cover, 0 to 1."""
        return sum(self.shares.values())

    @property
    def is_ground(self) -> bool:
        """True if its leaves are too little to be told: less than ``MIN_LEAF``."""
        return self.leaf_share < MIN_LEAF


def count_of_leaves(rng: np.random.Generator) -> int:
    """Draw how many leaves a tile has: one to six, in the mean 2.7."""
    return 1 + int(rng.choice(len(COUNTS), p=COUNTS))


def leaf_tile(
    leaves: Sequence[Leaf], labels: Sequence[Label], ground: Picture, rng: np.random.Generator
) -> LeafTile[Label]:
    """Lay leaves on a ground, each at a random scale of ``SCALES``, place and angle, the later ones over the earlier.

    Args:
        leaves: one to six; each is drawn in ``SCALES`` of the tile's edge.
        labels: of each leaf; equal ones are added up.
        ground: uint8, (edge, edge, 3): the tile's size, 224 to 256 pixels.
        rng: chooses.

    Returns:
        the tile; its labels are those that cover a pixel.
    """
    picture = Image.fromarray(ground)
    owner = Image.new("L", picture.size)
    for thing, chance in UNDER:
        if rng.random() < chance:
            thing(picture, rng)
    for number, leaf in enumerate(leaves):
        _lay(picture, owner, leaf, number + 1, rng)
    if rng.random() < HANDS:
        owner.paste(0, mask=things.hand(picture, rng))
    if rng.random() < DROPS:
        things.drops(picture, rng)
    if rng.random() < SHADOWS:
        in_shadow(picture, rng)
    lamps = bool(rng.random() < LAMPS)
    if lamps:
        picture = under_lamps(picture, rng)
    return LeafTile(np.asarray(picture), _shares(owner, labels), lamps)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a leaf's picture lies in a tile: its middle in pixels, its size over that of its pixels, its turn."""

    x: float
    y: float
    scale: float
    angle: float
    flip: int

    @classmethod
    def by_chance(cls, edge: int, longest: int, scale: float, rng: np.random.Generator, *, whole: bool) -> "_Place":
        """Draw a place; a ``whole`` picture covers the tile, so its edges must lie outside."""
        flip = -1 if rng.random() < 0.5 else 1  # noqa: PLR2004  # a coin
        if whole:
            angle = float(rng.integers(4)) * np.pi / 2
            x, y = (edge / 2 * (1 + float(v) * (scale - 1)) for v in rng.uniform(-1, 1, 2))
        else:
            angle = float(rng.uniform(0, 2 * np.pi))
            x, y = (edge * float(v) for v in rng.uniform(*MIDDLES, 2))
        return cls(x, y, scale * edge / longest, angle, flip)

    def box(self, size: tuple[int, int], edge: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom of what the tile shows of it, in pixels of the tile."""
        cos, sin = abs(np.cos(self.angle)), abs(np.sin(self.angle))
        half = self.scale / 2 * (cos * size[0] + sin * size[1]), self.scale / 2 * (sin * size[0] + cos * size[1])
        left, top = max(0, int(self.x - half[0])), max(0, int(self.y - half[1]))
        return left, top, min(edge, int(self.x + half[0]) + 1), min(edge, int(self.y + half[1]) + 1)

    def matrix(self, size: tuple[int, int], left: int, top: int) -> tuple[float, ...]:
        """Return what gives the pixel of the leaf for one of the box, as Pillow takes it."""
        cos, sin = np.cos(self.angle) / self.scale, np.sin(self.angle) / self.scale
        a, b, d, e = self.flip * cos, self.flip * sin, -sin, cos
        x, y = left - self.x, top - self.y
        return a, b, size[0] / 2 + a * x + b * y, d, e, size[1] / 2 + d * x + e * y


def _lay(picture: Image.Image, owner: Image.Image, leaf: Leaf, number: int, rng: np.random.Generator) -> None:
    """Lay one leaf; in ``owner`` its pixels get its number."""
    edge = picture.width
    scale = float(np.exp(rng.uniform(*np.log(SCALES))))
    whole = number == 1 and _can_fill(leaf, scale) and rng.random() < WHOLE
    place = _Place.by_chance(edge, max(leaf.pixels.shape), scale, rng, whole=whole)
    image = _cut_out(leaf, rng, whole=whole)
    if place.scale < 1 / HALVED:
        image = image.reduce(2)
        place = replace(place, scale=place.scale * 2)
    left, top, right, bottom = place.box(image.size, edge)
    if right <= left or bottom <= top:
        return
    matrix = place.matrix(image.size, left, top)
    turned = image.transform((right - left, bottom - top), AFFINE, matrix, BILINEAR)
    seen = turned.getchannel("X")
    if not whole:
        seen = seen.point(INWARDS)
        if rng.random() < LEAF_SHADOWS:
            across, down = (int(v) for v in rng.integers(-edge // 24, edge // 24 + 1, 2))
            shade = seen.filter(ImageFilter.BoxBlur(SHADOW_SOFT * edge)).point(SHADE)
            picture.paste((0, 0, 0), (left + across, top + down), shade)
    picture.paste(turned.convert("RGB"), (left, top), seen)
    owner.paste(number, (left, top), seen.point(HALF))


def _can_fill(leaf: Leaf, scale: float) -> bool:
    """Return True if its picture can cover a whole tile."""
    return leaf.mask is None and scale >= 1 and leaf.pixels.shape[0] == leaf.pixels.shape[1]


def _cut_out(leaf: Leaf, rng: np.random.Generator, *, whole: bool) -> Image.Image:
    """Return its pixels and, in the fourth channel, what of them is drawn (``RGBX``, which no step multiplies)."""
    image = Image.fromarray(leaf.pixels)
    if leaf.mask is not None:
        cover = Image.fromarray(leaf.mask * np.uint8(255))
        box = cover.getbbox()
        return _joined(image.crop(box), cover.crop(box)) if box else _joined(image, cover)
    if whole:
        return _joined(image, Image.new("L", image.size, 255))
    return _joined(image, _uneven(int(rng.integers(EDGES))).resize(image.size, BILINEAR))


def _joined(image: Image.Image, cover: Image.Image) -> Image.Image:
    return Image.merge("RGBX", (*image.split(), cover))


@cache
def _uneven(number: int) -> Image.Image:
    """Return the inside of a square with round corners and a waved edge (``L``): one of ``EDGES``."""
    y, x = np.mgrid[:CELLS, :CELLS] / (CELLS - 1) * 2 - 1
    angle, waves = np.arctan2(y, x), np.random.default_rng(number).uniform(0, 2 * np.pi, 3)
    wave = sum(np.sin((n + 2) * angle + phase) for n, phase in enumerate(waves)) / len(waves)
    inside = (REACH * (1 - WAVES * (1 + wave) / 2) - (np.abs(x) ** 3 + np.abs(y) ** 3) ** (1 / 3)) * 8
    return Image.fromarray((np.clip(inside + 0.5, 0, 1) * 255).astype(np.uint8))


def _shares(owner: Image.Image, labels: Sequence[Label]) -> dict[Label, float]:
    counts = owner.histogram()
    total = owner.width * owner.height
    shares: dict[Label, float] = {}
    for number, label in enumerate(labels, start=1):
        if counts[number]:
            shares[label] = shares.get(label, 0.0) + counts[number] / total
    return shares
