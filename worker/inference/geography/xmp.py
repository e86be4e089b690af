"""What DJI's drones write into XMP. The packet is searched, not parsed as XML: no entity is ever expanded.

Their firmware writes each value as an attribute, ``drone-dji:GpsLatitude="+46.8426071"``; editors that write the packet
anew may make elements of them. Not every packet in the field is well-formed, which a search does not mind.
"""

import re
from types import MappingProxyType

_NAMES = MappingProxyType(
    {
        b"GpsLatitude": "latitude",
        b"GpsLongitude": "longitude",
        b"GpsLongtitude": "longitude",  # the spelling of several years of firmware
        b"AbsoluteAltitude": "altitude",
        b"GimbalYawDegree": "gimbal_yaw",
        b"FlightYawDegree": "flight_yaw",
        b"UTCAtExposure": "utc",
    }
)
_VALUE = re.compile(
    rb"\bdrone-dji:(" + b"|".join(_NAMES) + rb")(?:\s{0,8}=\s{0,8}[\"']|>)\s{0,8}([0-9T:.+\-]{1,40})\s{0,8}[\"'<]"
)
_NUMBER = re.compile(r"[+-]?\d{1,12}(\.\d{1,20})?")

Xmp = MappingProxyType[str, str]
NOTHING: Xmp = MappingProxyType({})


def read_xmp(packet: bytes) -> Xmp:
    """The values as text, by our names; the first of each."""
    found: dict[str, str] = {}
    for name, value in _VALUE.findall(packet):
        found.setdefault(_NAMES[name], value.decode("ascii"))
    return MappingProxyType(found)


def number(xmp: Xmp, name: str) -> float | None:
    """A value as a number; None where it is missing or none."""
    text = xmp.get(name, "")
    return float(text) if _NUMBER.fullmatch(text) else None
