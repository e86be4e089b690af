"""One leaf: its pose, its veins and its light."""

from dataclasses import dataclass

import numpy as np

from deploy.local.synthetic.texture import Plane, clip01, cloud, mix, step

GREENS = ((66, 112, 42), (88, 130, 52), (52, 96, 44), (104, 140, 60), (76, 120, 66))
VEIN = (150, 176, 104)


@dataclass(frozen=True, slots=True)
class Pose:
    """The pose of a leaf: centre and length in shares of the picture's shorter edge, angle in radians."""

    x: float
    y: float
    length: float
    width: float
    angle: float
    bend: float
    teeth: float

    @classmethod
    def random(cls, rng: np.random.Generator, *, main: bool) -> "Pose":
        """Draw the pose of a leaf that fills most of the picture (``main``), or of one around it."""
        away = 0.06 if main else 0.7
        return cls(
            x=rng.uniform(-away, away),
            y=rng.uniform(-away, away),
            length=rng.uniform(1.0, 1.3) if main else rng.uniform(0.5, 0.9),
            width=rng.uniform(0.58, 0.78),
            angle=rng.uniform(0, 2 * np.pi),
            bend=rng.uniform(-0.35, 0.35),
            teeth=rng.uniform(0.01, 0.026),
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """Planes (height, width) that describe each pixel of the leaf.

    ``along`` 0 at the stalk to 1 at the tip, ``across`` -1 to 1 between the margins, ``mask`` 0 outside and 1 on the
    leaf, ``veins`` 0 to 1.
    """

    along: Plane
    across: Plane
    mask: Plane
    veins: Plane


def shape_of(pose: Pose, shape: tuple[int, int], rng: np.random.Generator) -> Shape:
    """Compute the planes of a leaf in this pose."""
    height, width = shape
    edge = min(shape)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x = (x - width / 2) / edge - pose.x
    y = (y - height / 2) / edge - pose.y
    cos, sin = np.cos(pose.angle), np.sin(pose.angle)
    along = (x * cos + y * sin) / pose.length + 0.5
    side = (y * cos - x * sin) / pose.length - pose.bend * (along - 0.5) ** 2
    inside = clip01(along)
    half = pose.width / 2 * clip01(np.sin(np.pi * inside**0.82)) ** 0.72 * (1 - 0.25 * inside)
    half = half * (1 + pose.teeth * (np.abs((inside * 38) % 1 - 0.5) * 4 - 1)) + 1e-4
    across = side / half
    soft = 1.6 / (edge * pose.length * pose.width / 2)  # about a pixel and a half
    mask = step(np.abs(across), 1 + soft, 1 - soft) * step(along, 0, 0.01) * step(along, 1, 0.99)
    return Shape(along, across, mask, _veins(along, side, across, rng))


def paint(picture: Plane, shape: Shape, rng: np.random.Generator, *, brightness: float = 1.0) -> Plane:
    """Lay a healthy leaf over a picture (height, width, 3), 0 to 255, with the shadow that it throws."""
    size = picture.shape[0], picture.shape[1]
    shadow = _shifted(shape.mask, max(2, min(size) // 50))
    picture = picture * (1 - 0.45 * shadow[..., np.newaxis])
    base = np.asarray(GREENS[rng.integers(len(GREENS))], np.float32) * rng.uniform(0.9, 1.15)
    leaf = np.broadcast_to(base, picture.shape).astype(np.float32)
    leaf = mix(leaf, tuple(base * (1.25, 1.15, 0.9)), cloud(size, rng, cells=4) * 0.6)
    leaf = mix(leaf, VEIN, shape.veins * 0.75)
    # The blade bulges between the side veins and falls off to the margins; the light comes from one side.
    light = 1.0 + rng.uniform(0.1, 0.25) * shape.across * rng.choice((-1, 1)) - 0.22 * shape.across**2
    light = light + 0.18 * (cloud(size, rng, cells=10) - 0.5) - 0.1 * shape.veins
    return mix(picture, leaf * (light * brightness)[..., np.newaxis], shape.mask)


def _shifted(mask: Plane, pixels: int) -> Plane:
    """Move a mask down and to the right."""
    moved = np.zeros_like(mask)
    moved[pixels:, pixels:] = mask[:-pixels, :-pixels]
    return moved


def _veins(along: Plane, side: Plane, across: Plane, rng: np.random.Generator) -> Plane:
    """Draw a midrib that thins to the tip, side veins that bow forward, and a faint net between them."""
    inside = clip01(along)
    distance = np.abs(across)
    midrib = step(np.abs(side), 0.012 * (1.15 - inside), 0.004 * (1.15 - inside))
    count = rng.uniform(7, 11)
    phase = (inside - 0.24 * distance**0.85 + 0.012 * np.sign(across)) * count
    laterals = step(np.abs(phase % 1 - 0.5), 0.44, 0.49) * (1 - 0.55 * distance)
    net = step(np.abs((phase * 5 + distance * 9) % 1 - 0.5), 0.40, 0.5) * 0.22
    return clip01(np.maximum(midrib, np.maximum(laterals * 0.7, net)) * (distance < 1))
