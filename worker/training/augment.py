"""Random variants of a batch, so that the network learns the leaf and not the photograph. Nothing here is served."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

CROP_EDGE = (0.7, 1.0)  # edge of the random crop, as a share of the picture's
GAIN = 0.15  # brightness of each channel changes by up to so much, as a share
CONTRAST = 0.25
SATURATION = 0.35
BRIGHTNESS = 0.2


def augment(batch: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Flip, turn, crop and recolour each picture of a batch (n, height, width, 3), RGB, at random."""
    return np.stack([_recoloured(_cropped(_turned(picture, rng), rng), rng) for picture in batch])


def _turned(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Turn or mirror a square in one of eight ways; in one of two if the picture is not square."""
    if rng.random() < 0.5:  # noqa: PLR2004  # a coin
        picture = picture[:, ::-1]
    square = picture.shape[0] == picture.shape[1]
    turned: NDArray[np.uint8] = np.rot90(picture, int(rng.integers(4)) * (1 if square else 2))
    return turned


def _cropped(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    edge = rng.uniform(*CROP_EDGE)
    box_width, box_height = width * edge, height * edge
    left, top = rng.uniform(0, width - box_width), rng.uniform(0, height - box_height)
    box = (left, top, left + box_width, top + box_height)
    return np.asarray(
        Image.fromarray(np.ascontiguousarray(picture)).resize((width, height), Image.Resampling.BILINEAR, box=box)
    )


def _recoloured(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change gain per channel, brightness, contrast and saturation; all linear, so one matrix and one offset."""
    saturation = 1 + rng.uniform(-SATURATION, SATURATION)
    contrast = 1 + rng.uniform(-CONTRAST, CONTRAST)
    gain = (1 + rng.uniform(-GAIN, GAIN, 3)) * (1 + rng.uniform(-BRIGHTNESS, BRIGHTNESS))
    matrix = np.eye(3) * saturation + np.full((3, 3), (1 - saturation) / 3)
    matrix = (matrix * contrast * gain).astype(np.float32)
    offset = np.float32(128 * (1 - contrast))
    recoloured: NDArray[np.uint8] = np.clip(picture @ matrix + offset, 0, 255).astype(np.uint8)
    return recoloured
