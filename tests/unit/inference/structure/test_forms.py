"""Whole files of forms that no decoder here reads are told by their form, and not taken for damaged ones."""

import struct
from collections.abc import Callable

import pytest
from PIL import Image

from shared.contracts.states import ImageErrorCode
from tests.unit.inference.structure.tiffs import plain_tiff
from worker.inference.decode import decode
from worker.inference.errors import ImageError

Encode = Callable[..., bytes]


def reason(data: bytes) -> tuple[ImageErrorCode, str]:
    with pytest.raises(ImageError) as caught:
        decode(data)
    return caught.value.code, caught.value.detail


@pytest.mark.parametrize(
    ("marker", "precision", "components", "words"),
    [
        (0xC1, 12, 3, "a JPEG of 3 components of 12 bits"),
        (0xC3, 16, 1, "a JPEG of 1 component of 16 bits"),
        (0xC0, 8, 2, "a JPEG of 2 components of 8 bits"),
        (0xC5, 8, 3, "a hierarchical JPEG of 3 components"),
        (0xF7, 8, 3, "a lossless (JPEG-LS) JPEG of 3 components"),
    ],
)
def test_a_jpeg_of_another_form(  # parametrized
    marker: int, precision: int, components: int, words: str, photo: Image.Image, encode: Encode
) -> None:
    data = encode(photo)
    at = data.index(b"\xff\xc0")
    frame = struct.pack(">BHHB", precision, 64, 64, components) + b"".join(bytes([n, 17, 0]) for n in range(components))
    data = data[:at] + bytes([255, marker]) + struct.pack(">H", len(frame) + 2) + frame + data[at + 19 :]
    code, detail = reason(data)
    assert (code, words in detail) == (ImageErrorCode.UNSUPPORTED_FORMAT, True), detail


def test_a_jpeg_whose_height_stands_behind_its_pixels(photo: Image.Image, encode: Encode) -> None:
    data = encode(photo)
    at = data.index(b"\xff\xc0") + 5
    code, detail = reason(data[:at] + bytes(2) + data[at + 2 : -2] + b"\xff\xdc\0\4\0\x40" + data[-2:])
    assert (code, "names its height behind its pixels" in detail) == (ImageErrorCode.UNSUPPORTED_FORMAT, True)


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"t258": (16,) * 5, "t277": (5,)}, "a TIFF of 5 bands of 16 bits"),
        ({"t259": (34712,)}, "packed as JPEG 2000"),
        ({"t259": (50001,)}, "packed as WebP"),
        ({"t258": (8,) * 3, "t277": (3,), "t262": (9,)}, "in ICC Lab"),
    ],
)
def test_a_tiff_of_another_form(extra: dict[str, tuple[int, ...]], words: str) -> None:
    code, detail = reason(plain_tiff(**extra) + bytes(600))
    assert (code, words in detail) == (ImageErrorCode.UNSUPPORTED_FORMAT, True), detail


def test_a_big_tiff_of_the_other_byte_order() -> None:
    numbers = {256: 16, 257: 4, 258: 8, 259: 1, 262: 1, 273: 16, 277: 1, 278: 4, 279: 64}
    entries = b"".join(struct.pack(">HHQHxxxxxx", tag, 3, 1, number) for tag, number in numbers.items())
    head = b"MM\0+" + struct.pack(">HHQ", 8, 0, 16 + 64)
    code, detail = reason(head + bytes(64) + struct.pack(">Q", len(numbers)) + entries + bytes(8))
    assert (code, "a big-endian BigTIFF of 1 band of 8 bits" in detail) == (ImageErrorCode.UNSUPPORTED_FORMAT, True)


@pytest.mark.parametrize(("bits", "packing"), [(2, 0), (64, 0), (0, 4)])
def test_a_bmp_of_another_form(bits: int, packing: int) -> None:
    head = struct.pack("<IiiHHIIiiII", 40, 16, 4, 1, bits, packing, 600, 0, 0, 0, 0)
    code, detail = reason(b"BM" + struct.pack("<IHHI", 54 + 600, 0, 0, 54) + head + bytes(600))
    assert (code, "a BMP of another form" in detail) == (ImageErrorCode.UNSUPPORTED_FORMAT, True)


def test_a_damaged_header_is_none_of_them(photo: Image.Image, encode: Encode) -> None:
    data = encode(photo)
    at = data.index(b"\xff\xc0")
    assert reason(data[: at + 2] + b"\0\1" + data[at + 4 :])[0] is ImageErrorCode.DECODE_FAILED
