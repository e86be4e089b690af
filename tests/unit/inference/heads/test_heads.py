"""What is read from the head of a file is what the whole file says, however little of it is fetched."""

import io
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from shared.contracts.geography import PositionFault
from shared.contracts.pose import Pose
from tests.corpus.bombs import BOMBS
from tests.corpus.files import broken_files
from tests.corpus.pictures import whole_pictures
from worker.inference.geography import read_place
from worker.inference.heads import Head, PartialFile, read_head
from worker.inference.heads.partial import MAX_FETCHES

SHARED = Path(__file__).parents[5] / "shared"
STEPS = (512, 4096, 65536)
TAGGED = 0x0112
FIFTY = 50
BOMBS_MADE = 6  # none of them is large


class Fetching:
    """A file whose parts are fetched, and a note of each."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.fetched: list[tuple[int, int]] = []

    def __call__(self, start: int, length: int) -> bytes:
        self.fetched.append((start, length))
        return self.data[start : start + length]


def in_parts(data: bytes, step: int) -> tuple[Head, Fetching]:
    fetching = Fetching(data)
    head = read_head(PartialFile(len(data), fetching, first_bytes=step))
    assert len(fetching.fetched) <= MAX_FETCHES + 1
    return head, fetching


def photographs() -> Iterator[Path]:
    for folder in ("drone", "greenhouse", "leaves-full-size", "ortho"):
        yield from sorted(path for path in (SHARED / "data" / folder).rglob("*") if path.suffix.lower() != ".md")
    yield from sorted((SHARED / "data" / "leaves").rglob("*.jpg"))[::FIFTY]


def check(data: bytes) -> None:
    whole = read_head(data)
    with Image.open(io.BytesIO(data)) as picture:
        stored = (picture.height, picture.width) if picture.format == "TIFF" and whole.orientation > 4 else picture.size
        assert whole.size == stored
        assert whole.orientation == (picture.getexif().get(TAGGED) or 1)
    place = read_place(data)
    pose = whole.pose
    found = (pose.latitude, pose.longitude, pose.altitude_m, pose.heading_degrees, pose.captured_at)
    assert found == (place.latitude, place.longitude, place.altitude, place.heading, place.captured_at)
    assert pose.position_fault is place.fault
    for step in STEPS:
        assert in_parts(data, step)[0] == whole, step


def test_real_photographs_say_the_same_in_parts() -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared/data with real photographs is not here")
    paths = [path for path in photographs() if path.is_file()]
    for path in paths:
        check(path.read_bytes())
    assert len(paths) > FIFTY


def test_a_photograph_of_a_camera_needs_one_read() -> None:
    if not SHARED.is_dir():
        pytest.skip("../shared/data with real photographs is not here")
    for path in (SHARED / "data" / "drone").rglob("*.[jJ][pP][gG]"):
        assert len(in_parts(path.read_bytes(), 65536)[1].fetched) == 1, path


@pytest.mark.parametrize("number", range(len(whole_pictures(1))))
def test_pictures_of_every_format_say_the_same_in_parts(number: int) -> None:
    check(whole_pictures(1)[number][1])


def test_damaged_files_raise_nothing_and_invent_nothing() -> None:
    for broken in broken_files(600, seed=15):
        whole = read_head(broken.data)
        for step in STEPS:
            head, _ = in_parts(broken.data, step)
            assert head.size in {whole.size, None}, (broken.number, broken.damage)
            assert head.pose.latitude in {whole.pose.latitude, None}, (broken.number, broken.damage)


@given(
    st.sampled_from([data for _, data in whole_pictures(2)]), st.integers(0, 4000), st.binary(min_size=1, max_size=9)
)
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_bytes_changed_anywhere_raise_nothing(data: bytes, at: int, other: bytes) -> None:
    at %= len(data)
    changed = data[:at] + other + data[at + len(other) :]
    assert in_parts(changed, len(changed))[0] == read_head(changed)
    in_parts(changed, 256)


@given(
    st.binary(max_size=200),
    st.sampled_from([b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0+", b"RIFF", b"BM", b""]),
)
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_any_bytes_are_unknown(noise: bytes, signature: bytes) -> None:
    read_head(signature + noise)


def test_a_file_that_is_shorter_than_announced_is_read_as_far_as_it_goes() -> None:
    kind, data = whole_pictures(1)[0]
    assert kind == "JPEG"
    head = read_head(PartialFile(10 * len(data), Fetching(data), first_bytes=65536))
    assert head == read_head(data)
    nothing = Head(pose=Pose(position_fault=PositionFault.NO_METADATA))
    assert read_head(PartialFile(100, Fetching(b""), first_bytes=64)) == nothing
    assert read_head(PartialFile(0, Fetching(b""), first_bytes=64)) == nothing


def png(*, before: bool, behind: bool) -> bytes:
    """A PNG of many small chunks of pixels, with XMP before or behind them."""
    stream = io.BytesIO()
    Image.effect_noise((500, 300), 90).save(stream, "PNG")
    data = stream.getvalue()
    packet = b'<x:xmpmeta xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/" drone-dji:RelativeAltitude="+12.5"/>'
    text = _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)
    header, pixels = data[:33], data[data.index(b"IDAT") + 4 : -16]
    pieces = [_chunk(b"IDAT", pixels[at : at + 512]) for at in range(0, len(pixels), 512)]
    ends = [text] if before else [], [text] if behind else []
    return b"".join([header, *ends[0], *pieces, *ends[1], _chunk(b"IEND", b"")])


def _chunk(name: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")


@pytest.mark.parametrize(("before", "behind"), [(True, False), (False, True)])
def test_metadata_of_a_png_stand_before_or_behind_its_pixels(*, before: bool, behind: bool) -> None:
    data = png(before=before, behind=behind)
    head, fetching = in_parts(data, 1024)
    assert (head.size, head.pose.relative_altitude_m) == ((500, 300), 12.5)
    assert len(fetching.fetched) <= 3


def test_a_tiff_with_its_directory_at_the_end_needs_a_second_read() -> None:
    stream = io.BytesIO()
    Image.effect_noise((400, 300), 90).save(stream, "TIFF", compression="tiff_lzw")
    data = stream.getvalue()
    assert int.from_bytes(data[4:8], "little") > len(data) // 2
    head, fetching = in_parts(data, 4096)
    assert head.size == (400, 300)
    assert len(fetching.fetched) == 2


def test_a_thermal_photograph_has_a_megabyte_before_its_picture() -> None:
    """FLIR writes raw temperatures into segments of 64 KB, before those that matter here."""
    _, data = whole_pictures(1)[0]
    raw = b"".join(b"\xff\xe1" + (65535).to_bytes(2, "big") + b"FLIR\0" + bytes(65528) for _ in range(20))
    thermal = data[:2] + raw + data[2:]
    head, fetching = in_parts(thermal, 65536)
    assert head == read_head(data)
    assert len(fetching.fetched) <= 5


def test_an_animation_or_a_bomb_is_read_within_limits() -> None:
    for build in list(BOMBS.values())[:BOMBS_MADE]:
        in_parts(build(), 4096)
    assert PngImagePlugin.PngImageFile.format == "PNG"
