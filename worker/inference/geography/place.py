"""All that a file says of where and when it was taken."""

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from shared.contracts.geography import PositionFault
from worker.inference.geography.altitude import altitude_of
from worker.inference.geography.heading import heading_of
from worker.inference.geography.metadata import read_metadata
from worker.inference.geography.position import Position, position_of
from worker.inference.geography.times import captured_at_of


@dataclass(frozen=True, slots=True)
class FilePlace:
    """Where and when, by the file's own word.

    ``latitude`` and ``longitude`` in degrees (WGS 84), both or neither; ``altitude`` in metres as the file counts it;
    ``heading`` in degrees clockwise from true north; ``captured_at`` in UTC; ``fault`` where there is no position.
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
    metadata = read_metadata(data)
    found = position_of(metadata)
    seen = FilePlace(
        altitude=altitude_of(metadata),
        heading=heading_of(metadata),
        captured_at=captured_at_of(metadata, camera_zone),
    )
    if isinstance(found, Position):
        return replace(seen, latitude=found.latitude, longitude=found.longitude)
    return replace(seen, fault=PositionFault.NO_METADATA if metadata.is_empty else found)
