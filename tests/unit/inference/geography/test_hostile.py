"""Files that want to hurt: none of them costs an exception, much memory or an endless walk."""

import struct
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.geography import PositionFault
from tests.unit.inference.geography import pictures
from tests.unit.inference.geography.pictures import dji, exif_block, gps, jpeg, text
from worker.inference.geography import read_place
from worker.inference.geography.block import MAX_XMP_BYTES

GOOD = jpeg(exif_block(gps(), {0x9003: text("2026:06:03 10:30:00")}), dji(GpsLatitude="1", GpsLongitude="2"))
BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    b'<x:xmpmeta><rdf:Description drone-dji:GpsLatitude="&c;" drone-dji:GpsLongitude="&c;"/></x:xmpmeta>'
)


def test_no_entity_is_expanded() -> None:
    assert read_place(jpeg(xmp=BOMB)).fault is PositionFault.NO_POSITION


def test_a_compressed_packet_is_read_to_its_limit_alone() -> None:
    data = pictures.png(xmp=b" " * 50_000_000, compressed=True)
    tracemalloc.start()
    read_place(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * MAX_XMP_BYTES


def test_a_tag_of_millions_of_values_is_read_to_its_limit_alone() -> None:
    many = (5, 5_000_000, struct.pack("<II", 1, 1) * 5_000_000)
    data = exif_block(gps(LATITUDE=many))
    tracemalloc.start()
    place = read_place(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert place.fault is PositionFault.INVALID_POSITION
    assert peak < 1_000_000


def test_a_huge_maker_note_changes_nothing() -> None:
    photo = {0x927C: (7, 60_000, b"\xff" * 60_000)}
    assert read_place(jpeg(exif_block(gps(), photo))).latitude == pytest.approx(41.6532)


def test_a_directory_that_points_to_itself_ends() -> None:
    block = b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, pictures.GPS_IFD, 4, 1, 8) + b"\0\0\0\0"
    assert read_place(jpeg(block)).fault is PositionFault.NO_POSITION


def test_a_directory_that_claims_thousands_of_entries_ends() -> None:
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", 0xFFFF) + b"\xff" * 60
    assert read_place(jpeg(block)).latitude is None


def test_offsets_of_64_bits_are_no_index_error() -> None:
    assert read_place(b"II+\0\x08\0\0\0" + b"\xff" * 8).fault is PositionFault.NO_METADATA


def test_every_cut_of_a_good_file_gives_its_position_or_a_fault() -> None:
    for length in range(len(GOOD)):
        place = read_place(GOOD[:length])
        assert (place.latitude is None) == (place.fault is not None)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8))
def test_no_damage_raises(at: int, noise: bytes) -> None:
    place = read_place(GOOD[:at] + noise + GOOD[at + len(noise) :])
    assert (place.latitude is None) == (place.fault is not None)
    if place.latitude is not None and place.longitude is not None:
        assert abs(place.latitude) <= 90
        assert abs(place.longitude) <= 180


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from((b"II*\0", b"MM\0*", b"II+\0", b"\xff\xd8\xff\xe1", b"\x89PNG\r\n\x1a\n", b"RIFF0000WEBP", b"")),
    st.binary(max_size=300),
)
def test_no_bytes_raise(header: bytes, data: bytes) -> None:
    read_place(header + data)
