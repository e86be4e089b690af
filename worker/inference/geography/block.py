"""A block of metadata, and the limits on how much of a file's metadata is read."""

import re
from enum import StrEnum
from typing import NamedTuple

MAX_BLOCKS = 8  # of a kind; editors and cameras write one to three
MAX_SEGMENTS = 512  # of a JPEG before its picture; thermal cameras write about a hundred
MAX_CHUNKS = 20_000  # of a PNG or WebP; 12 megapixels in pieces of 8 KB are 5,000
MAX_STRAY_BYTES = 64 * 1024  # between two segments of a JPEG
MAX_GARBAGE = 64  # bytes before the TIFF header of an EXIF block
MAX_XMP_BYTES = 256 * 1024  # of a packet
XMP_BEGINS = re.compile(rb"http://ns\.adobe\.com/xap/|XMP\0|.{0,64}<(?:\?xpacket|x:xmpmeta|rdf:RDF)", re.DOTALL)


class Kind(StrEnum):
    """EXIF or XMP."""

    EXIF = "exif"
    XMP = "xmp"


class Block(NamedTuple):
    """One block as it stands in its container, with whatever the container puts around it."""

    kind: Kind
    content: bytes
