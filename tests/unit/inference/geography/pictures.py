"""Files with metadata, built byte by byte, so that they can lie as real ones do."""

import io
import struct
import zlib
from collections.abc import Mapping

from PIL import Image

from worker.inference.geography import exif as tags

Field = tuple[int, int, bytes]
"""Type, number of values, and their bytes."""
Fields = Mapping[int, Field]

EXIF_IFD, GPS_IFD = 0x8769, 0x8825


def text(value: str) -> Field:
    """ASCII, with the zero that ends it."""
    raw = value.encode() + b"\0"
    return 2, len(raw), raw


def fractions(*pairs: tuple[int, int], order: str = "<") -> Field:
    """RATIONAL."""
    return 5, len(pairs), b"".join(struct.pack(order + "II", *pair) for pair in pairs)


def doubles(*values: float) -> Field:
    """DOUBLE."""
    return 12, len(values), struct.pack(f"<{len(values)}d", *values)


def byte(value: int) -> Field:
    """BYTE."""
    return 1, 1, bytes([value])


def gps(**changes: Field | None) -> dict[int, Field]:
    """A good GPS directory: 41° 39' 11.52" N, 0° 37' 7.32" E; ``None`` takes a tag away."""
    good: dict[str, Field | None] = {
        "LATITUDE_REF": text("N"),
        "LATITUDE": fractions((41, 1), (39, 1), (1152, 100)),
        "LONGITUDE_REF": text("E"),
        "LONGITUDE": fractions((0, 1), (37, 1), (732, 100)),
    }
    return {getattr(tags, name): field for name, field in (good | changes).items() if field is not None}


def exif_block(gps_fields: Fields | None = None, photo: Fields | None = None, main: Fields | None = None) -> bytes:
    """A little-endian EXIF block with up to three directories."""
    block = bytearray(b"II*\0\0\0\0\0")
    pointers: dict[int, Field] = {}
    for tag, fields in ((GPS_IFD, gps_fields), (EXIF_IFD, photo)):
        if fields is not None:
            pointers[tag] = pointer(_append(block, fields))
    struct.pack_into("<I", block, 4, _append(block, {**(main or {}), **pointers}))
    return bytes(block)


def exif_tree(*directories: Fields) -> bytes:
    """Directories of which each holds the pointer to the one before it: its tag is given with an empty field."""
    block = bytearray(b"II*\0\0\0\0\0")
    at = 0
    for fields in directories:
        at = _append(block, {tag: field if field[1] else pointer(at) for tag, field in fields.items()})
    struct.pack_into("<I", block, 4, at)
    return bytes(block)


def pointer(at: int) -> Field:
    """LONG: where a directory begins."""
    return 4, 1, struct.pack("<I", at)


BEFORE: Field = (4, 0, b"")


def chained(block: bytes, second: Fields) -> bytes:
    """The block with one more directory behind its first one, as thumbnails have."""
    longer = bytearray(block)
    (first,) = struct.unpack_from("<I", block, 4)
    (count,) = struct.unpack_from("<H", block, first)
    at = _append(longer, second)
    struct.pack_into("<I", longer, first + 2 + 12 * count, at)
    return bytes(longer)


def _append(block: bytearray, fields: Fields) -> int:
    """A directory behind what is there, with its values before it; returns where it stands."""
    entries = b""
    for tag, (kind, count, raw) in sorted(fields.items()):
        value = raw.ljust(4, b"\0")
        if len(raw) > 4:
            value = struct.pack("<I", len(block))
            block += raw
        entries += struct.pack("<HHI4s", tag, kind, count, value)
    at = len(block)
    block += struct.pack("<H", len(fields)) + entries + b"\0\0\0\0"
    return at


def jpeg(exif: bytes | None = None, xmp: bytes | None = None) -> bytes:
    """A whole JPEG of 8 x 8 pixels with these blocks."""
    segments = b""
    if exif is not None:
        segments += exif_segment(exif)
    if xmp is not None:
        segments += xmp_segment(xmp)
    return jpeg_with(segments)


def jpeg_with(segments: bytes) -> bytes:
    """A whole JPEG with these bytes behind its first marker."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "green").save(buffer, "JPEG")
    data = buffer.getvalue()
    return data[:2] + segments + data[2:]


def exif_segment(block: bytes, identifier: bytes = b"Exif\0\0") -> bytes:
    return app1(identifier + block)


def xmp_segment(packet: bytes, identifier: bytes = b"http://ns.adobe.com/xap/1.0/\0") -> bytes:
    return app1(identifier + packet)


def app1(content: bytes) -> bytes:
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def extended_xmp(packet: bytes, size: int) -> bytes:
    """The segments of a packet that is too long for one, the last one first; ``size`` bytes in each."""
    header = b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 32 + struct.pack(">I", len(packet))
    pieces = range(0, len(packet), size)
    return b"".join(app1(header + struct.pack(">I", at) + packet[at : at + size]) for at in reversed(pieces))


def png(exif: bytes | None = None, xmp: bytes | None = None, *, compressed: bool = False) -> bytes:
    """A PNG whose metadata stands behind its picture, as some programs write it."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "PNG")
    data, end = buffer.getvalue()[:-12], buffer.getvalue()[-12:]
    if exif is not None:
        data += _chunk(b"eXIf", exif)
    if xmp is not None:
        flags, packet = (b"\x01\0", zlib.compress(xmp)) if compressed else (b"\0\0", xmp)
        data += _chunk(b"iTXt", b"XML:com.adobe.xmp\0" + flags + b"\0\0" + packet)
    return data + end


def png_with(kind: bytes, content: bytes) -> bytes:
    """A PNG with this chunk before its picture."""
    data = png()
    return data[:33] + _chunk(kind, content) + data[33:]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def webp(exif: bytes | None = None, xmp: bytes = b"") -> bytes:
    """A WebP, written by Pillow."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "WEBP", exif=exif or b"", xmp=xmp)
    return buffer.getvalue()


def dji(**values: str) -> bytes:
    """A packet as DJI's drones write it."""
    return packet_of({f"drone-dji:{name}": value for name, value in values.items()})


DJI_NAMESPACE = 'xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/"'


def packet_of(values: Mapping[str, str], namespaces: str = DJI_NAMESPACE) -> bytes:
    """A packet with these attributes."""
    attributes = "\n".join(f'   {name}="{value}"' for name, value in values.items())
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="DJI Meta Data" {namespaces}
{attributes}>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()
