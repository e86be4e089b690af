import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps

from shared.contracts.manifest import Decode, Preprocessing, ResizeFilter
from shared.contracts.states import ImageErrorCode
from worker.inference.errors import ImageError
from worker.inference.limits import PictureLimits
from worker.inference.preprocess import preprocess, resized_pixels, scale_into, scaled_values

Encode = Callable[..., bytes]
SIZE = (48, 64)  # height, width
PILLOW = {
    ResizeFilter.NEAREST: Image.Resampling.NEAREST,
    ResizeFilter.BILINEAR: Image.Resampling.BILINEAR,
    ResizeFilter.BICUBIC: Image.Resampling.BICUBIC,
    ResizeFilter.LANCZOS: Image.Resampling.LANCZOS,
}


@pytest.mark.parametrize("resize", ResizeFilter)
def test_pixels_are_those_of_pillow(resize: ResizeFilter, photo: Image.Image, encode: Encode) -> None:
    pixels = resized_pixels(encode(photo, "PNG"), Preprocessing(resize=resize), SIZE)
    np.testing.assert_array_equal(pixels, np.asarray(photo.resize(SIZE[::-1], PILLOW[resize])))


def test_a_picture_of_the_right_size_is_not_touched(photo: Image.Image, encode: Encode) -> None:
    pixels = resized_pixels(encode(photo, "PNG"), Preprocessing(resize=ResizeFilter.LANCZOS), (300, 400))
    np.testing.assert_array_equal(pixels, np.asarray(photo))


def test_scaling_by_255_equals_the_division_to_the_bit(encode: Encode) -> None:
    levels = Image.fromarray(np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2))
    prepared = preprocess(encode(levels, "PNG"), Preprocessing(), (16, 16))
    assert prepared.dtype == np.float32
    np.testing.assert_array_equal(prepared, np.asarray(levels, np.float32) / np.float32(255))


def test_offset_comes_before_scale(photo: Image.Image, encode: Encode) -> None:
    prepared = preprocess(encode(photo, "PNG"), Preprocessing(scale=1 / 128, offset=127), (300, 400))
    np.testing.assert_array_equal(prepared, (np.asarray(photo, np.float32) - 127) / 128)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_where_it_is_asked_for(
    orientation: int, photo: Image.Image, encode: Encode
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = encode(photo, "PNG", exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(turned)))
    # Nearest at whole steps picks the same pixel from either side, so turning before or after gives the same picture.
    size = (upright.height // 5 * 5, upright.width // 5 * 5)
    on = resized_pixels(turned, Preprocessing(exif_orientation=True), size)
    off = resized_pixels(turned, Preprocessing(), (300, 400))
    np.testing.assert_array_equal(on, np.asarray(upright.resize(size[::-1], Image.Resampling.NEAREST)))
    np.testing.assert_array_equal(off, np.asarray(photo))


def test_orientation_after_a_reduction_is_that_before_it(photo: Image.Image, encode: Encode) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encode(photo, "PNG", exif=exif)
    upright = photo.transpose(Image.Transpose.ROTATE_270).resize(SIZE[::-1], Image.Resampling.BILINEAR)
    on = resized_pixels(turned, Preprocessing(exif_orientation=True, resize=ResizeFilter.BILINEAR), SIZE)
    assert np.abs(on.astype(int) - np.asarray(upright).astype(int)).max() <= 1


@pytest.mark.parametrize("orientation", [0, 9, 77, 65535])
def test_an_orientation_without_meaning_is_left_alone(orientation: int, photo: Image.Image, encode: Encode) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    on = resized_pixels(encode(photo, "PNG", exif=exif), Preprocessing(exif_orientation=True), (300, 400))
    np.testing.assert_array_equal(on, np.asarray(photo))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize(
    "exif", [b"Exif\x00\x00", b"Exif\x00\x00II*\x00\xff\xff\xff\xff", b"Exif\x00\x00" + b"\xff" * 999]
)
def test_a_damaged_exif_block_costs_no_picture(exif: bytes, photo: Image.Image, encode: Encode) -> None:
    plain = resized_pixels(encode(photo), Preprocessing(), SIZE)
    damaged = resized_pixels(encode(photo, exif=exif), Preprocessing(exif_orientation=True), SIZE)
    np.testing.assert_array_equal(plain, damaged)


def test_scaled_decoding_reads_the_smallest_picture_that_is_large_enough(photo: Image.Image, encode: Encode) -> None:
    data = encode(photo)  # 400 x 300: a half is 200 x 150, a quarter 100 x 75, an eighth too small for 64 x 48
    image = Image.open(io.BytesIO(data))
    image.draft(None, (100, 75))
    wanted = image.resize(SIZE[::-1], Image.Resampling.BILINEAR)
    scaled = resized_pixels(data, Preprocessing(decode=Decode.SCALED, resize=ResizeFilter.BILINEAR), SIZE)
    full = resized_pixels(data, Preprocessing(resize=ResizeFilter.BILINEAR), SIZE)
    np.testing.assert_array_equal(scaled, np.asarray(wanted))
    assert not np.array_equal(scaled, full)
    assert np.abs(scaled.astype(int) - full.astype(int)).mean() < 8


def test_scaled_decoding_of_a_png_is_full_decoding(photo: Image.Image, encode: Encode) -> None:
    data = encode(photo, "PNG")
    np.testing.assert_array_equal(
        resized_pixels(data, Preprocessing(decode=Decode.SCALED), SIZE), resized_pixels(data, Preprocessing(), SIZE)
    )


def test_the_pixel_limit_is_that_of_the_file_and_not_of_the_scaled_picture(photo: Image.Image, encode: Encode) -> None:
    with pytest.raises(ImageError) as caught:
        preprocess(encode(photo), Preprocessing(decode=Decode.SCALED), SIZE, limits=PictureLimits(pixels=400 * 300 - 1))
    assert caught.value.code is ImageErrorCode.TOO_MANY_PIXELS


@pytest.mark.parametrize(("scale", "offset"), [(1 / 255, 0.0), (1 / 128, 127.0), (0.017, 123.7)])
def test_a_part_of_a_batch_gets_the_very_values_of_a_picture(scale: float, offset: float) -> None:
    way = Preprocessing(scale=scale, offset=offset)
    pixels = np.arange(256, dtype=np.uint8).reshape(4, 64, 1).repeat(3, axis=2)
    batch = np.full((3, *pixels.shape), 7, np.float32)
    scale_into(batch[1], pixels, way)
    assert np.array_equal(batch[1], scaled_values(pixels, way))
    assert (batch[[0, 2]] == 7).all()
