"""What a picture may cost; beyond it the picture is refused by its header, before a pixel is decoded."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """The limits of one picture.

    Attributes:
        pixels: width x height, and those of a tile of a TIFF.
        scans: scans of a progressive JPEG. Each goes over the whole picture: 20 MB can hold a hundred thousand, which
            is half an hour. Cameras write 1, encoders up to a few dozen, for each picture and thumbnail in the file;
            libtiff stops at 100 in each tile.
    """

    pixels: int = 60_000_000
    scans: int = 200


DEFAULT_LIMITS = PictureLimits()
