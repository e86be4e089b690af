"""Small pictures for the page. Pillow makes them; it is in the extra ``report``, for a small plain install."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

EDGE = 320  # pixels; shown at half that, so that they are sharp on any screen
QUALITY = 78
AT_A_TIME = 6
# Those that a server classifies; Pillow knows forty more, some of them traps (gzip bombs in FITS).
FORMATS = ("BMP", "JPEG", "MPO", "PNG", "TIFF", "WEBP")


def can_make() -> bool:
    """Return whether Pillow is installed."""
    try:
        import PIL.Image  # noqa: F401  # only its presence counts
    except ImportError:
        return False
    return True


def thumbnails(numbers: Iterable[int], fetch: Callable[[int], bytes]) -> dict[int, bytes]:
    """Return JPEGs of the images that can be read; one that cannot is left out."""
    distinct = list(dict.fromkeys(numbers))
    with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="thumbnail") as pool:
        pictures = pool.map(lambda seq: _one(seq, fetch), distinct)
        return {seq: picture for seq, picture in zip(distinct, pictures) if picture is not None}


def _one(seq: int, fetch: Callable[[int], bytes]) -> bytes | None:
    try:
        return thumbnail(fetch(seq))
    except Exception:  # noqa: BLE001  # Pillow raises a dozen kinds for what is no picture; a page is more than one
        return None


def thumbnail(data: bytes) -> bytes:
    """Return a JPEG of at most ``EDGE`` pixels, turned as the camera was held."""
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        image.draft("RGB", (EDGE, EDGE))
        upright = ImageOps.exif_transpose(image).convert("RGB")
        upright.thumbnail((EDGE, EDGE))
        out = io.BytesIO()
        upright.save(out, "JPEG", quality=QUALITY, optimize=True)
        return out.getvalue()
