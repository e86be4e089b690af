"""The same photograph as another program would have written it: another size, another quality."""

import io

import numpy as np
from PIL import Image

from worker.inference.decode import open_image, to_rgb
from worker.inference.orientation import UPRIGHT, is_turned_by_pillow, read_orientation
from worker.inference.structure.tiff import ORIENTATION

SIZE_FACTOR = (0.6, 1.6)
LARGEST_EDGE = 2048  # pixels; a larger photograph is made smaller first
QUALITY = (45, 96)


def rewritten(data: bytes, rng: np.random.Generator) -> bytes:
    """Rewrite encoded bytes as a JPEG of another size and quality, at random.

    Raises:
        ImageError: the picture cannot be decoded.
    """
    with open_image(data) as image:
        image.draft(None, (LARGEST_EDGE, LARGEST_EDGE))
        picture = to_rgb(image)
        factor = rng.uniform(*SIZE_FACTOR) * min(1.0, LARGEST_EDGE / max(picture.size))
        size = tuple(max(16, round(edge * factor)) for edge in picture.size)
        small = picture.resize((size[0], size[1]), Image.Resampling.BICUBIC)
        stream = io.BytesIO()
        small.save(stream, "JPEG", quality=int(rng.integers(*QUALITY)), exif=_orientation(data, image.format))
    return stream.getvalue()


def _orientation(data: bytes, image_format: str | None) -> Image.Exif:
    """Return an EXIF block with the orientation of the file and no other metadata."""
    exif = Image.Exif()
    exif[ORIENTATION] = UPRIGHT if is_turned_by_pillow(image_format) else read_orientation(data)
    return exif
