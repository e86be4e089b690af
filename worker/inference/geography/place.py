"""All that a file says of where and when it was taken."""

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from shared.contracts.geography import PositionFault
from worker.inference.geography.containers import MAX_XMP_BYTES, find_blocks
from worker.inference.geography.exif import Exif, read_exif
from worker.inference.geography.heading import heading_of
from worker.inference.geography.position import Position, altitude_of, position_of
from worker.inference.geography.times import captured_at_of
from worker.inference.geography.xmp import NOTHING, read_xmp


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
    exif, packet = _blocks(data)
    xmp = NOTHING if packet is None else read_xmp(packet[:MAX_XMP_BYTES])
    found = position_of(exif, xmp)
    seen = FilePlace(
        altitude=altitude_of(exif, xmp),
        heading=heading_of(exif, xmp),
        captured_at=captured_at_of(exif, xmp, camera_zone),
    )
    if isinstance(found, Position):
        return replace(seen, latitude=found.latitude, longitude=found.longitude)
    return replace(seen, fault=found if exif is not None or packet is not None else PositionFault.NO_METADATA)


def _blocks(data: bytes) -> tuple[Exif | None, bytes | None]:
    """What the EXIF block says, and the XMP packet."""
    blocks = find_blocks(data)
    exif = None if blocks.exif is None else read_exif(blocks.exif, max_xmp_bytes=MAX_XMP_BYTES)
    if exif is not None and blocks.exif is data and exif.is_bare:  # A TIFF that is a picture and nothing more.
        exif = None
    return exif, blocks.xmp or (exif.xmp if exif is not None else None)
