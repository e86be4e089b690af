"""Where an image was taken, and who says so."""

from enum import StrEnum


class PositionSource(StrEnum):
    """Whose word a position is. The first of these that has one wins."""

    CLIENT = "client"  # Sent with the image by whoever made the job.
    SIDECAR = "sidecar"  # A `geo.txt` or CSV file beside the images.
    FILE = "file"  # EXIF or XMP inside the image itself.


class PlaceFilter(StrEnum):
    """Which results to read by whether they have a position."""

    KNOWN = "known"
    MISSING = "missing"


class PositionFault(StrEnum):
    """Why an image has no position. Such an image is classified and listed like any other."""

    NO_METADATA = "no_metadata"  # The file has neither EXIF nor XMP: it was stripped, or is no photograph of a camera.
    NO_POSITION = "no_position"  # It has metadata, but no position in them: the receiver was off.
    NO_FIX = "no_fix"  # The receiver wrote 0, 0 or said that it had no fix.
    INVALID_POSITION = "invalid_position"  # The numbers cannot be a place on Earth.
    NOT_READ = "not_read"  # No worker could read the file; its error says why.
