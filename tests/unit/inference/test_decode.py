"""Every kind of file that people upload, made here, read by the decoder."""

import io
import resource
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from shared.contracts.states import ImageErrorCode
from worker.inference.decode import decode
from worker.inference.errors import ImageError
from worker.inference.limits import PictureLimits

Encode = Callable[..., bytes]


def code_of(data: bytes, **options: Any) -> ImageErrorCode:  # noqa: ANN401
    with pytest.raises(ImageError) as caught:
        decode(data, **options)
    assert caught.value.detail.endswith(".")
    return caught.value.code


def as_keras_reads(data: bytes) -> np.ndarray[Any, Any]:
    """The first lines of keras.utils.load_img, without its import."""
    image = Image.open(io.BytesIO(data))
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width: int, height: int, *chunks: bytes) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + png_chunk(b"IEND", b"")


def tiff_of(width: int, height: int) -> bytes:
    """A TIFF whose directory claims one uncompressed strip of this size, without its pixels."""
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, width * height)]
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\x00" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + directory + bytes(4)


MODES = [
    ("L", "PNG"),
    ("LA", "PNG"),
    ("RGBA", "PNG"),
    ("P", "PNG"),
    ("1", "PNG"),
    ("CMYK", "JPEG"),
    ("L", "JPEG"),
    ("RGBA", "WEBP"),
    ("CMYK", "TIFF"),
    ("F", "TIFF"),
    ("I", "TIFF"),
    ("LAB", "TIFF"),
    ("RGB", "BMP"),
]


@pytest.mark.parametrize(("mode", "image_format"), MODES)
def test_every_mode_is_converted_as_keras_converts_it(
    mode: str, image_format: str, photo: Image.Image, encode: Encode
) -> None:
    converted = photo.convert("L").convert(mode) if mode in ("LA", "F", "I") else photo.convert("RGB")
    if mode == "LAB":
        converted = Image.frombytes("LAB", photo.size, photo.tobytes())
    elif mode not in ("LA", "F", "I"):
        converted = photo.convert(mode)
    data = encode(converted, image_format)
    pixels = decode(data)
    assert pixels.dtype == np.uint8
    assert pixels.shape == (300, 400, 3)
    np.testing.assert_array_equal(pixels, as_keras_reads(data))


def test_16_bit_greyscale_is_cut_at_255_as_keras_does(encode: Encode) -> None:
    grey = Image.fromarray(np.array([[0, 100, 255, 256, 65535]], np.uint16))
    assert grey.mode == "I;16"
    assert decode(encode(grey, "PNG"))[0, :, 0].tolist() == [0, 100, 255, 255, 255]


@pytest.mark.filterwarnings("ignore:Palette images with Transparency:UserWarning:PIL")
def test_a_palette_with_transparency_is_read(photo: Image.Image, encode: Encode) -> None:
    data = encode(photo.convert("P"), "PNG", transparency=bytes(range(256)))
    np.testing.assert_array_equal(decode(data), as_keras_reads(data))


@pytest.mark.parametrize("image_format", ["PNG", "WEBP", "TIFF", "MPO"])
def test_the_first_frame_of_several_is_read(image_format: str, photo: Image.Image, encode: Encode) -> None:
    alone = encode(photo, image_format if image_format != "MPO" else "JPEG", **lossless(image_format))
    several = encode(photo, image_format, save_all=True, append_images=[photo.rotate(180)], **lossless(image_format))
    np.testing.assert_array_equal(decode(several), decode(alone))


def lossless(image_format: str) -> dict[str, Any]:
    return {"lossless": True} if image_format == "WEBP" else {}


def test_content_counts_and_not_the_name(photo: Image.Image, encode: Encode) -> None:
    """The decoder never sees a name: a PNG called .jpg is a PNG."""
    np.testing.assert_array_equal(decode(encode(photo, "PNG")), np.asarray(photo))


def test_one_pixel_wide_and_very_long_is_fine(encode: Encode) -> None:
    assert decode(encode(Image.new("RGB", (1, 65_535)), "PNG")).shape == (65_535, 1, 3)


def test_no_bytes_are_empty() -> None:
    assert code_of(b"") is ImageErrorCode.EMPTY


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"\xef\xbb\xbf\n <html>", "web page"),
        (b'<?xml version="1.0"?><svg/>', "XML"),
        (b"GIF89a" + bytes(100), "GIF"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\x03\x04" + bytes(30), "ZIP"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(30), "HEIC"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(30), "video"),
        (bytes(5000), "zero bytes"),
        (b"\xff\xd8", "not a picture"),
        (b"plain words", "not a picture"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        decode(data)
    assert caught.value.code is ImageErrorCode.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "WEBP", "BMP"])
@pytest.mark.parametrize("share", [0.001, 0.01, 0.5, 0.9, 0.99])
def test_a_file_that_ends_early_is_truncated(
    image_format: str, share: float, photo: Image.Image, encode: Encode
) -> None:
    data = encode(photo, image_format)
    assert code_of(data[: max(16, int(len(data) * share))]) is ImageErrorCode.TRUNCATED


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "jpeg", "packbits"])
def test_a_compressed_tiff_that_ends_early_is_truncated(compression: str, photo: Image.Image, encode: Encode) -> None:
    data = encode(photo, "TIFF", compression=compression)
    assert code_of(data[: len(data) // 2]) is ImageErrorCode.TRUNCATED


def test_a_progressive_jpeg_that_ends_early_is_truncated(photo: Image.Image, encode: Encode) -> None:
    data = encode(photo, progressive=True)
    assert code_of(data[: len(data) * 9 // 10]) is ImageErrorCode.TRUNCATED


def test_a_jpeg_whose_end_was_never_written_is_truncated(photo: Image.Image, encode: Encode) -> None:
    data = encode(photo, quality=95)
    half = len(data) // 2
    assert code_of(data[:half] + bytes(len(data) - half)) is ImageErrorCode.TRUNCATED


def test_zero_bytes_behind_a_whole_jpeg_do_no_harm(photo: Image.Image, encode: Encode) -> None:
    data = encode(photo)
    np.testing.assert_array_equal(decode(data + bytes(4096)), decode(data))


def test_a_damaged_header_is_decode_failed(photo: Image.Image, encode: Encode) -> None:
    data = bytearray(encode(photo, "PNG"))
    data[16:24] = bytes(8)  # width and height 0, and the checksum of the header is wrong
    assert code_of(bytes(data)) is ImageErrorCode.DECODE_FAILED


def test_damaged_pixels_are_decode_failed() -> None:
    assert code_of(png_of(8, 8, png_chunk(b"IDAT", b"no zlib"))) is ImageErrorCode.DECODE_FAILED


@pytest.mark.parametrize(
    "data",
    [png_of(20_000, 20_000), png_of(400_000_000, 1), tiff_of(20_000, 20_000), tiff_of(65_536, 65_535)],
    ids=["png", "long png", "tiff", "largest tiff"],
)
def test_a_header_that_claims_400_megapixels_is_too_many(data: bytes) -> None:
    assert code_of(data) is ImageErrorCode.TOO_MANY_PIXELS


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
def test_a_bomb_is_refused_without_its_memory(image_format: str, encode: Encode) -> None:
    options = {"compression": "group4"} if image_format == "TIFF" else {}
    bomb = encode(Image.new("1", (20_000, 20_000)), image_format, **options)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(5):
        assert code_of(bomb) is ImageErrorCode.TOO_MANY_PIXELS
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 50 * 1024  # Decoded, it would be 400 MB and more.


def test_the_pixel_limit_is_exact(encode: Encode) -> None:
    data = encode(Image.new("RGB", (100, 50)))
    assert decode(data, limits=PictureLimits(pixels=5000)).shape == (50, 100, 3)
    assert code_of(data, limits=PictureLimits(pixels=4999)) is ImageErrorCode.TOO_MANY_PIXELS


def test_text_chunks_cannot_unfold_in_memory() -> None:
    unfolding = b"Comment\x00\x00" + zlib.compress(bytes(50 * 1024 * 1024), 9)
    pixels = png_chunk(b"IDAT", zlib.compress(b"\x00" + bytes(3)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert decode(png_of(1, 1, png_chunk(b"zTXt", unfolding), pixels)).shape == (1, 1, 3)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024  # No decoder sees the text.


def test_a_large_colour_profile_and_exif_do_no_harm(photo: Image.Image, encode: Encode) -> None:
    plain = encode(photo)
    heavy = encode(photo, icc_profile=bytes(3 * 1024 * 1024), exif=b"Exif\x00\x00" + b"\xff" * 60_000)
    np.testing.assert_array_equal(decode(heavy), decode(plain))


def test_pillow_stays_strict() -> None:
    """A global of Pillow that some libraries set: with it, half a picture passes as grey."""
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_odd_metadata_warns_nobody() -> None:
    """In a fresh process, because pytest's own warning filters come before those of the module."""
    program = (
        "import io, warnings\n"
        "from PIL import Image\n"
        "from worker.inference.decode import decode\n"
        "image = Image.new('P', (8, 8)); image.putpalette(bytes(768)); b = io.BytesIO()\n"
        "image.save(b, 'PNG', transparency=bytes(256))\n"
        "decode(b.getvalue())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.filterwarnings("error")
def test_a_warning_that_is_raised_is_an_image_error_too(photo: Image.Image, encode: Encode) -> None:
    data = encode(photo, "TIFF", compression="tiff_lzw")
    assert code_of(data[: len(data) // 2]) is ImageErrorCode.TRUNCATED


def test_many_threads_get_the_same_pixels(photo: Image.Image, encode: Encode) -> None:
    data = encode(photo)
    wanted = decode(data)
    with ThreadPoolExecutor(8) as pool:
        for pixels in pool.map(decode, [data] * 40):
            np.testing.assert_array_equal(pixels, wanted)
