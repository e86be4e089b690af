import io
import struct

import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from shared.contracts.geography import PositionFault
from tests.unit.inference.geography import pictures
from tests.unit.inference.geography.pictures import Field, byte, dji, doubles, exif_block, fractions, gps, jpeg, text
from worker.inference.geography import FilePlace, read_place

HERE = (41.6532, 0.6187)


def where(place: FilePlace) -> tuple[float | None, float | None]:
    return place.latitude, place.longitude


@pytest.mark.parametrize("write", [jpeg, pictures.png, pictures.webp])
def test_the_position_is_read_from_every_container(write: object) -> None:
    place = read_place(write(exif_block(gps())))  # type: ignore[operator]
    assert where(place) == pytest.approx(HERE, abs=1e-9)
    assert place.fault is None


def test_the_position_is_read_from_tiff_and_bigtiff() -> None:
    for big in (False, True):
        buffer = io.BytesIO()
        directory = ImageFileDirectory_v2()
        directory[0x8825] = {1: "N", 2: (41.0, 39.0, 11.52), 3: "E", 4: (0.0, 37.0, 7.32)}
        Image.new("RGB", (8, 8)).save(buffer, "TIFF", tiffinfo=directory, big_tiff=big)
        assert where(read_place(buffer.getvalue())) == pytest.approx(HERE, abs=1e-9)


def test_south_and_west_are_negative() -> None:
    place = read_place(jpeg(exif_block(gps(LATITUDE_REF=text("S"), LONGITUDE_REF=text("W")))))
    assert where(place) == pytest.approx((-HERE[0], -HERE[1]), abs=1e-9)


def test_degrees_may_come_as_one_decimal_number() -> None:
    place = read_place(jpeg(exif_block(gps(LATITUDE=doubles(41.6532), LONGITUDE=doubles(0.6187)))))
    assert where(place) == pytest.approx(HERE, abs=1e-12)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"LATITUDE": fractions((0, 0), (0, 0), (0, 0))}, PositionFault.NO_FIX),
        ({"LATITUDE": fractions((41, 1), (39, 1), (0, 0))}, PositionFault.NO_FIX),
        ({"STATUS": text("V")}, PositionFault.NO_FIX),
        (
            {"LATITUDE": fractions((0, 1), (0, 1), (0, 1)), "LONGITUDE": fractions((0, 1), (0, 1), (0, 1))},
            PositionFault.NO_FIX,
        ),
        ({"LATITUDE": fractions((91, 1), (0, 1), (0, 1))}, PositionFault.INVALID_POSITION),
        ({"LONGITUDE": fractions((180, 1), (1, 1), (0, 1))}, PositionFault.INVALID_POSITION),
        ({"LATITUDE": fractions((41, 0), (0, 1), (0, 1))}, PositionFault.INVALID_POSITION),
        ({"LATITUDE": doubles(float("nan"))}, PositionFault.INVALID_POSITION),
        ({"LATITUDE": doubles(float("inf"))}, PositionFault.INVALID_POSITION),
        ({"LATITUDE": doubles(-41.6)}, PositionFault.INVALID_POSITION),
        ({"LATITUDE": text("41,39,11")}, PositionFault.INVALID_POSITION),
        ({"LATITUDE": fractions(*[(1, 1)] * 4)}, PositionFault.INVALID_POSITION),
        ({"LATITUDE_REF": None}, PositionFault.INVALID_POSITION),
        ({"LONGITUDE_REF": text("Q")}, PositionFault.INVALID_POSITION),
        ({"LATITUDE_REF": byte(78)}, PositionFault.INVALID_POSITION),
        ({"LONGITUDE": None}, PositionFault.INVALID_POSITION),
        ({"LATITUDE": None}, PositionFault.INVALID_POSITION),
        ({"LATITUDE": None, "LONGITUDE": None}, PositionFault.NO_POSITION),
    ],
)
def test_numbers_that_are_no_place_have_a_fault(changes: dict[str, Field | None], fault: PositionFault) -> None:
    place = read_place(jpeg(exif_block(gps(**changes))))
    assert (where(place), place.fault) == ((None, None), fault)


def test_a_file_without_metadata_says_so() -> None:
    tiff = io.BytesIO()
    Image.new("RGB", (8, 8)).save(tiff, "TIFF")
    for data in (jpeg(), pictures.png(), pictures.webp(), tiff.getvalue(), b"", b"<html>", b"\xff\xd8", b"II*\0"):
        assert read_place(data) == FilePlace(fault=PositionFault.NO_METADATA)


def test_metadata_without_a_position_is_another_fault() -> None:
    photo = {0x9003: text("2026:06:03 10:30:00")}
    assert read_place(jpeg(exif_block(photo=photo))).fault is PositionFault.NO_POSITION
    assert read_place(jpeg(xmp=dji(FlightYawDegree="+1.0"))).fault is PositionFault.NO_POSITION


def test_a_directory_that_was_cut_off_is_no_position() -> None:
    block = exif_block(gps(), main={0x010F: text("Phytobatch")})
    at = block.index(struct.pack("<HHI", pictures.GPS_IFD, 4, 1)) + 8
    lost = block[:at] + struct.pack("<I", 10**6) + block[at + 4 :]
    assert read_place(jpeg(lost)).fault is PositionFault.INVALID_POSITION


def test_exif_comes_before_xmp_and_xmp_before_nothing() -> None:
    xmp = dji(GpsLatitude="+10.5", GpsLongitude="-20.25")
    assert where(read_place(jpeg(exif_block(gps()), xmp))) == pytest.approx(HERE, abs=1e-9)
    assert where(read_place(jpeg(exif_block(gps(LATITUDE_REF=None)), xmp))) == (10.5, -20.25)
    assert where(read_place(jpeg(xmp=xmp))) == (10.5, -20.25)
    assert where(read_place(pictures.png(xmp=xmp))) == (10.5, -20.25)
    assert where(read_place(pictures.png(xmp=xmp, compressed=True))) == (10.5, -20.25)
    assert where(read_place(pictures.webp(xmp=xmp))) == (10.5, -20.25)


def test_the_misspelled_longitude_of_old_firmware_is_read() -> None:
    assert where(read_place(jpeg(xmp=dji(GpsLatitude="1.5", GpsLongtitude="2.5")))) == (1.5, 2.5)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"GpsLatitude": "0.0", "GpsLongitude": "0.0"}, PositionFault.NO_FIX),
        ({"GpsLatitude": "95.0", "GpsLongitude": "0.0"}, PositionFault.INVALID_POSITION),
        ({"GpsLatitude": "10.0"}, PositionFault.INVALID_POSITION),
        ({"GpsLatitude": "nan", "GpsLongitude": "nan"}, PositionFault.INVALID_POSITION),
        ({"GpsLatitude": "&lol9;", "GpsLongitude": "1"}, PositionFault.INVALID_POSITION),
    ],
)
def test_xmp_may_lie_as_well(values: dict[str, str], fault: PositionFault) -> None:
    assert read_place(jpeg(xmp=dji(**values))).fault is fault


@pytest.mark.parametrize(
    ("gps_fields", "xmp", "metres"),
    [
        ({"ALTITUDE": fractions((2265, 10))}, None, 226.5),
        ({"ALTITUDE": fractions((2265, 10)), "ALTITUDE_REF": byte(0)}, None, 226.5),
        ({"ALTITUDE": fractions((35, 10)), "ALTITUDE_REF": byte(1)}, None, -3.5),
        ({"ALTITUDE": fractions((35, 10)), "ALTITUDE_REF": (7, 1, b"\x01")}, None, -3.5),
        ({"ALTITUDE": fractions((0, 0))}, None, None),
        ({"ALTITUDE": fractions((10**9, 1))}, None, None),
        ({"ALTITUDE": text("high")}, None, None),
        ({}, dji(AbsoluteAltitude="+198.31", RelativeAltitude="+39.80"), 198.31),
        ({}, dji(RelativeAltitude="+39.80"), None),
    ],
)
def test_altitude_is_in_metres_and_never_above_take_off(
    gps_fields: dict[str, Field], xmp: bytes | None, metres: float | None
) -> None:
    place = read_place(jpeg(exif_block(gps(**gps_fields)), xmp))
    assert place.altitude == metres
    assert place.fault is None
