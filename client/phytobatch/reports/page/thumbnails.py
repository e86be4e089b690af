"""Small pictures for the page. Pillow makes them; it is in the extra ``report``, for a small plain install."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from phytobatch.files.pictures import FORMATS

if TYPE_CHECKING:
    from PIL.Image import Image

EDGE = 320  # pixels; shown at half that, so that they are sharp on any screen
DRAWN_EDGE = 720  # pixels; borders of tiles must be seen
QUALITY = 78
AT_A_TIME = 6


def thumbnails(
    numbers: Iterable[int], fetch: Callable[[int], bytes], draw: Callable[[int, Image], Image] | None = None
) -> dict[int, bytes]:
    """Return JPEGs of the images that can be read; one that cannot is left out.

    ``draw`` may draw on the picture of an image, which is upright and larger then.
    """
    distinct = list(dict.fromkeys(numbers))
    with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="thumbnail") as pool:
        pictures = pool.map(lambda seq: _one(seq, fetch, draw), distinct)
        return {seq: picture for seq, picture in zip(distinct, pictures) if picture is not None}


def _one(seq: int, fetch: Callable[[int], bytes], draw: Callable[[int, Image], Image] | None) -> bytes | None:
    try:
        if draw is None:
            return thumbnail(fetch(seq))
        return thumbnail(fetch(seq), lambda picture: draw(seq, picture))
    except Exception:  # noqa: BLE001  # Pillow raises a dozen kinds for what is no picture; a page is more than one
        return None


def thumbnail(data: bytes, draw: Callable[[Image], Image] | None = None) -> bytes:
    """Return a JPEG of at most ``EDGE`` pixels, or ``DRAWN_EDGE`` if it is drawn on, turned as the camera was held."""
    from PIL import Image, ImageOps

    edge = EDGE if draw is None else DRAWN_EDGE
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        image.draft("RGB", (edge, edge))
        upright = ImageOps.exif_transpose(image).convert("RGB")
        upright.thumbnail((edge, edge))
        upright = upright if draw is None else draw(upright)
        out = io.BytesIO()
        upright.save(out, "JPEG", quality=QUALITY, optimize=True)
        return out.getvalue()
