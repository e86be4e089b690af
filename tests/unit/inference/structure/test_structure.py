"""The structure of files, and that a file without its metadata has the same pixels."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from shared.contracts.manifest import Preprocessing
from shared.contracts.states import ImageErrorCode
from tests.unit.inference.structure.tiffs import plain_tiff, rgb_tiff
from worker.inference.errors import ImageError
from worker.inference.limits import DEFAULT_LIMITS, PictureLimits
from worker.inference.preprocess import resized_pixels
from worker.inference.structure import Structure, inspect
from worker.inference.structure.webp import webp_size

Encode = Callable[..., bytes]
CASES = Path(__file__).parents[5] / "shared" / "cases"
PHOTOGRAPHS = Path(__file__).parents[5] / "shared" / "data"
UPRIGHT = np.arange(24 * 32 * 3, dtype=np.uint8).reshape(24, 32, 3)
# What a TIFF with the tag shows, so that it has to be turned to be UPRIGHT (TIFF 6.0, section 8, Orientation).
TURNED: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: np.rot90(pixels, 1),
    7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
    8: lambda pixels: np.rot90(pixels, -1),
}


def pixels_of(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def ordinary(data: bytes, limits: PictureLimits = DEFAULT_LIMITS) -> Structure:
    structure = inspect(data, limits)
    assert structure is not None
    return structure


def code_of(data: bytes, limits: PictureLimits = DEFAULT_LIMITS) -> tuple[ImageErrorCode, str]:
    with pytest.raises(ImageError) as caught:
        inspect(data, limits)
    return caught.value.code, caught.value.detail


@pytest.mark.parametrize(
    ("image_format", "mode", "options"),
    [
        ("JPEG", "RGB", {"progressive": True, "icc_profile": bytes(9000)}),
        ("JPEG", "L", {"comment": b"a comment"}),
        ("JPEG", "CMYK", {}),
        ("PNG", "RGB", {"compress_level": 1}),
        ("PNG", "RGBA", {"dpi": (72, 72)}),
        ("PNG", "P", {"transparency": 3}),
        ("PNG", "1", {}),
        ("PNG", "I;16", {}),
        ("PNG", "LA", {}),
        ("TIFF", "RGB", {"compression": "tiff_lzw", "software": "a long name " * 30}),
        ("TIFF", "RGBA", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", "L", {"big_tiff": True}),
        ("TIFF", "CMYK", {"compression": "packbits"}),
        ("TIFF", "I;16", {}),
        ("TIFF", "F", {}),
        ("TIFF", "1", {}),
        ("TIFF", "P", {}),
    ],
)
def test_without_metadata_the_pixels_are_the_same(
    image_format: str, mode: str, options: dict[str, object], photo: Image.Image, encode: Encode
) -> None:
    picture = photo.convert("I").convert("I;16") if mode == "I;16" else photo.convert(mode)
    data = encode(picture, image_format, **options)
    structure = ordinary(data)
    np.testing.assert_array_equal(pixels_of(structure.essential), pixels_of(data))
    assert structure.memory_bytes >= photo.width * photo.height


@pytest.mark.slow
def test_photographs_of_cameras_are_ordinary_and_have_the_same_pixels_without_metadata() -> None:
    if not PHOTOGRAPHS.is_dir():
        pytest.skip("../shared/data with real photographs is not here")
    files = sorted((PHOTOGRAPHS / "drone").rglob("*.[jJ][pP][gG]")) + sorted((PHOTOGRAPHS / "greenhouse").glob("*.jpg"))
    assert len(files) > 10
    for file in files[::3]:
        data = file.read_bytes()
        np.testing.assert_array_equal(pixels_of(ordinary(data).essential), pixels_of(data), err_msg=str(file))


def test_no_metadata_of_a_jpeg_is_left(photo: Image.Image, encode: Encode) -> None:
    data = encode(photo, exif=b"Exif\0\0secret exif", icc_profile=b"secret profile" * 10, comment=b"secret comment")
    assert b"secret" in data
    assert b"secret" not in ordinary(data).essential


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def with_segments(data: bytes, segments: bytes) -> bytes:
    """A JPEG with segments behind its first marker."""
    return data[:2] + segments + data[2:]


@pytest.mark.parametrize(
    "segments",
    [
        segment(0xFE, b"") * 600,
        segment(0xE1, b"Exif\0\0" + bytes(60_000)) * 600,
        b"\xff" * 1000,
        b"stray",
        segment(0xCC, bytes(10)),
        segment(0xDC, bytes(2)),
    ],
    ids=["comments", "exif", "fill bytes", "stray bytes", "arithmetic coding", "lines"],
)
def test_a_jpeg_with_odd_segments_is_out_of_the_ordinary(segments: bytes, photo: Image.Image, encode: Encode) -> None:
    assert inspect(with_segments(encode(photo), segments), DEFAULT_LIMITS) is None


def test_a_jpeg_with_the_segments_of_a_thermal_camera_is_ordinary(photo: Image.Image, encode: Encode) -> None:
    data = with_segments(encode(photo), segment(0xE1, b"FLIR\0" + bytes(60_000)) * 120)
    assert len(ordinary(data).essential) < len(data) - 120 * 60_000


def test_a_progressive_jpeg_counts_the_coefficients_that_it_keeps(photo: Image.Image, encode: Encode) -> None:
    plain, progressive = (ordinary(encode(photo, progressive=how)).memory_bytes for how in (False, True))
    assert progressive > plain + photo.width * photo.height


def test_many_scans_over_many_pixels_are_out_of_the_ordinary(photo: Image.Image, encode: Encode) -> None:
    data = encode(photo, progressive=True)
    assert inspect(data, DEFAULT_LIMITS) is not None
    start = data.index(b"\xff\xda")
    assert inspect(data[:start] + data[start:-2] * 6 + data[-2:], DEFAULT_LIMITS) is None
    assert code_of(data, PictureLimits(scans=9))[0] is ImageErrorCode.TOO_COSTLY


def test_what_stands_behind_a_jpeg_holds_no_scans_of_it(photo: Image.Image, encode: Encode) -> None:
    """A film behind the picture, as phones write it: any 64 KB of it hold what begins a scan."""
    data = encode(photo)
    np.testing.assert_array_equal(pixels_of(ordinary(data + b"\xff\xda film" * 1000).essential), pixels_of(data))
    hidden = segment(0xE3, b"\xff\xda" * 1000)  # in a segment that is passed over
    assert ordinary(with_segments(data, hidden))
    start = data.index(b"\xff\xda")
    later = data[start:-2] * 300 + data[-2:]
    for end in (b"", segment(0xFE, b"\xff\xd9"), b"\xff\xd0" * 20_000, b"\xff\x02" * 20_000):
        assert code_of(data[:start] + data[start:-2] + end + later)[0] is ImageErrorCode.TOO_COSTLY


@pytest.mark.parametrize(
    "options", [{}, {"lossless": True}, {"exif": b"Exif\0\0"}], ids=["lossy", "lossless", "extended"]
)
def test_the_size_of_a_webp_is_read_before_its_decoder(options: dict[str, object], encode: Encode) -> None:
    data = encode(Image.new("RGB", (300, 20)), "WEBP", **options)
    assert webp_size(data) == (300, 20)
    assert inspect(data, DEFAULT_LIMITS) is None
    assert code_of(data, PictureLimits(pixels=5999))[0] is ImageErrorCode.TOO_MANY_PIXELS
    assert webp_size(data[:29]) == webp_size(data[:12] + bytes(40)) == (0, 0)


def test_a_tiff_whose_directory_is_odd_is_out_of_the_ordinary() -> None:
    """What Pillow makes of it, Pillow alone knows: it passes over other tags than those that are damaged."""
    assert ordinary(plain_tiff())
    assert inspect(plain_tiff(t305=b"beyond the end of the file"[:5])[:-6], DEFAULT_LIMITS) is None
    assert inspect(plain_tiff(t273=(4,)), DEFAULT_LIMITS) is None  # Pixels within the header, which is written anew.


@pytest.mark.parametrize("tag", [258, 259, 277, 278, 284])
def test_a_number_of_another_type_makes_a_tiff_odd(tag: int) -> None:
    """libtiff takes a signed byte for a compression: a JPEG in many scans would be decoded in a thread."""
    data = plain_tiff(t284=(1,))
    entry = data.index(struct.pack("<HHI", tag, 4, 1))
    assert ordinary(data)
    assert inspect(data[: entry + 2] + b"\6" + data[entry + 3 :], DEFAULT_LIMITS) is None


def test_of_two_entries_for_a_tag_the_first_counts() -> None:
    data = rgb_tiff(UPRIGHT, {65000: (10,)})
    entry = data.index(struct.pack("<HHI", 65000, 4, 1))
    twice = data[:entry] + struct.pack("<H", 256) + data[entry + 2 :]
    np.testing.assert_array_equal(pixels_of(ordinary(twice).essential), UPRIGHT)


def test_max_image_side_is_a_limit_of_its_own(encode: Encode) -> None:
    data = encode(Image.new("L", (1, 300)), "PNG")
    assert ordinary(data, PictureLimits(side=300)).essential
    code, detail = code_of(data, PictureLimits(side=299))
    assert (code, "longer side may have 299" in detail) == (ImageErrorCode.TOO_MANY_PIXELS, True)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_a_png_in_thousands_of_pieces_becomes_one_and_in_millions_is_out_of_the_ordinary(encode: Encode) -> None:
    data = encode(Image.new("RGB", (200, 100), (1, 2, 3)), "PNG")
    start = data.index(b"IDAT") - 4
    size = int.from_bytes(data[start : start + 4], "big")
    body, end = data[start + 8 : start + 8 + size], data[start + 12 + size :]
    pieces = b"".join(png_chunk(b"IDAT", body[n : n + 1]) + png_chunk(b"IDAT", b"") for n in range(size))
    many = data[:start] + pieces + end
    essential = ordinary(many).essential
    assert essential.count(b"IDAT") == 1
    np.testing.assert_array_equal(pixels_of(essential), pixels_of(data))
    assert inspect(data[:start] + png_chunk(b"tEXt", b"") * 30_000 + data[start:], DEFAULT_LIMITS) is None


def test_strips_over_the_same_bytes_are_out_of_the_ordinary() -> None:
    assert ordinary(plain_tiff())
    twice = plain_tiff(t273=(8, 8), t278=(2,), t279=(32, 32))
    assert ordinary(twice)  # As some writers store a part of one colour.
    repeated = plain_tiff(t257=(40,), t273=(8,) * 40, t278=(1,), t279=(64,) * 40)
    assert inspect(repeated, DEFAULT_LIMITS) is None


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"FUJIFILMCCD-RAW 0201", "raw file"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1", "raw file"),
        (b"IIRO\x08\0\0\0", "raw file"),
        (b"IIU\0\x18\0\0\0", "raw file"),
        (b"\0MRM\0\0", "raw file"),
        (b"FOVb\0\0", "raw file"),
        (b"II\x1a\0\0\0HEAPCCDR", "raw file"),
        (b"\0\0\0\x0cjP  \r\n", "JPEG 2000"),
        (b"\0\0\0\x0cJXL \r\n", "JPEG XL"),
        (b"8BPS\0\1", "Photoshop"),
    ],
)
def test_other_files_of_cameras_are_named(head: bytes, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        resized_pixels(head + bytes(600), Preprocessing(), (8, 8))
    assert caught.value.code is ImageErrorCode.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("wanted", [True, False])
def test_a_tiff_is_turned_once(orientation: int, wanted: bool, encode: Encode) -> None:  # noqa: FBT001  # parametrized
    """Also where the manifest wants none: Keras' ``load_img`` gets it turned from Pillow."""
    turned = Image.fromarray(np.ascontiguousarray(TURNED[orientation](UPRIGHT)))
    for options in ({}, {"compression": "tiff_lzw"}):
        data = encode(turned, "TIFF", tiffinfo={274: orientation}, **options)
        np.testing.assert_array_equal(
            resized_pixels(data, Preprocessing(exif_orientation=wanted), UPRIGHT.shape[:2]), UPRIGHT
        )


@pytest.mark.parametrize("orientation", TURNED)
def test_a_tiff_that_only_its_xmp_turns_is_turned_as_by_pillow(orientation: int) -> None:
    turned = np.ascontiguousarray(TURNED[orientation](UPRIGHT))
    xmp = f'<rdf:Description tiff:Orientation="{orientation}"/>'.encode()
    data = rgb_tiff(turned, {700: xmp})
    assert ordinary(data)
    for wanted in (True, False):
        pixels = resized_pixels(data, Preprocessing(exif_orientation=wanted), UPRIGHT.shape[:2])
        np.testing.assert_array_equal(pixels, UPRIGHT)


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize(("image_format", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_a_png_and_a_webp_are_turned_as_their_exif_says(
    orientation: int, image_format: str, options: dict[str, object], encode: Encode
) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    turned = np.ascontiguousarray(TURNED[orientation](UPRIGHT))
    data = encode(Image.fromarray(turned), image_format, exif=exif, **options)
    pixels = resized_pixels(data, Preprocessing(exif_orientation=True), UPRIGHT.shape[:2])
    np.testing.assert_array_equal(pixels, UPRIGHT)
    asis = resized_pixels(data, Preprocessing(exif_orientation=False), turned.shape[:2])
    np.testing.assert_array_equal(asis, turned)


@pytest.mark.parametrize("orientation", [2, 3, 4, 6, 8])
def test_the_tiffs_that_were_turned_twice(orientation: int) -> None:
    if not CASES.is_dir():
        pytest.skip("../shared/cases is not here")
    upright = pixels_of((CASES / "tiff_orientation_upright.png").read_bytes())
    data = (CASES / f"tiff_orientation_{orientation}.tif").read_bytes()
    np.testing.assert_array_equal(
        resized_pixels(data, Preprocessing(exif_orientation=True), upright.shape[:2]), upright
    )


@pytest.mark.parametrize(("name", "words"), [("raw_dng.dng", "raw file of a camera"), ("five_band_u16.tif", "5 bands")])
def test_the_files_that_were_answered_wrongly(name: str, words: str) -> None:
    if not CASES.is_dir():
        pytest.skip("../shared/cases is not here")
    with pytest.raises(ImageError, match=words) as caught:
        resized_pixels((CASES / name).read_bytes(), Preprocessing(), (8, 8))
    assert caught.value.code is ImageErrorCode.UNSUPPORTED_FORMAT
