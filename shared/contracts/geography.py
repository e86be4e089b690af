"""The place of an image, and the source of its position."""

from enum import StrEnum


class PositionSource(StrEnum):
    """The source of a position. The first of these that has one wins."""

    CLIENT = "client"  # Sent with the image by the client that made the job.
    SIDECAR = "sidecar"  # A `geo.txt` or CSV file next to the images.
    FILE = "file"  # EXIF or XMP inside the image itself.


class PlaceFilter(StrEnum):
    """A filter of results by their position."""

    KNOWN = "known"
    MISSING = "missing"


class PositionFault(StrEnum):
    """The reason why an image has no position. Such an image is classified and listed like any other."""

    NO_METADATA = "no_metadata"  # The file has neither EXIF nor XMP: it was stripped, or is no photograph of a camera.
    NO_POSITION = "no_position"  # It has metadata, but no position in them: the receiver was off.
    NO_FIX = "no_fix"  # The receiver wrote 0, 0 or said that it had no fix.
    INVALID_POSITION = "invalid_position"  # The numbers cannot be a place on Earth.
    NOT_READ = "not_read"  # No worker could read the file; its error says why.
