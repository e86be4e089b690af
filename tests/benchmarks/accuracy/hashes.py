"""Perceptual hashes: pictures that differ by a file's size, its quality, a turn or a mirror have nearly the same bits.

The signs of the low frequencies of a discrete cosine transform, as in pHash (Zauner, 2010), but of 16 x 16 of them:
with 8 x 8 every lance-shaped leaf on a grey table is every other one.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Signs = NDArray[np.float32]

EDGE = 64  # pixels, of the grey picture
FREQUENCIES = 16
BITS = FREQUENCIES * FREQUENCIES - 1
# Of 255 bits. Looked at on the 7,525 pictures: up to 50 all pairs are one photograph or one leaf twice, up to 64 about
# half are, beyond 70 nearly none. Two that are not alike cost nothing but the freedom to stand in different folds.
MAX_DISTANCE = 64
ROWS = 512


def signs_of(pictures: Iterable[NDArray[np.uint8]]) -> Signs:
    """Return the signs of the frequencies of each picture: 1 or -1, (n, 16, 16), of pictures (height, width, 3)."""
    numbers = np.arange(EDGE)
    waves = np.cos(np.pi * np.outer(np.arange(FREQUENCIES), 2 * numbers + 1) / (2 * EDGE))
    found = [waves @ _grey(picture) @ waves.T for picture in pictures]
    return np.where(np.stack(found) > 0, 1, -1).astype(np.float32)


def near(signs: Signs, *, max_distance: int = MAX_DISTANCE) -> list[tuple[int, int]]:
    """Return the pairs (a < b) whose hashes differ in at most ``max_distance`` bits, in one of eight attitudes."""
    first = _bits(signs)
    pairs: set[tuple[int, int]] = set()
    for turned in _attitudes(signs):
        other = _bits(turned)
        for begin in range(0, len(first), ROWS):
            distance = (BITS - first[begin : begin + ROWS] @ other.T) / 2
            rows, columns = np.nonzero(distance <= max_distance)
            pairs |= {(a, b) for a, b in zip((rows + begin).tolist(), columns.tolist(), strict=True) if a < b}
    return sorted(pairs)


def _grey(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    image = Image.fromarray(picture).convert("L").resize((EDGE, EDGE), Image.Resampling.BOX)
    return np.asarray(image, np.float64)


def _bits(signs: Signs) -> Signs:
    """Leave out the mean of the picture, which is always positive."""
    return signs.reshape(len(signs), -1)[:, 1:]


def _attitudes(signs: Signs) -> Iterator[Signs]:
    """Yield the hashes of the pictures mirrored and turned by right angles: a mirror changes the odd frequencies."""
    mirror = (-1.0) ** np.arange(FREQUENCIES, dtype=np.float32)
    for flat in (signs, signs.transpose(0, 2, 1)):
        for down in (1.0, mirror[:, None]):
            for across in (1.0, mirror[None, :]):
                yield (flat * down * across).astype(np.float32)
