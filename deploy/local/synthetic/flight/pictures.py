"""Thousands of small photos in seconds: a few leaves are drawn, each photo is a part of one, turned and lit anew."""

from types import MappingProxyType

import numpy as np
from PIL import Image, ImageEnhance

from deploy.local.synthetic.scene import Kind, render

EDGE = 256  # pixels of a photo
DRAWN_EDGE = 288  # pixels of what the photos are cut from
# The leaves that are drawn, by their seeds. The shipped classifier knows these healthy and rusty ones, so that a map of
# its answers shows the field; drawn mildew it does not know, whichever.
DRAWN = MappingProxyType(
    {
        Kind.HEALTHY: (4, 5, 6, 8, 9, 10, 11, 12, 15, 17, 18, 19, 20, 21, 24, 25, 26, 27, 28, 29, 30, 31, 33, 34),
        Kind.RUST: (0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21),
        Kind.POWDERY_MILDEW: tuple(range(8)),
    }
)
LIGHT = (0.92, 1.08)
TURNS = (
    None,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_270,
)


class Leaves:
    """The drawn leaves, made on demand."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn: dict[tuple[Kind, int], Image.Image] = {}

    def photo(self, kind: Kind, rng: np.random.Generator) -> Image.Image:
        """Make a photo of ``EDGE`` pixels that shows this kind."""
        leaf = self._leaf(kind, int(rng.choice(DRAWN[kind])))
        left, top = rng.integers(DRAWN_EDGE - EDGE + 1, size=2).tolist()
        part = leaf.crop((left, top, left + EDGE, top + EDGE))
        turn = TURNS[rng.integers(len(TURNS))]
        part = part if turn is None else part.transpose(turn)
        return ImageEnhance.Brightness(part).enhance(rng.uniform(*LIGHT))

    def _leaf(self, kind: Kind, number: int) -> Image.Image:
        if (kind, number) not in self._drawn:
            self._drawn[kind, number] = render(kind, (DRAWN_EDGE, DRAWN_EDGE), self._seed * 1_000_003 + number)
        return self._drawn[kind, number]
