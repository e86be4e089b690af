"""Things that lie beside leaves, under and over them: stems, soil, rims of pots, hands, drops of water.

Each draws on a picture (``RGB``) in place; a hand, which lies over leaves, returns what it covers (``L``, 255).
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from worker.training.scenes.made import soil

Colour = tuple[int, int, int]
Point = tuple[float, float]

# Lowest and highest colours.
STEMS: Sequence[tuple[Colour, Colour]] = (((60, 90, 35), (150, 175, 95)), ((70, 48, 34), (150, 118, 88)))
POTS: Sequence[tuple[Colour, Colour]] = (
    ((140, 66, 40), (198, 112, 76)),
    ((14, 14, 16), (52, 52, 56)),
    ((190, 190, 186), (244, 244, 240)),
    ((30, 70, 42), (70, 120, 84)),
)
SKINS: Sequence[tuple[Colour, Colour]] = (((70, 44, 32), (130, 88, 66)), ((150, 104, 78), (232, 190, 166)))
# Parts of a picture's edge.
STEM = (0.008, 0.035)
RIM = (0.02, 0.08)
FINGER = (0.09, 0.2)
DROP = (0.012, 0.045)
COARSE = 2  # hands and patches are drawn in pixels of so many: their edges are soft


def stems(picture: Image.Image, rng: np.random.Generator) -> None:
    """Draw one to three stems from side to side."""
    draw, edge = ImageDraw.Draw(picture), picture.width
    for _ in range(int(rng.integers(1, 4))):
        colour, width = _colour(STEMS, rng), max(2, round(edge * rng.uniform(*STEM)))
        points = _bent(rng, edge)
        draw.line(points, colour, width, joint="curve")
        light = tuple(min(255, value + 28) for value in colour)
        draw.line([(x - width / 5, y - width / 5) for x, y in points], light, max(1, width // 3))


def patch_of_soil(picture: Image.Image, rng: np.random.Generator) -> None:
    """Lay soil over a part."""
    edge = picture.width
    where = _patch(picture.size, rng, (rng.uniform(0, edge), rng.uniform(0, edge)), edge * rng.uniform(0.2, 0.5))
    picture.paste(Image.fromarray(soil((picture.height, edge), rng)), mask=where)


def rim_of_a_pot(picture: Image.Image, rng: np.random.Generator) -> None:
    """Draw a part of a round pot, dark inside."""
    draw, edge = ImageDraw.Draw(picture), picture.width
    across, down = edge * rng.uniform(0.35, 1.1), edge * rng.uniform(0.3, 1.0)
    x, y = rng.uniform(-0.2, 1.2, 2) * edge
    box = (x - across, y - down, x + across, y + down)
    inside = _colour((((28, 20, 14), (92, 70, 52)),), rng)
    draw.ellipse(box, inside, _colour(POTS, rng), max(3, round(edge * rng.uniform(*RIM))))


def hand(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Let one to three fingers reach in from outside."""
    width, height = picture.width // COARSE, picture.height // COARSE
    cover = Image.new("L", (width, height))
    draw, edge = ImageDraw.Draw(cover), float(width)
    thick = edge * rng.uniform(*FINGER)
    angle = rng.uniform(0, 2 * np.pi)
    along, beside = (np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))
    for finger in range(int(rng.integers(1, 4))):
        aside = (finger - 1) * thick * 1.05
        tip = edge * rng.uniform(0.05, 0.35)
        x, y = (edge / 2 + tip * a + aside * b for a, b in zip(along, beside, strict=True))
        draw.line((x, y, x + 2 * edge * along[0], y + 2 * edge * along[1]), 255, round(thick))
        draw.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), 255)
    skin = _colour(SKINS, rng)
    dark = tuple(round(value * 0.72) for value in skin)
    inner = cover.filter(ImageFilter.BoxBlur(thick / 5)).point([max(0, 2 * value - 255) for value in range(256)])
    cover = cover.resize(picture.size, Image.Resampling.BILINEAR)
    picture.paste(dark, mask=cover)
    picture.paste(skin, mask=inner.resize(picture.size, Image.Resampling.BILINEAR))
    return cover


def drops(picture: Image.Image, rng: np.random.Generator) -> None:
    """Lay one to six drops of water: what is under each is larger and lighter, with a light and a dark edge."""
    edge = picture.width
    for _ in range(int(rng.integers(1, 7))):
        radius = max(2.0, edge * rng.uniform(*DROP))
        x, y = (float(v) for v in rng.uniform(radius, edge - radius, 2))
        box = (round(x - radius), round(y - radius), round(x + radius), round(y + radius))
        size = box[2] - box[0], box[3] - box[1]
        inner = (x - radius / 2, y - radius / 2, x + radius / 2, y + radius / 2)
        under = picture.resize(size, Image.Resampling.BILINEAR, box=inner).point(
            [min(255, round(v * 1.12)) for v in range(256)] * 3
        )
        round_mask = Image.new("L", size)
        ImageDraw.Draw(round_mask).ellipse((0, 0, size[0] - 1, size[1] - 1), 230)
        ink = ImageDraw.Draw(under)
        ink.arc((0, 0, size[0] - 1, size[1] - 1), 20, 160, (30, 40, 34), max(1, size[0] // 12))
        ink.ellipse((size[0] * 0.25, size[1] * 0.2, size[0] * 0.42, size[1] * 0.34), (250, 252, 250))
        picture.paste(under, box[:2], round_mask)


def _bent(rng: np.random.Generator, edge: int) -> list[Point]:
    """Return a bent line from one side of a square to another."""
    start, bend, end = (rng.uniform(-0.1, 1.1, 2) * edge for _ in range(3))
    axis = int(rng.integers(2))
    start[axis], end[axis] = -0.1 * edge, 1.1 * edge
    steps = np.linspace(0, 1, 9)[:, None]
    points = (1 - steps) ** 2 * start + 2 * steps * (1 - steps) * bend + steps**2 * end
    return [(float(x), float(y)) for x, y in points]


def _patch(size: tuple[int, int], rng: np.random.Generator, middle: Point, radius: float) -> Image.Image:
    """Return a round patch with an uneven edge (``L``)."""
    cover = Image.new("L", (size[0] // COARSE, size[1] // COARSE))
    angles = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    radii = radius * rng.uniform(0.65, 1.15, len(angles))
    points = [
        ((middle[0] + r * np.cos(a)) / COARSE, (middle[1] + r * np.sin(a)) / COARSE)
        for r, a in zip(radii, angles, strict=True)
    ]
    ImageDraw.Draw(cover).polygon(points, 255)
    return cover.filter(ImageFilter.BoxBlur(2)).resize(size, Image.Resampling.BILINEAR)


def _colour(ranges: Sequence[tuple[Colour, Colour]], rng: np.random.Generator) -> Colour:
    """Return a colour between the lowest and the highest of one of some ranges."""
    low, high = np.array(ranges[int(rng.integers(len(ranges)))])
    red, green, blue = (int(v) for v in low + (high - low) * rng.uniform(0, 1))
    return red, green, blue
