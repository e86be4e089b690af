"""The ways in which hostile files are built, each from its specification. A wrong file is as good as a right one."""

import io
import struct
import zlib
from functools import lru_cache
from types import MappingProxyType

from PIL import Image

from tests.corpus.bombs import jpeg_in_scans, webp_that_claims
from tests.hostile.recipe import Kind, Numbers

MAX_FILE_BYTES = 50_000_000  # as PHYTOBATCH_MAX_IMAGE_BYTES
SIDE = (1, 70_000)


def jpeg(n: Numbers) -> bytes:
    """A JPEG with segments before its picture, whose frame may claim another size (ITU-T T.81)."""
    options = Options(quality=90, progressive=bool(n["progressive"] % 2), subsampling=n["subsampling"] % 3)
    data = noise(("L", "RGB", "CMYK")[n["mode"] % 3], min(n["edge"], 4000), options)
    exif = _directory(n["entries"], n["entry_bytes"])
    segments = _many(_segment(0xE1, b"Exif\0\0" + exif), n["exif"])
    segments += _many(_segment(0xFE, bytes(n["comment_bytes"])), n["comments"])
    segments += _many(_segment(0xE0 + n["application"], b"8BIM\x04\x04\0\0\0\0\0\0" * 5000), n["resources"])
    segments += _many(_segment(0xE2, b"MPF\0" + exif), n["mpf"])
    segments += _many(_segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(9)), n["icc"])
    segments += _many(_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + _xmp(n["xmp_tags"])), n["xmp"])
    segments += b"\xff" * n["fill"]
    if n["claimed_width"] and n["claimed_height"]:
        at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2")) + 5
        data = data[:at] + struct.pack(">HH", n["claimed_height"], n["claimed_width"]) + data[at + 4 :]
    start = data.index(b"\xff\xda")
    between = _segment(0xFE, b"") * n["late_comments"]
    scans = _many(data[start:-2], 1 + n["scans"])
    return data[:2] + segments + data[2:start] + between + scans + b"\xff\xd9"


def steady_jpeg(n: Numbers) -> bytes:
    """A progressive JPEG in many scans that change nothing."""
    return jpeg_in_scans(n["side"], n["scans"])


def png(n: Numbers) -> bytes:
    """A PNG of one colour with chunks of all kinds (ISO/IEC 15948)."""
    width, height, kind = n["width"], n["height"], (0, 2, 3, 4, 6)[n["colour"] % 5]
    bits = 8 if kind == 3 else (8, 16, 1)[n["bits"] % (3 if kind == 0 else 2)]
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, n["interlace"] % 2)
    row = 1 + -(-width * bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind] // 8)
    packed = _zeros(min(row * height * (1 + n["excess"]), 600_000_000))
    chunks = [_chunk(b"IHDR", header), _chunk(b"PLTE", bytes(768)) if kind == 3 else b""]
    chunks += [_many(_chunk(b"tEXt", b"k\0" + bytes(n["text_bytes"])), n["texts"])]
    chunks += [_chunk(b"zTXt", b"k\0\0" + _zeros(n["unfolded"])) * n["unfolding"]]
    chunks += [_chunk(b"iCCP", b"k\0\0" + _zeros(n["unfolded"])) * n["profiles"]]
    chunks += [_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + _zeros(n["unfolded"])) * n["packets"]]
    chunks += [_chunk(b"acTL", struct.pack(">II", n["frames"], 0)) if n["frames"] else b""]
    chunks += [_chunk(b"eXIf", _directory(n["entries"], n["entry_bytes"])) if n["entries"] else b""]
    chunks += [_chunk(b"IDAT", b"") * n["empty"], _chunk(b"IDAT", packed), _chunk(b"IDAT", b"") * n["empty"]]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks) + _chunk(b"IEND", b"")


def tiff(n: Numbers) -> bytes:
    """A TIFF whose strips or tiles may all stand over the same bytes (TIFF 6.0)."""
    width, height, rows = n["width"], n["height"], max(1, n["rows"])
    samples, bits = (1, 3, 4)[n["samples"] % 3], (8, 16, 1, 32)[n["bits"] % 4]
    compression = (1, 8, 5, 32773, 7, 4, 50000)[n["compression"] % 7]
    count = min(-(-height // rows) + n["more_strips"], 400_000)
    unit = rows * -(-width * samples * bits // 8)
    if n["tile"]:
        unit = n["tile"] ** 2 * samples * bits // 8
        count = min(-(-width // n["tile"]) * -(-height // n["tile"]) + n["more_strips"], 400_000)
    block = _packed(compression, min(unit * (1 + n["excess"]), 200_000_000))
    fields = {256: [width], 257: [height], 258: [bits] * samples, 259: [compression], 262: [1 if samples == 1 else 2]}
    fields |= {277: [samples], 317: [1 + n["predictor"] % 3]}
    offsets = [8] * count if n["same"] else [8 + k % max(1, len(block)) for k in range(count)]
    where = {322: [n["tile"]], 323: [n["tile"]], 324: offsets, 325: [len(block)] * count}
    fields |= where if n["tile"] else {273: offsets, 278: [rows], 279: [len(block)] * count}
    fields |= {60_000 + k: [0] * max(1, n["entry_values"]) for k in range(n["entries"])}
    return _tiff_file(fields, block, directories=1 + n["directories"])


def webp(n: Numbers) -> bytes:
    """A lossless WebP of one colour, alone or as frames (RFC 9649)."""
    still = webp_that_claims(max(1, min(n["side"], 16_383)))
    if not n["frames"] and not n["metadata"]:
        return still
    side = (n["canvas"] or n["side"]) - 1
    flags = (2 if n["frames"] else 0) | (12 if n["metadata"] else 0)
    parts = [_riff(b"VP8X", bytes([flags, 0, 0, 0]) + side.to_bytes(3, "little") * 2)]
    if n["frames"]:
        frame = bytes(6) + (n["side"] - 1).to_bytes(3, "little") * 2 + bytes(4) + still[12:]
        parts += [_riff(b"ANIM", bytes(6)), _riff(b"ANMF", frame) * n["frames"]]
    else:
        parts.append(still[12:])
    parts.append(_riff(b"XMP ", _xmp(n["xmp_tags"])) * n["metadata"])
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def bmp(n: Numbers) -> bytes:
    """A BMP, plain or as runs."""
    compression, bits = ((0, 24), (1, 8), (2, 4), (3, 32), (0, 1))[n["form"] % 5]
    pixels = (b"\xff\x01" * n["runs"] + b"\0\x02\xff\xff" * n["jumps"] + b"\0\0" * n["ends"])[:MAX_FILE_BYTES]
    if compression in {0, 3} and n["whole"]:
        pixels = bytes(min(4 * n["width"] * n["height"], 30_000_000))
    palette = bytes(1024)
    info = struct.pack("<IiiHHIIiiII", 40, n["width"], n["height"], 1, bits, compression, len(pixels), 0, 0, 0, 0)
    head = struct.pack(
        "<2sIHHI", b"BM", 14 + len(info) + len(palette) + len(pixels), 0, 0, 14 + len(info) + len(palette)
    )
    return head + info + palette + pixels


@lru_cache(maxsize=64)
def noise(mode: str, edge: int, options: "Options") -> bytes:
    """A JPEG of noise, which takes the longest to decode."""
    stream = io.BytesIO()
    Image.effect_noise((edge, edge), 90).convert(mode).save(stream, "JPEG", **dict(options))
    return stream.getvalue()


def _many(part: bytes, count: int) -> bytes:
    """Repeat a part, no more often than makes the file too large: the search passes over it then."""
    return part * min(count, MAX_FILE_BYTES // max(1, len(part)) + 1)


def _segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker & 0xFF]) + struct.pack(">H", min(len(body) + 2, 65_535)) + body[:65_533]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def _directory(entries: int, size: int) -> bytes:
    """An EXIF block whose entries all point to the same bytes."""
    found = b"".join(struct.pack("<HHII", 1000 + k, 7, size, 8) for k in range(min(entries, 5400)))
    return b"II*\0" + struct.pack("<IH", 8, min(entries, 5400)) + found + bytes(4)


def _xmp(tags: int) -> bytes:
    inside = b'<a b="' * (tags % 50) + b"<rdf:li>" * tags
    return b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF>' + inside + b"</rdf:RDF></x:xmpmeta>"


@lru_cache(maxsize=32)
def _zeros(count: int) -> bytes:
    """So many zero bytes, packed a thousandfold."""
    packer = zlib.compressobj(9)
    whole, rest = divmod(count, 1_000_000)
    parts = [packer.compress(bytes(1_000_000)) for _ in range(whole)]
    return b"".join([*parts, packer.compress(bytes(rest)), packer.flush()])


def _packed(compression: int, size: int) -> bytes:
    if compression == 8:
        return _zeros(size)
    if compression == 32773:
        return b"\x81\0" * min(size // 128 + 1, 4_000_000)
    if compression == 7:
        return noise("L", 64, Options(quality=50))
    return bytes(min(size, 4_000_000))


def _tiff_file(fields: dict[int, list[int]], block: bytes, *, directories: int) -> bytes:
    first = 8 + len(block)
    tables = {tag: struct.pack(f"<{len(numbers)}I", *numbers) for tag, numbers in sorted(fields.items())}
    size = 2 + 12 * len(tables) + 4
    values_at = first + size * directories
    entries, values = b"", list[bytes]()
    for tag, raw in tables.items():
        where = raw if len(raw) <= 4 else struct.pack("<I", values_at + sum(len(one) for one in values))
        values += [] if len(raw) <= 4 else [raw]
        entries += struct.pack("<HHI", tag, 4, len(raw) // 4) + where
    head = b"II*\0" + struct.pack("<I", first)
    chain = [
        struct.pack("<H", len(tables)) + entries + struct.pack("<I", first + size * (k + 1) * (k + 1 < directories))
        for k in range(directories)
    ]
    return head + block + b"".join(chain) + b"".join(values)


class Options(dict[str, object]):
    """Options that can be remembered."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted((name, str(value)) for name, value in self.items())))


def _ranges(**ranges: tuple[int, int]) -> MappingProxyType[str, tuple[int, int]]:
    return MappingProxyType(ranges)


def _few(most: int) -> tuple[int, int]:
    return 0, most


KINDS = (
    Kind(
        "jpeg",
        jpeg,
        _ranges(
            edge=(16, 6000), mode=_few(2), progressive=_few(1), subsampling=_few(2), exif=_few(3000),
            entries=_few(5400),
            entry_bytes=_few(65_000), comments=_few(1_000_000), comment_bytes=_few(65_000), application=(0, 15),
            resources=_few(300), mpf=_few(1000), icc=_few(2000), xmp=_few(500), xmp_tags=_few(6000),
            fill=_few(4_000_000),
            claimed_width=_few(65_535), claimed_height=_few(65_535), late_comments=_few(1_000_000), scans=_few(300),
        ),
    ),
    Kind("steady jpeg", steady_jpeg, _ranges(side=(8, 7745), scans=(1, 3000))),
    Kind(
        "png",
        png,
        _ranges(
            width=(1, 70_000), height=(1, 70_000), colour=_few(4), bits=_few(2), interlace=_few(1), excess=_few(20),
            texts=_few(1_000_000), text_bytes=_few(2000), unfolding=_few(500), unfolded=_few(60_000_000),
            profiles=_few(50), packets=_few(300), frames=_few(1_000_000), entries=_few(5400), entry_bytes=_few(65_000),
            empty=_few(1_000_000),
        ),
    ),
    Kind(
        "tiff",
        tiff,
        _ranges(
            width=(1, 70_000), height=(1, 70_000), rows=(1, 5000), samples=_few(2), bits=_few(3), compression=_few(6),
            more_strips=_few(400_000), tile=_few(8000), excess=_few(50), predictor=_few(2), same=(0, 1),
            entries=_few(3000), entry_values=_few(20_000), directories=_few(2000),
        ),
    ),
    Kind(
        "webp",
        webp,
        _ranges(
            side=(1, 16_383), canvas=_few(16_383), frames=_few(20_000), metadata=_few(500), xmp_tags=_few(6000),
        ),
    ),
    Kind(
        "bmp",
        bmp,
        _ranges(
            width=(1, 70_000), height=(1, 70_000), form=_few(4), runs=_few(2_000_000), jumps=_few(2_000_000),
            ends=_few(2_000_000), whole=(0, 1),
        ),
    ),
)  # fmt: skip
