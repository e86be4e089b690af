"""The EXIF orientation of a picture (EXIF 2.32, tag 0x0112), read without a decoder."""

import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from PIL import TiffImagePlugin

from worker.inference.geography.containers import Blocks, find_blocks
from worker.inference.sliced import Sliced
from worker.inference.structure.tiff import ORIENTATION, XMP, read_directory

UPRIGHT = 1
Pixels = NDArray[np.uint8]
# A picture, or a map of it.
Raster = TypeVar("Raster", bound=NDArray[np.generic])
# What has to be done to see the picture upright: flips and turns of rows (axis 0) and columns (axis 1).
_TO_UPRIGHT: MappingProxyType[int, Callable[[NDArray[Any]], Any]] = MappingProxyType(
    {
        2: lambda pixels: pixels[:, ::-1],
        3: lambda pixels: pixels[::-1, ::-1],
        4: lambda pixels: pixels[::-1],
        5: lambda pixels: pixels.transpose(1, 0, 2),
        6: lambda pixels: pixels.transpose(1, 0, 2)[:, ::-1],
        7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: lambda pixels: pixels.transpose(1, 0, 2)[::-1],
    }
)
# XMP names it too (XMP specification part 2, section 8.2); as an attribute or an element.
_IN_XMP = re.compile(rb"""tiff:Orientation(?:=["']|>)([1-8])\b""")


def is_turned_by_pillow(image_format: str | None) -> bool:
    """Return True for formats whose pictures Pillow turns by itself while it decodes: TIFF."""
    return image_format == TiffImagePlugin.TiffImageFile.format


def read_orientation(data: Sliced) -> int:
    """Read the orientation of a JPEG, PNG, WebP or TIFF: 1 to 8; 1 if it is missing or damaged.

    EXIF counts before XMP, as in Pillow; of several blocks, the first that names it.
    """
    blocks = find_blocks(data)
    for block in blocks.exif:
        directory = read_directory(block)
        if directory is not None and ORIENTATION in directory.entries:
            return directory.integer(ORIENTATION, UPRIGHT)
    packets = [*blocks.xmp, *_packet_of_tiff(data, blocks)]
    named = (_IN_XMP.search(packet) for packet in packets)
    return next((int(match.group(1)) for match in named if match), UPRIGHT)


def _packet_of_tiff(data: Sliced, blocks: Blocks) -> list[bytes]:
    """Return the packet in the first directory of a TIFF, which is one of its tags."""
    directory = read_directory(data) if blocks.exif and blocks.exif[0] is data else None
    packet = None if directory is None else directory.raw(XMP)
    return [] if packet is None else [packet]


def upright(pixels: Raster, orientation: int) -> Raster:
    """See a picture, or a map of it, (height, width, n), upright.

    It is a view, because to turn 12 megapixels costs as much as to decode them.
    """
    turn = _TO_UPRIGHT.get(orientation)
    return pixels if turn is None else cast("Raster", turn(pixels))
