"""Width and height of the stored pixels, by the first bytes of a file. Nothing is decoded."""

from collections.abc import Callable

from worker.inference.geography.jpeg_segments import segments
from worker.inference.geography.png_chunks import PNG_HEADER
from worker.inference.sliced import Sliced
from worker.inference.structure.tiff import HEIGHT, WIDTH, read_directory
from worker.inference.structure.webp import webp_size

MAX_SIDE = 2**31 - 1  # of what is stored
Size = tuple[int, int]
UNKNOWN: Size = (0, 0)
# ITU-T T.81, table B.1: frames; between them are tables (C4, CC) and a reserved marker (C8).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_OLD_BMP_HEADER = 12  # bytes of the header of OS/2


def read_size(data: Sliced) -> Size | None:
    """Return width and height of the pixels as they are stored, before any orientation; None if they are unknown."""
    begin = data[:12]
    for signature, size_of in _BY_SIGNATURE.items():
        if begin.startswith(signature):
            width, height = size_of(data)
            return (width, height) if 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE else None
    return None


def _jpeg(data: Sliced) -> Size:
    """Read the last frame before the pixels, as Pillow does."""
    size = UNKNOWN
    for segment in segments(data):
        frame = data[segment.at : segment.at + 5] if segment.marker in _FRAMES else b""
        if len(frame) == 5:  # noqa: PLR2004  # precision, height, width (B.2.2)
            size = int.from_bytes(frame[3:5], "big"), int.from_bytes(frame[1:3], "big")
    return size


def _png(data: Sliced) -> Size:
    header = data[: len(PNG_HEADER) + 16]
    if header[12:16] != b"IHDR":
        return UNKNOWN
    return int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")


def _tiff(data: Sliced) -> Size:
    directory = read_directory(data)
    return UNKNOWN if directory is None else (directory.integer(WIDTH), directory.integer(HEIGHT))


def _bmp(data: Sliced) -> Size:
    header = data[:26]
    if int.from_bytes(header[14:18], "little") == _OLD_BMP_HEADER:
        return int.from_bytes(header[18:20], "little"), int.from_bytes(header[20:22], "little")
    # A negative height means that the rows begin at the top.
    return int.from_bytes(header[18:22], "little"), abs(int.from_bytes(header[22:26], "little", signed=True))


_BY_SIGNATURE: dict[bytes, Callable[[Sliced], Size]] = {
    b"\xff\xd8": _jpeg,
    PNG_HEADER: _png,
    b"II*\0": _tiff,
    b"MM\0*": _tiff,
    b"II+\0": _tiff,
    b"MM\0+": _tiff,
    b"RIFF": webp_size,
    b"BM": _bmp,
}
