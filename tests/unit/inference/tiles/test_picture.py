"""Whole pictures, upright."""

import io
from collections.abc import Callable
from contextlib import closing

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from shared.contracts.states import ImageErrorCode
from worker.inference import jpeg
from worker.inference.decode import inspect_file
from worker.inference.errors import ImageError
from worker.inference.heads.head import read_head
from worker.inference.isolation import IsolatedPool
from worker.inference.limits import DEFAULT_LIMITS, MEBIBYTE, PictureLimits
from worker.inference.tiles import picture
from worker.inference.tiles.picture import upright_pixels

Encode = Callable[..., bytes]
ORIENTATIONS = range(1, 9)
ORIENTATION = 0x0112


def with_orientation(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def as_pillow_shows_it(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_every_orientation_of_every_format_is_seen_upright(
    photo: Image.Image, encode: Encode, form: str, orientation: int
) -> None:
    data = encode(photo, form, exif=with_orientation(orientation))
    pixels = upright_pixels(data)
    assert np.array_equal(pixels, as_pillow_shows_it(data))
    assert pixels.shape[:2] == ((300, 400) if orientation < 5 else (400, 300))
    assert read_head(data).upright_size == pixels.shape[1::-1], "what an inspection lays its grid on"


@pytest.mark.parametrize("orientation", [1, 6])
def test_an_ordinary_picture_is_the_same_without_its_metadata(
    photo: Image.Image, encode: Encode, orientation: int
) -> None:
    for form in ("JPEG", "PNG", "TIFF"):
        data = encode(photo, form, exif=with_orientation(orientation))
        structure = inspect_file(data, DEFAULT_LIMITS)
        assert structure is not None
        assert structure.size == photo.size
        assert np.array_equal(upright_pixels(data, structure=structure), upright_pixels(data))


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_other_modes_are_converted_as_a_whole_photograph_is(photo: Image.Image, encode: Encode, mode: str) -> None:
    drawn = Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 200) if mode == "I;16" else None
    data = encode(drawn or photo.convert(mode), "PNG")
    assert np.array_equal(upright_pixels(data), as_pillow_shows_it(data))


def test_four_inks_are_converted_too(photo: Image.Image, encode: Encode) -> None:
    data = encode(photo.convert("CMYK"), "JPEG")
    assert np.array_equal(upright_pixels(data), as_pillow_shows_it(data))


def test_both_decoders_of_a_jpeg_give_the_same_pixels(
    photo: Image.Image, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encode(photo, "JPEG", quality=88)
    ours = upright_pixels(data)
    monkeypatch.setattr(picture, "read_jpeg", lambda *_: None)
    assert jpeg.is_exact()
    assert np.array_equal(upright_pixels(data), ours)


def test_limits_hold(photo: Image.Image, encode: Encode) -> None:
    with pytest.raises(ImageError) as caught:
        upright_pixels(encode(photo), limits=PictureLimits(pixels=400 * 300 - 1))
    assert caught.value.code is ImageErrorCode.TOO_MANY_PIXELS
    with pytest.raises(ImageError) as caught:
        upright_pixels(encode(photo)[:-5000])
    assert caught.value.code is ImageErrorCode.TRUNCATED


@pytest.mark.slow
def test_a_process_hands_over_a_picture_of_many_megabytes(photo: Image.Image, encode: Encode) -> None:
    """It is copied in parts, and its memory is given back."""
    data = encode(photo.resize((3200, 2400)), "JPEG", exif=with_orientation(6))
    with closing(IsolatedPool(processes=1)) as pool:
        assert np.array_equal(pool.upright_pixels(data), upright_pixels(data))
        (child,) = (psutil.Process(pid) for pid in pool.pids)
        assert sum(area.rss for area in child.memory_maps() if "phytobatch-pixels" in area.path) < MEBIBYTE
