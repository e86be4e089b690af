"""Place and time of a photo, as its file states them."""

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from shared.contracts.geography import PositionFault
from worker.inference.geography.altitude import altitude_of
from worker.inference.geography.heading import heading_of
from worker.inference.geography.metadata import Metadata, read_metadata
from worker.inference.geography.position import Position, position_of
from worker.inference.geography.times import captured_at_of


@dataclass(frozen=True, slots=True)
class FilePlace:
    """Place and time, as the file states them.

    ``latitude`` and ``longitude`` in degrees (WGS 84), both or neither; ``altitude`` in metres as the file counts it;
    ``heading`` in degrees clockwise from true north; ``captured_at`` in UTC; ``fault`` if there is no position.
    """

    latitude: float | None = None
    longitude: float | None = None
    altitude: float | None = None
    heading: float | None = None
    captured_at: datetime | None = None
    fault: PositionFault | None = None


def read_place(data: bytes, *, camera_zone: tzinfo | None = None) -> FilePlace:
    """Read EXIF and XMP of a JPEG, PNG, TIFF or WebP; decodes no picture and raises nothing.

    Args:
        data: the whole file.
        camera_zone: the zone of camera clocks that do not write theirs; None leaves such times out.
    """
    return place_of(read_metadata(data), camera_zone)


def place_of(metadata: Metadata, camera_zone: tzinfo | None) -> FilePlace:
    """Return place and time out of the metadata of a file, as ``read_place``."""
    position = position_of(metadata)
    place = FilePlace(
        altitude=altitude_of(metadata),
        heading=heading_of(metadata),
        captured_at=captured_at_of(metadata, camera_zone),
    )
    if isinstance(position, Position):
        return replace(place, latitude=position.latitude, longitude=position.longitude)
    return replace(place, fault=PositionFault.NO_METADATA if metadata.is_empty else position)
