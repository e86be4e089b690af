"""Noise of several scales, and noise of a sensor."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Plane = NDArray[np.float32]
Colour = tuple[float, float, float]
SENSOR_TILE = 1024  # edge in pixels of the noise that is repeated over large pictures


def cloud(shape: tuple[int, int], rng: np.random.Generator, *, cells: float, octaves: int = 4) -> Plane:
    """Make smooth noise (height, width), 0 to 1: about ``cells`` blobs along the longer edge, finer ones on them."""
    height, width = shape
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        edge = max(height, width) / (cells * 2**octave)
        grid = rng.random((max(2, round(height / edge) + 1), max(2, round(width / edge) + 1)), dtype=np.float32)
        total += np.asarray(Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)) * 0.55**octave
    low, high = np.percentile(total, (1, 99))
    return clip01((total - low) / max(high - low, 1e-6))


def clip01(plane: Plane) -> Plane:
    """Cut to 0 ... 1."""
    return np.clip(plane, 0, 1).astype(np.float32)


def step(plane: Plane, low: Plane | float, high: Plane | float) -> Plane:
    """Return 0 below ``low``, 1 above ``high``, smooth between; ``low`` may be the larger one."""
    t = clip01((plane - low) / (high - low))
    return t * t * (3 - 2 * t)


def mix(picture: Plane, colour: Plane | Colour, weight: Plane) -> Plane:
    """Lay a colour (or another picture) over a picture (height, width, 3) with a weight (height, width)."""
    top = np.asarray(colour, np.float32)
    return picture + (top - picture) * weight[..., np.newaxis]


def with_grain(pixels: NDArray[np.uint8], rng: np.random.Generator, strength: float) -> NDArray[np.uint8]:
    """Add fine texture and sensor noise at full resolution, in place; ``strength`` is its deviation in levels."""
    height, width = pixels.shape[:2]
    edge = SENSOR_TILE
    tile = rng.normal(0, strength, (edge, edge)).astype(np.int16)
    tile[1:] += tile[:-1] // 2  # Neighbours resemble each other, as after demosaicing.
    for top in range(0, height, edge):
        for left in range(0, width, edge):
            part = pixels[top : top + edge, left : left + edge]
            turned = np.roll(tile, tuple(rng.integers(edge, size=2)), axis=(0, 1))[: part.shape[0], : part.shape[1]]
            np.clip(part + turned[..., np.newaxis], 0, 255, out=part, casting="unsafe")
    return pixels
