"""Metres above sea level, as a file counts them. Never the height above take-off."""

from collections.abc import Iterator

from worker.inference.geography import exif as tags
from worker.inference.geography.exif import Tags, only_number
from worker.inference.geography.metadata import Metadata
from worker.inference.geography.position import Position, position_in_gps
from worker.inference.geography.xmp import Xmp, number

LOWEST, HIGHEST = -1_000.0, 20_000.0  # metres; no aeroplane that takes photos of plants is outside
# EXIF 3.0, GPSAltitudeRef: below sea level, and below the ellipsoid.
BELOW = frozenset({1, 3})


def altitude_of(metadata: Metadata) -> float | None:
    """Return the first of these that is possible.

    1. EXIF's altitude in a directory with a valid position.
    2. DJI's absolute altitude, then the altitude of XMP's own EXIF properties.
    3. EXIF's altitude of a receiver that had no position.
    4. EXIF's altitude with its numerator read as a signed integer: some firmware writes -9.1 m as 4294958.196 m.
    """
    known = (metres for metres in _candidates(metadata) if metres is not None)
    return next((metres for metres in known if LOWEST <= metres <= HIGHEST), None)


def _candidates(metadata: Metadata) -> Iterator[float | None]:
    fixed = [isinstance(position_in_gps(gps), Position) for gps in metadata.gps]
    yield from (_in_gps(gps) for gps, good in zip(metadata.gps, fixed, strict=True) if good)
    for packet in metadata.packets:
        yield from (number(packet.get("drone-dji:AbsoluteAltitude")), _in_xmp(packet))
    yield from (_in_gps(gps) for gps, good in zip(metadata.gps, fixed, strict=True) if not good)
    yield from map(_wrapped, metadata.gps)


def _in_gps(gps: Tags) -> float | None:
    metres = only_number(gps.get(tags.ALTITUDE))
    below = only_number(gps.get(tags.ALTITUDE_REF)) in BELOW
    return -metres if metres is not None and below else metres


def _in_xmp(packet: Xmp) -> float | None:
    metres = number(packet.get("exif:GPSAltitude"))
    below = number(packet.get("exif:GPSAltitudeRef")) in BELOW
    return -metres if metres is not None and below else metres


def _wrapped(gps: Tags) -> float | None:
    metres = only_number(gps.get(tags.ALTITUDE_IF_SIGNED))
    return metres if metres is not None and metres < 0 else None
