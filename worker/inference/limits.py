"""Limits of one picture: checked in its structure before a decoder sees it, and enforced while it is decoded."""

from dataclasses import dataclass

MEBIBYTE = 1024**2


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """Limits of one picture.

    Attributes:
        pixels: width x height, and those of a tile of a TIFF.
        side: the longer edge in pixels. Decoders keep a pointer and padding for each row: 1 x 60,000,000 pixels took
            2.6 GB.
        scans: scans of a progressive JPEG. Each goes over the whole picture: 20 MB can hold a hundred thousand, which
            is half an hour. Cameras write 1, encoders up to a few dozen, for each picture and thumbnail in the file;
            libtiff stops at 100 in each tile.
        tiles: tiles of a photograph that is answered in tiles; each costs as much as a small photograph.
        memory_bytes: memory of a process for decoding; None if it has no limit.
        thread_bytes: memory of an ordinary picture that is decoded in a thread; a larger one goes to a process.
    """

    pixels: int = 60_000_000
    side: int = 65_535
    scans: int = 200
    tiles: int = 4096
    thread_bytes: int = 256 * MEBIBYTE
    memory_bytes: int | None = None


DEFAULT_LIMITS = PictureLimits()
