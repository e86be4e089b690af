"""The EXIF orientation of a picture (EXIF 2.32, tag 0x0112), read without a decoder."""

import re

from PIL import TiffImagePlugin

from worker.inference.geography.containers import MAX_XMP_BYTES, find_blocks
from worker.inference.structure.tiff import ORIENTATION, read_directory

UPRIGHT = 1
# XMP names it too (XMP specification part 2, section 8.2); as an attribute or an element.
_IN_XMP = re.compile(rb"""tiff:Orientation(?:=["']|>)([1-8])\b""")


def is_turned_by_pillow(image_format: str | None) -> bool:
    """Whether Pillow turns pictures of this format by itself while it decodes, as it does TIFFs since version 10."""
    return image_format == TiffImagePlugin.TiffImageFile.format


def read_orientation(data: bytes) -> int:
    """Read the orientation of a JPEG, PNG or WebP: 1 to 8; 1 where there is none, or where it is damaged.

    EXIF is believed before XMP, as by Pillow.
    """
    blocks = find_blocks(data)
    directory = read_directory(blocks.exif) if blocks.exif else None
    if directory is not None and ORIENTATION in directory.entries:
        return directory.integer(ORIENTATION, UPRIGHT)
    found = _IN_XMP.search(blocks.xmp[:MAX_XMP_BYTES]) if blocks.xmp else None
    return int(found.group(1)) if found else UPRIGHT
