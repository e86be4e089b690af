"""What a second block says, or one in another place, counts where the first says nothing that can be true."""

import struct
import zlib
from collections.abc import Callable

import pytest

from shared.contracts.geography import PositionFault
from tests.unit.inference.geography import pictures
from tests.unit.inference.geography.pictures import (
    BEFORE,
    EXIF_IFD,
    GPS_IFD,
    Field,
    app1,
    byte,
    chained,
    dji,
    exif_block,
    exif_segment,
    exif_tree,
    extended_xmp,
    fractions,
    gps,
    jpeg,
    jpeg_with,
    packet_of,
    png_with,
    text,
    xmp_segment,
)  # fmt: skip
from worker.inference.geography import FilePlace, read_place
from worker.inference.geography.exif import XMP_TAG

HERE = (41.6532, 0.6187)
EXIF = exif_block(gps())
EMPTY_EXIF = exif_block(gps(LATITUDE=None, LONGITUDE=None))
DJI = dji(GpsLatitude="+41.6532", GpsLongitude="+0.6187")
OTHER = packet_of({"xmp:CreatorTool": "pano"}, 'xmlns:xmp="http://ns.adobe.com/xap/1.0/"')
EXIF_NAMESPACE = 'xmlns:exif="http://ns.adobe.com/exif/1.0/"'
PNG_KEYWORD = b"Raw profile type exif\0"
NO_LENGTH = b"\xff\xd8" + b"\xff\x01" + b"\xff\xd0"  # start of image, TEM, RST0


def where(place: FilePlace) -> tuple[float | None, float | None]:
    return place.latitude, place.longitude


def undefined(raw: bytes) -> Field:
    return 7, len(raw), raw


def profile(block: bytes, kind: str = "exif") -> bytes:
    digits = block.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return f"\n{kind}\n{len(block):8}\n{lines}\n".encode()


FILES: dict[str, Callable[[], bytes]] = {
    "second EXIF segment": lambda: jpeg_with(exif_segment(EMPTY_EXIF) + exif_segment(EXIF)),
    "EXIF behind a damaged one": lambda: jpeg_with(exif_segment(b"II*\0\xff\xff\xff\xff") + exif_segment(EXIF)),
    "second XMP segment": lambda: jpeg_with(xmp_segment(OTHER) + xmp_segment(DJI)),
    "second XMP packet after a null island": lambda: jpeg_with(
        xmp_segment(dji(GpsLatitude="0.0", GpsLongitude="0.0")) + xmp_segment(DJI)
    ),
    "extended XMP in pieces": lambda: jpeg_with(xmp_segment(OTHER) + extended_xmp(DJI, 200)),
    "EXIF in two segments": lambda: jpeg_with(exif_segment(EXIF[:60]) + exif_segment(EXIF[60:])),
    "Exif\\0\\xff": lambda: jpeg_with(exif_segment(EXIF, b"Exif\0\xff")),
    "EXIF identifier in capitals": lambda: jpeg_with(exif_segment(EXIF, b"EXIF\0\0")),
    "EXIF identifier without zeros": lambda: jpeg_with(exif_segment(EXIF, b"Exif")),
    "EXIF identifier missing": lambda: jpeg_with(exif_segment(EXIF, b"")),
    "EXIF identifier twice": lambda: jpeg_with(exif_segment(EXIF, b"Exif\0\0Exif\0\0")),
    "bytes before the TIFF header": lambda: jpeg_with(exif_segment(EXIF, b"Exif\0\0\0\xff\0")),
    "XMP behind another header": lambda: jpeg_with(xmp_segment(DJI, b"XMP\0")),
    "XMP without a header": lambda: jpeg_with(xmp_segment(DJI, b"")),
    "fill bytes between segments": lambda: jpeg_with(b"\xff" * 700 + exif_segment(EXIF)),
    "zeros between segments": lambda: jpeg_with(xmp_segment(OTHER) + b"\0" * 700 + exif_segment(EXIF)),
    "stray bytes between segments": lambda: jpeg_with(xmp_segment(OTHER) + b"\x12\xff\0\x34" + exif_segment(EXIF)),
    "markers without a length": lambda: jpeg_with(NO_LENGTH + exif_segment(EXIF)),
    "a segment of length zero": lambda: jpeg_with(b"\xff\xe0\0\0" + exif_segment(EXIF)),
    "XMP in the EXIF directory": lambda: jpeg(exif_block(photo={XMP_TAG: undefined(DJI)})),
    "XMP in the GPS directory": lambda: jpeg(exif_block({XMP_TAG: undefined(DJI)})),
    "XMP in the directory of the thumbnail": lambda: jpeg(chained(EMPTY_EXIF, {XMP_TAG: undefined(DJI)})),
    "GPS below the EXIF directory": lambda: jpeg(
        exif_tree(gps(), {GPS_IFD: BEFORE}, {EXIF_IFD: BEFORE})
    ),
    "GPS in a TIFF's sub-directory": lambda: exif_tree(gps(), {GPS_IFD: BEFORE}, {0x014A: BEFORE}),
    "TIFF with XMP in its second directory": lambda: chained(EMPTY_EXIF, {XMP_TAG: undefined(DJI)}),
    "PNG: eXIf with an identifier": lambda: pictures.png(b"Exif\0\0" + EXIF),
    "PNG: profile as text": lambda: png_with(b"tEXt", PNG_KEYWORD + profile(b"Exif\0\0" + EXIF)),
    "PNG: profile, packed": lambda: png_with(b"zTXt", PNG_KEYWORD + b"\0" + zlib.compress(profile(EXIF))),
    "PNG: profile as international text": lambda: png_with(b"iTXt", PNG_KEYWORD + b"\0\0\0\0" + profile(EXIF)),
    "PNG: profile APP1 with XMP": lambda: png_with(
        b"tEXt", b"Raw profile type APP1\0" + profile(b"http://ns.adobe.com/xap/1.0/\0" + DJI, "generic")
    ),
    "PNG: XMP as plain text": lambda: png_with(b"tEXt", b"XML:com.adobe.xmp\0" + DJI),
    "WebP: EXIF with its identifier": lambda: pictures.webp(b"Exif\0\0" + EXIF),
    "WebP: XMP with a zero in its name": lambda: pictures.webp(xmp=DJI).replace(b"XMP ", b"XMP\0"),
    "XMP in UTF-16": lambda: pictures.png(xmp=DJI.decode().encode("utf-16")),
    "XMP in UTF-16, big-endian": lambda: pictures.webp(xmp=DJI.decode().encode("utf-16-be")),
    "XMP in UTF-32": lambda: chained(EMPTY_EXIF, {XMP_TAG: undefined(DJI.decode().encode("utf-32"))}),
    "another prefix": lambda: jpeg(
        xmp=packet_of({"ns1:GpsLatitude": "41.6532", "ns1:GpsLongitude": "0.6187"}, 'xmlns:ns1="http://www.dji.com/drone-dji/1.0/"')
    ),
    "no namespace declared": lambda: jpeg(
        xmp=packet_of({"drone-dji:GpsLatitude": "41.6532", "drone-dji:GpsLongitude": "0.6187"}, "")
    ),
    "elements": lambda: jpeg(
        xmp=b'<rdf:RDF><rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/">'
        b'<exif:GPSLatitude rdf:datatype="x">\n 41,39.192N</exif:GPSLatitude>'
        b"<exif:GPSLongitude>0,37.122E</exif:GPSLongitude></rdf:Description></rdf:RDF>"
    ),
    "elements of a default namespace": lambda: jpeg(
        xmp=b"<x:xmpmeta><GpsLatitude xmlns='http://www.dji.com/drone-dji/1.0/'>+41.6532</GpsLatitude>"
        b"<GpsLongitude xmlns='http://www.dji.com/drone-dji/1.0/'>+0.6187</GpsLongitude>"
    ),
    "impossible EXIF before good XMP": lambda: jpeg(exif_block(gps(LATITUDE=fractions((2**32 - 1, 1)))), DJI),
    "EXIF of too many minutes before good XMP": lambda: jpeg(
        exif_block(gps(LATITUDE=fractions((41, 1), (75, 1), (0, 1)))), DJI
    ),
    "EXIF without a fix before good XMP": lambda: jpeg(exif_block(gps(STATUS=text("V"))), DJI),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_the_position_is_found(name: str) -> None:
    place = read_place(FILES[name]())
    assert where(place) == pytest.approx(HERE, abs=1e-9)
    assert place.fault is None


@pytest.mark.parametrize(
    ("latitude", "longitude", "position"),
    [
        ("41,39.192N", "0,37.122E", HERE),
        ("41,39,11.52N", "0,37,7.32E", HERE),
        ("41,39.192S", "0,37.122W", (-41.6532, -0.6187)),
        ("41.6532", "-0.6187", (41.6532, -0.6187)),
        ("41.6532S", "0.6187 E", (-41.6532, 0.6187)),
        ("41,39.192", "0,37.122", None),
        ("41,39.192E", "0,37.122N", None),
        ("41,99.192N", "0,37.122E", None),
        ("95,39.192N", "0,37.122E", None),
        ("-41,39.192N", "0,37.122E", None),
    ],
)
def test_coordinates_of_xmp(latitude: str, longitude: str, position: tuple[float, float] | None) -> None:
    packet = packet_of({"exif:GPSLatitude": latitude, "exif:GPSLongitude": longitude}, EXIF_NAMESPACE)
    place = read_place(jpeg(xmp=packet))
    if position is None:
        assert (where(place), place.fault) == ((None, None), PositionFault.INVALID_POSITION)
    else:
        assert where(place) == pytest.approx(position, abs=1e-9)


def test_a_hemisphere_may_be_a_property_of_its_own() -> None:
    values = {"GPSLatitude": "41.6532", "GPSLatitudeRef": "S", "GPSLongitude": "0.6187", "GPSLongitudeRef": "W"}
    packet = packet_of({f"exif:{name}": value for name, value in values.items()}, EXIF_NAMESPACE)
    assert where(read_place(jpeg(xmp=packet))) == (-41.6532, -0.6187)


def test_the_first_that_can_be_true_wins() -> None:
    second = exif_block(gps(LATITUDE_REF=text("S")))
    data = jpeg_with(xmp_segment(dji(GpsLatitude="1", GpsLongitude="2")) + exif_segment(EXIF) + exif_segment(second))
    assert where(read_place(data)) == pytest.approx(HERE, abs=1e-9)


def test_a_second_picture_in_the_same_file_says_nothing_of_the_first() -> None:
    """Multi-picture files (CIPA DC-007): previews and thermal pictures stand behind the end of the first."""
    assert read_place(jpeg(EMPTY_EXIF) + jpeg(EXIF)).fault is PositionFault.NO_POSITION


WRAPPED = fractions((2**32 - 9100, 1000))


@pytest.mark.parametrize(
    ("fields", "packet", "metres"),
    [
        ({"ALTITUDE": WRAPPED, "ALTITUDE_REF": byte(0)}, {"drone-dji:AbsoluteAltitude": "-9.20"}, -9.2),
        ({"ALTITUDE": WRAPPED, "ALTITUDE_REF": byte(0)}, {}, -9.1),
        ({"ALTITUDE": WRAPPED, "ALTITUDE_REF": byte(1)}, {}, -9.1),
        ({"ALTITUDE": fractions((65526, 1))}, {"drone-dji:AbsoluteAltitude": "-9.1"}, -9.1),
        ({"ALTITUDE": fractions((0, 0))}, {"drone-dji:AbsoluteAltitude": "+198.31"}, 198.31),
        ({}, {"exif:GPSAltitude": "2265/10"}, 226.5),
        ({}, {"exif:GPSAltitude": "35/10", "exif:GPSAltitudeRef": "1"}, -3.5),
        ({}, {"exif:GPSAltitude": "35/0"}, None),
        ({"ALTITUDE": fractions((0, 1)), "STATUS": text("V")}, {"drone-dji:AbsoluteAltitude": "+198.31"}, 198.31),
        ({"ALTITUDE": fractions((5, 1)), "STATUS": text("V")}, {}, 5),
    ],
)
def test_an_impossible_altitude_hides_no_good_one(
    fields: dict[str, Field], packet: dict[str, str], metres: float | None
) -> None:
    place = read_place(jpeg(exif_block(gps(**fields)), packet_of(packet)))
    assert place.altitude == pytest.approx(metres)


@pytest.mark.parametrize(
    ("packets", "degrees"),
    [
        ([{"drone-dji:GimbalYawDegree": "999"}, {"drone-dji:GimbalYawDegree": "-10"}], 350),
        ([{"drone-dji:FlightYawDegree": "5"}, {"drone-dji:GimbalYawDegree": "7"}], 7),
        ([{"Camera:Yaw": "12.5", "drone-dji:FlightYawDegree": "5"}], 12.5),
        ([{"exif:GPSImgDirection": "905/10", "exif:GPSImgDirectionRef": "T"}], 90.5),
        ([{"exif:GPSImgDirection": "905/10", "exif:GPSImgDirectionRef": "M"}], None),
        ([{"exif:GPSImgDirection": "905/10"}], None),
    ],
)
def test_a_heading_may_stand_in_any_packet(packets: list[dict[str, str]], degrees: float | None) -> None:
    place = read_place(jpeg_with(b"".join(xmp_segment(packet_of(packet)) for packet in packets)))
    assert place.heading == degrees


@pytest.mark.parametrize(
    ("packet", "moment"),
    [
        ({"exif:GPSTimeStamp": "2026-06-03T08:30:00Z"}, "2026-06-03T08:30:00+00:00"),
        ({"exif:DateTimeOriginal": "2026-06-03T10:30:00.25+02:00"}, "2026-06-03T08:30:00.250000+00:00"),
        ({"exif:DateTimeOriginal": "2026-06-03T10:30:00"}, None),
        ({"exif:GPSTimeStamp": "1980-01-06T00:00:00Z"}, None),
        ({"drone-dji:UTCAtExposure": "2026:06:03 08:30:00.5"}, "2026-06-03T08:30:00.500000+00:00"),
    ],
)
def test_times_of_xmp(packet: dict[str, str], moment: str | None) -> None:
    taken = read_place(jpeg(xmp=packet_of(packet))).captured_at
    assert (taken and taken.isoformat()) == moment


def test_many_blocks_are_read_to_their_limit_alone() -> None:
    """The seventeenth block of a file is one too many, and so are the nine hundredth segment and 100 KB between two."""
    assert read_place(jpeg_with(xmp_segment(OTHER) * 16 + exif_segment(EXIF))).fault is PositionFault.NO_POSITION
    for before in (b"\xff\xfe\0\2" * 900, b"\xff" * 100_000, b"\0" * 100_000):
        assert read_place(jpeg_with(before + exif_segment(EXIF))).fault is PositionFault.NO_METADATA


def test_directories_in_a_circle_end() -> None:
    circle = struct.pack("<HHHII", 1, EXIF_IFD, 4, 1, 8) + struct.pack("<I", 8)
    assert read_place(jpeg(b"II*\0\x08\0\0\0" + circle)).fault is PositionFault.NO_POSITION


def test_a_packet_in_pieces_is_read_to_its_limit_alone() -> None:
    assert read_place(jpeg_with(app1(b"http://ns.adobe.com/xmp/extension/\0" + b"A" * 40))).latitude is None
