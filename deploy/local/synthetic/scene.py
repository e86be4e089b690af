"""One picture: soil or foliage, leaves out of focus, and the leaf in the centre."""

from enum import StrEnum

import numpy as np
from PIL import Image, ImageFilter

from deploy.local.synthetic.leaf import Pose, paint, shape_of
from deploy.local.synthetic.symptoms import powdery_mildew, rust
from deploy.local.synthetic.texture import Plane, cloud, mix, with_grain

MAX_DRAWN_EDGE = 512  # Pixels. Larger pictures are drawn at this size, enlarged, and get fine texture on top.
GRAIN = (6.0, 9.0)  # standard deviation in levels; makes 12 megapixels at quality 90 weigh 3 to 8 MB
SOILS = (((92, 68, 48), (146, 116, 86)), ((70, 56, 44), (120, 98, 76)), ((112, 92, 70), (168, 146, 116)))
FOLIAGE = (((24, 42, 20), (70, 100, 48)), ((34, 56, 26), (96, 124, 62)))


class Kind(StrEnum):
    """The kind of leaf in a picture."""

    HEALTHY = "healthy"
    POWDERY_MILDEW = "powdery_mildew"
    RUST = "rust"


SYMPTOMS = {
    Kind.HEALTHY: lambda picture, _shape, _rng: picture,
    Kind.POWDERY_MILDEW: powdery_mildew,
    Kind.RUST: rust,
}


def render(kind: Kind | str, size: tuple[int, int], seed: int) -> Image.Image:
    """Draw a synthetic leaf: RGB, ``size`` is (width, height) in pixels; the same arguments give the same pixels.

    Raises:
        ValueError: no such kind.
    """
    kind = Kind(kind)
    rng = np.random.default_rng([seed, *size, tuple(Kind).index(kind)])
    drawn = _draw(kind, _drawn_shape(size), rng)
    small = Image.fromarray(np.clip(drawn, 0, 255).astype(np.uint8))
    pixels = np.array(small.resize(size, Image.Resampling.BICUBIC))
    return Image.fromarray(with_grain(pixels, rng, rng.uniform(*GRAIN)))


def _drawn_shape(size: tuple[int, int]) -> tuple[int, int]:
    width, height = size
    share = min(1.0, MAX_DRAWN_EDGE / max(size))
    return max(1, round(height * share)), max(1, round(width * share))


def _draw(kind: Kind, shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    picture = _background(shape, rng)
    for _ in range(rng.integers(2, 6)):
        leaf = shape_of(Pose.random(rng, main=False), shape, rng)
        picture = paint(picture, leaf, rng, brightness=rng.uniform(0.5, 0.85))
    picture = _out_of_focus(picture, rng.uniform(0.004, 0.012) * min(shape))
    leaf = shape_of(Pose.random(rng, main=True), shape, rng)
    picture = SYMPTOMS[kind](paint(picture, leaf, rng), leaf, rng)
    return _sunlit(picture, rng)


def _background(shape: tuple[int, int], rng: np.random.Generator) -> Plane:
    grounds = SOILS if rng.random() < 0.45 else FOLIAGE  # noqa: PLR2004  # a little more foliage than soil
    dark, light = grounds[rng.integers(len(grounds))]
    picture = np.broadcast_to(np.asarray(dark, np.float32), (*shape, 3))
    picture = mix(picture.astype(np.float32), light, cloud(shape, rng, cells=14, octaves=5))
    return mix(picture, dark, cloud(shape, rng, cells=3, octaves=2) * 0.6)


def _out_of_focus(picture: Plane, radius: float) -> Plane:
    image = Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32)


def _sunlit(picture: Plane, rng: np.random.Generator) -> Plane:
    """Apply the colour of the light, and its fall over the picture."""
    tint = np.asarray((1 + rng.uniform(-0.05, 0.08), 1.0, 1 + rng.uniform(-0.1, 0.05)), np.float32)
    fall = 0.88 + 0.24 * cloud((picture.shape[0], picture.shape[1]), rng, cells=1.5, octaves=1)
    return picture * tint * fall[..., np.newaxis] * np.float32(rng.uniform(0.95, 1.15))
