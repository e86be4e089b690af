"""The properties of place and time in a packet of XMP. It is searched, not parsed as XML: no entity is ever expanded.

Drones write each value as an attribute, ``drone-dji:GpsLatitude="+46.8426071"``; editors that write the packet anew may
make elements of them, or choose another prefix for the same namespace. A search also reads packets that are not
well-formed, which exist in the field.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

Xmp = Mapping[str, str]
"""Values as text, by the usual prefix of their namespace and their name, such as ``exif:GPSLatitude``."""

_PROPERTIES = frozenset(
    f"{prefix}:{name}"
    for prefix, names in {
        "drone-dji": "GpsLatitude GpsLongitude GpsLongtitude Latitude Longitude AbsoluteAltitude "
        "RelativeAltitude AltitudeType GimbalYawDegree GimbalPitchDegree GimbalRollDegree "
        "FlightYawDegree FlightPitchDegree FlightRollDegree UTCAtExposure "
        "CalibratedFocalLength CalibratedOpticalCenterX CalibratedOpticalCenterY "
        "RtkFlag RtkStdLat RtkStdLon RtkStdHgt LRFTargetDistance",
        # XMP specification, part 2, and CIPA DC-010: EXIF 2.32 metadata for XMP.
        "exif": "GPSLatitude GPSLatitudeRef GPSLongitude GPSLongitudeRef GPSAltitude GPSAltitudeRef GPSStatus "
        "GPSImgDirection GPSImgDirectionRef GPSTimeStamp DateTimeOriginal "
        "FocalLength FocalLengthIn35mmFilm PixelXDimension PixelYDimension",
        # Pix4D's; senseFly, Parrot, Sentera and others write it.
        "Camera": "Yaw Pitch Roll AboveGroundAltitude GPSXYAccuracy GPSZAccuracy",
        "drone-parrot": "CameraYawDegree CameraPitchDegree CameraRollDegree",
        "tiff": "Make Model",
    }.items()
    for name in names.split()
)
_NAMESPACES = MappingProxyType(
    {
        "www.dji.com/drone-dji/1.0": "drone-dji",
        "ns.adobe.com/exif/1.0": "exif",
        "pix4d.com/camera/1.0": "Camera",
        "www.pix4d.com/camera/1.0": "Camera",
        "ns.adobe.com/tiff/1.0": "tiff",
    }
)
_LOCAL_NAMES = "|".join(sorted({name.partition(":")[2] for name in _PROPERTIES}, key=len, reverse=True)).encode()
_VALUE = re.compile(
    rb"[:<](" + _LOCAL_NAMES + rb")(?:\s{0,8}=\s{0,8}[\"']|(?:\s[^<>]{0,128}+)?>)([^\"'<>&]{1,80})[\"'<]"
)
_NAMESPACE = re.compile(rb"xmlns(?::([\w.\-]{1,64}))?\s{0,8}=\s{0,8}[\"']\s{0,8}https?://([^\"'<>\s]{1,128})")
_PREFIX = re.compile(rb"[\s<\"']")
MAX_PREFIX = 64
_NUMBER = re.compile(r"([+-]?\d{1,12}(?:\.\d{0,20})?)(?:/(\d{1,12}))?")


def read_xmp(packet: bytes) -> Xmp:
    """Read the known properties; the first value of each."""
    text = _as_utf8(packet)
    prefixes = {prefix.decode(): _namespace(address) for prefix, address in _NAMESPACE.findall(text)}
    values: dict[str, str] = {}
    for match in _VALUE.finditer(text):
        before = text[max(0, match.start() - MAX_PREFIX) : match.start()] if match[0].startswith(b":") else b""
        prefix = _PREFIX.split(before)[-1].decode("utf-8", "replace")
        name = f"{prefixes.get(prefix) or prefix}:{match[1].decode()}"
        value = match[2].decode("utf-8", "replace").strip()
        if value and name in _PROPERTIES:
            values.setdefault(name, value)
    return MappingProxyType(values)


def _namespace(address: bytes) -> str | None:
    """Return the usual prefix of a namespace; some programs write its address with a last slash, some without."""
    return _NAMESPACES.get(address.decode("utf-8", "replace").rstrip("/").lower())


def _as_utf8(packet: bytes) -> bytes:
    """Return the packet from its first ``<`` in UTF-8; outside of JPEG it may be UTF-16 or UTF-32 (part 1, 7.1)."""
    begin = max(0, packet.find(b"<"))
    before, behind = packet[max(0, begin - 3) : begin], packet[begin + 1 : begin + 4]
    width = 4 if behind == bytes(3) else 2 if behind.startswith(b"\0") else 1
    if width == 1:
        return packet[begin:]
    if before.endswith(bytes(width - 1)):
        return packet[begin + 1 - width :].decode(f"utf-{8 * width}-be", "replace").encode()
    return packet[begin:].decode(f"utf-{8 * width}-le", "replace").encode()


def number(text: str | None) -> float | None:
    """Read a decimal number or a fraction; None if it is missing or not a number."""
    match = _NUMBER.fullmatch(text or "")
    if match is None or (match[2] is not None and not int(match[2])):
        return None
    return float(match[1]) / int(match[2] or 1)
