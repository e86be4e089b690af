"""The direction of the camera: degrees clockwise from true north, 0 to 360."""

from collections.abc import Iterator

from worker.inference.geography import exif as tags
from worker.inference.geography.exif import only_number
from worker.inference.geography.metadata import Metadata
from worker.inference.geography.xmp import number

TURN = 360.0
TRUE_NORTH = "T"
# The camera before what carries it.
YAWS = ("drone-dji:GimbalYawDegree", "Camera:Yaw", "drone-dji:FlightYawDegree")


def heading_of(metadata: Metadata) -> float | None:
    """Return the yaw of gimbal or camera, else that of the drone, else the direction of the image in EXIF or XMP.

    A direction from magnetic north (``M``) is not taken: how far that is from true north depends on place and year, up
    to 20 degrees. One without a reference is not taken either.
    """
    yaws = (number(packet.get(name)) for name in YAWS for packet in metadata.packets)
    heading = next((yaw for yaw in yaws if yaw is not None and -TURN <= yaw <= TURN), None)
    if heading is None:
        heading = next((angle for angle in _directions(metadata) if angle is not None and 0 <= angle <= TURN), None)
    return None if heading is None else heading % TURN


def _directions(metadata: Metadata) -> Iterator[float | None]:
    for gps in metadata.gps:
        if gps.get(tags.DIRECTION_REF) == TRUE_NORTH:
            yield only_number(gps.get(tags.DIRECTION))
    for packet in metadata.packets:
        if packet.get("exif:GPSImgDirectionRef") == TRUE_NORTH:
            yield number(packet.get("exif:GPSImgDirection"))
