"""The pixels of JPEGs are Pillow's to the bit, and so is every error, whoever decodes."""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from shared.contracts.manifest import Decode, Preprocessing, ResizeFilter
from tests.corpus.files import broken_files
from worker.inference import jpeg
from worker.inference.errors import ImageError
from worker.inference.preprocess import resized_pixels

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
READ_JPEG = "worker.inference.preprocess.read_jpeg"
KERAS = Preprocessing()
WAYS = (
    KERAS,
    Preprocessing(decode=Decode.SCALED),
    Preprocessing(decode=Decode.SCALED, resize=ResizeFilter.BICUBIC, exif_orientation=True),
    Preprocessing(resize=ResizeFilter.BICUBIC),
)
SIZES = ((1, 1), (3, 2), (20, 31), (60, 60), (180, 180))
EDGES = ((1, 1), (1, 9), (7, 1), (2, 3), (8, 8), (15, 17), (16, 33), (65, 48), (500, 77))
TURNED = Image.Exif()
TURNED[0x0112] = 6  # the orientation: a quarter turn
ENCODINGS: tuple[dict[str, object], ...] = (
    {"subsampling": 0},
    {"subsampling": 1},
    {"subsampling": 2},
    {"subsampling": 0, "progressive": True},
    {"subsampling": 1, "progressive": True, "quality": 30},
    {"subsampling": 2, "progressive": True, "quality": 100},
    {"subsampling": 2, "restart_marker_blocks": 2},
    {"subsampling": 0, "restart_marker_rows": 1, "optimize": True},
    {"keep_rgb": True},
    {"exif": TURNED},
)

Encode = Callable[..., bytes]
Found = NDArray[np.uint8] | tuple[str, str]


class Readings:
    """What comes of a file with and without libjpeg-turbo's own interface, and how often that was used."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.used = 0
        self._monkeypatch = monkeypatch
        self._read = jpeg.read_jpeg

    def _count(self, data: bytes, image: Image.Image, full_size: tuple[int, int]) -> jpeg.Pixels | None:
        pixels = self._read(data, image, full_size)
        self.used += pixels is not None
        return pixels

    def both(self, data: bytes, how: Preprocessing, size: tuple[int, int]) -> tuple[Found, Found]:
        self._monkeypatch.setattr(READ_JPEG, self._count)
        ours = _outcome(data, how, size)
        self._monkeypatch.setattr(READ_JPEG, lambda *_: None)
        return ours, _outcome(data, how, size)

    def compare(self, data: bytes, how: Preprocessing, size: tuple[int, int], what: object = "") -> None:
        ours, pillows = self.both(data, how, size)
        assert isinstance(ours, tuple) == isinstance(pillows, tuple), (what, how, size)
        np.testing.assert_array_equal(ours, pillows, err_msg=f"{what} {how} {size}")


def _outcome(data: bytes, how: Preprocessing, size: tuple[int, int]) -> Found:
    try:
        return resized_pixels(data, how, size)
    except ImageError as error:
        return error.code, error.detail


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    return Readings(monkeypatch)


@pytest.fixture
def _asked_again() -> Iterator[None]:
    """The test of the decoder is made again afterwards."""
    jpeg.is_exact.cache_clear()
    yield
    jpeg.is_exact.cache_clear()


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(width).integers(0, 256, (height, width, 3), dtype=np.uint8))


def test_both_libraries_agree_here() -> None:
    assert jpeg.is_exact()


@pytest.mark.parametrize("options", ENCODINGS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pixels_of_every_kind_of_jpeg_are_those_of_pillow(
    options: dict[str, object], mode: str, encode: Encode, readings: Readings
) -> None:
    if mode == "L":
        options = {name: value for name, value in options.items() if name != "keep_rgb"}
    for (width, height), how, size in product(EDGES, WAYS, SIZES):
        readings.compare(encode(noise(width, height).convert(mode), **options), how, size, (width, height))
    assert readings.used >= 0.6 * len(EDGES) * len(WAYS) * len(SIZES)


def test_the_first_picture_of_several_is_read(photo: Image.Image, encode: Encode, readings: Readings) -> None:
    data = encode(photo, "MPO", save_all=True, append_images=[noise(40, 30)])
    for how in WAYS:
        readings.compare(data, how, (20, 31))
    assert readings.used == 3


def test_nearest_takes_the_pixels_that_pillow_takes() -> None:
    for length, wanted in product((1, 2, 3, 7, 100, 2672, 4000, 9999), (1, 2, 3, 7, 100, 180, 224, 4096)):
        row = np.repeat((np.arange(length) // 256).astype(np.uint8)[None, :, None], 3, axis=2)
        row[..., 1] = np.arange(length) % 256
        pillows = Image.fromarray(row).resize((wanted, 2), Image.Resampling.NEAREST)
        found = jpeg.nearest(row, (wanted, 2))
        np.testing.assert_array_equal(found, np.asarray(pillows), err_msg=f"{length} {wanted}")
        assert found.flags.c_contiguous


@pytest.mark.parametrize("mode", ["CMYK", "L", "RGB"])
def test_what_is_no_ordinary_jpeg_is_left_to_pillow(
    mode: str, photo: Image.Image, encode: Encode, readings: Readings
) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    readings.compare(encode(photo.convert(mode), kind), KERAS, (20, 31))
    assert readings.used == 0


@pytest.mark.parametrize("progressive", [False, True])
def test_a_file_that_ends_anywhere_has_the_error_of_pillow(
    progressive: bool,  # noqa: FBT001  # pytest's
    encode: Encode,
    readings: Readings,
) -> None:
    data = encode(noise(90, 60), progressive=progressive)
    for end in (*range(0, len(data), 101), *range(len(data) - 40, len(data))):
        readings.compare(data[:end], KERAS, (20, 31), end)
    assert readings.used == 0
    readings.compare(data, KERAS, (20, 31))
    assert readings.used == 1


def test_what_pillow_overlooks_is_overlooked(encode: Encode, readings: Readings) -> None:
    """Bytes between the last picture data and the end, which libjpeg-turbo warns of."""
    data = encode(noise(90, 60))
    readings.compare(data[:-2] + b"\x00" * 20 + data[-2:], KERAS, (20, 31))
    readings.compare(data + b"something behind it", KERAS, (20, 31))
    assert readings.used >= 1


def test_broken_images_have_the_same_pixels_and_errors(readings: Readings) -> None:
    files = [file for file in broken_files(300, seed=3) if file.format == "JPEG"]
    assert len(files) > 50
    for file, how in product(files, WAYS[:3]):
        readings.compare(file.data, how, (20, 31), (file.number, file.damage))
    assert readings.used > 10


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["leaves-full-size", "leaves/apple-field/validation", "leaves/corn", "drone"])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_photographs_have_the_pixels_of_pillow(folder: str, readings: Readings) -> None:
    if not DATA.is_dir():
        pytest.skip(f"no photographs at {DATA}")
    files = [file for file in sorted((DATA / folder).rglob("*")) if file.suffix.lower() in {".jpg", ".jpeg"}]
    some = files[:: max(1, len(files) // 5)]
    for file, how in product(some, WAYS[:3]):
        readings.compare(file.read_bytes(), how, (180, 180), file)
    assert readings.used >= 2 * len(some)


@pytest.mark.usefixtures("_asked_again")
def test_a_decoder_with_other_pixels_is_found_out_and_not_used(
    monkeypatch: pytest.MonkeyPatch, photo: Image.Image, encode: Encode, readings: Readings
) -> None:
    real: Callable[..., jpeg.Pixels] = simplejpeg.decode_jpeg
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda *a, **k: real(*a, **k, fastdct=True, fastupsample=True))
    assert not jpeg.is_exact()
    readings.compare(encode(photo), KERAS, (20, 31))
    assert readings.used == 0


@pytest.mark.usefixtures("_asked_again")
def test_a_decoder_that_refuses_everything_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr(simplejpeg, "decode_jpeg", refuse)
    assert not jpeg.is_exact()
