"""Cut-outs of tiles. Pillow makes them; it is in the extra ``report``, for a small plain install."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from phytobatch.corrections.resources import Box
from phytobatch.errors import ConfigurationError, FileUnreadable
from phytobatch.files.pictures import FORMATS


def check_can_cut() -> None:
    """Return if Pillow is installed.

    Raises:
        ConfigurationError: it is not.
    """
    if find_spec("PIL") is None:
        raise ConfigurationError("Cut-outs of tiles need Pillow: pip install 'phytobatch[report]'")


def cut(photograph: Path, boxes: Mapping[Path, Box]) -> None:
    """Write parts of a photograph as PNG: the pixels that were classified, without another loss.

    Args:
        photograph: the original; its boxes are in pixels of it as the camera was held.
        boxes: what to write, and where it lies.

    Raises:
        FileUnreadable: it is no picture that Pillow reads, or smaller than the box.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(photograph, formats=FORMATS) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except Exception as error:  # Pillow raises a dozen kinds for what is no picture
        raise FileUnreadable(f"it cannot be read: {error}") from error
    for target, box in boxes.items():
        if box[2] > upright.width or box[3] > upright.height:
            raise FileUnreadable(f"it is {upright.width} x {upright.height} pixels, and the tile lies outside")
        upright.crop(box).save(target, "PNG")
