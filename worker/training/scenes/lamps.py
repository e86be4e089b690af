"""Light on a made picture: shadows, and lamps of a greenhouse."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

# Gains of red, green and blue, lowest and highest: purple light-emitting diodes, and sodium lamps.
LAMPS: Sequence[Sequence[tuple[float, float]]] = (
    ((0.75, 1.3), (0.15, 0.55), (0.8, 1.4)),
    ((1.0, 1.4), (0.55, 0.85), (0.08, 0.4)),
)
DEPTH = (0.2, 0.6)
CELLS = 8


def under_lamps(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Colour a picture (``RGB``) as purple or amber lamps do."""
    gains = [float(rng.uniform(*gain)) for gain in LAMPS[int(rng.integers(len(LAMPS)))]]
    return picture.point([min(255, round(value * gain)) for gain in gains for value in range(256)])


def in_shadow(picture: Image.Image, rng: np.random.Generator) -> None:
    """Darken a side, or some patches as foliage leaves them, of a picture (``RGB``), in place."""
    y, x = np.mgrid[:CELLS, :CELLS] / (CELLS - 1) - 0.5
    if rng.random() < 0.5:  # noqa: PLR2004  # a coin
        angle = rng.uniform(0, 2 * np.pi)
        side = np.cos(angle) * x + np.sin(angle) * y + rng.uniform(-0.3, 0.3)
        shade = np.clip(side * rng.uniform(3, 12), -0.5, 0.5) + 0.5
    else:
        shade = np.clip(rng.uniform(-1, 2, (CELLS, CELLS)), 0, 1)
    levels = Image.fromarray((shade * rng.uniform(*DEPTH) * 255).astype(np.uint8))
    picture.paste((0, 0, 0), mask=levels.resize(picture.size, Image.Resampling.BICUBIC))
