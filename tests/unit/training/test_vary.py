"""The same photograph as another program would have written it."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from worker.inference.errors import ImageError
from worker.training.vary import rewritten


def photo(image_format: str = "JPEG", **options: Any) -> bytes:  # noqa: ANN401  # what Pillow takes
    stream = io.BytesIO()
    coarse = Image.fromarray(np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8))
    coarse.resize((800, 600), Image.Resampling.BICUBIC).save(stream, image_format, **options)
    return stream.getvalue()


def test_it_is_another_file_of_the_same_picture() -> None:
    sizes = set()
    for seed in range(4):
        with Image.open(io.BytesIO(rewritten(photo(), np.random.default_rng(seed)))) as again:
            sizes.add(again.size)
            assert again.format == "JPEG"
            assert again.width / again.height == pytest.approx(4 / 3, rel=0.02)
            small = np.asarray(again.resize((8, 6), Image.Resampling.BOX), np.int16)
        with Image.open(io.BytesIO(photo())) as before:
            original = np.asarray(before.resize((8, 6), Image.Resampling.BOX), np.int16)
        assert np.abs(small - original).mean() < 6
    assert len(sizes) == 4


@pytest.mark.parametrize(("image_format", "orientation"), [("JPEG", 6), ("PNG", 6), ("WEBP", 6), ("TIFF", 1)])
def test_the_orientation_is_kept_where_the_picture_was_not_turned(image_format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = photo(image_format, exif=exif)
    with Image.open(io.BytesIO(rewritten(file, np.random.default_rng(0)))) as again:
        assert again.getexif()[0x0112] == orientation
        assert (again.width > again.height) == (orientation == 6)


def test_what_cannot_be_decoded_is_said() -> None:
    with pytest.raises(ImageError):
        rewritten(b"<html>", np.random.default_rng(0))
