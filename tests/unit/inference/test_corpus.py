"""Broken images, some hundred of the thousands that ``python -m tests.benchmarks.corpus`` reads; and bombs."""

import io
import resource
from random import Random

import pytest
from PIL import Image

from shared.contracts.states import ImageErrorCode
from tests.corpus.bombs import BOMBS, jpeg_in_scans, tiff_with_tile
from tests.corpus.files import broken_files
from tests.corpus.pictures import KINDS, whole_pictures
from tests.corpus.reading import read_corpus
from worker.inference.decode import decode
from worker.inference.errors import ImageError
from worker.inference.limits import DEFAULT_LIMITS, PictureLimits
from worker.inference.structure.jpeg import count_scans

pytestmark = pytest.mark.slow

FILES = 420
MEBIBYTE = 1024**2


def test_broken_images_crash_nothing_and_hang_nowhere() -> None:
    report = read_corpus(FILES)
    assert report.files == FILES
    assert set(report.outcomes) == {"bomb", "JPEG", "PNG", "TIFF", "WEBP", "BMP"}
    found = {code for counts in report.outcomes.values() for code in counts}
    assert found >= {"pixels", "truncated", "decode_failed", "unsupported_format", "too_many_pixels"}


def test_the_same_seed_makes_the_same_files() -> None:
    first, again, other = (list(broken_files(20, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_every_picture_of_the_corpus_is_whole_before_it_is_damaged() -> None:
    pictures = whole_pictures(1)
    assert len(pictures) == len(KINDS)
    for _, data in pictures:
        assert decode(data).ndim == 3


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_before_it_costs_memory(name: str) -> None:
    data = BOMBS[name]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ImageError) as caught:
        decode(data)
    assert caught.value.code in {ImageErrorCode.TOO_MANY_PIXELS, ImageErrorCode.TOO_COSTLY}
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    assert grown < 50 * MEBIBYTE  # 380 MB and 18 s, before sizes and scans were counted


def test_the_tile_of_a_tiff_counts_as_its_picture_does() -> None:
    data = tiff_with_tile(1024)
    assert decode(data, limits=PictureLimits(pixels=1024 * 1024)).shape == (16, 16, 3)
    with pytest.raises(ImageError, match="tiles of the picture are 1024 x 1024") as caught:
        decode(data, limits=PictureLimits(pixels=1024 * 1024 - 1))
    assert caught.value.code is ImageErrorCode.TOO_MANY_PIXELS


def test_scans_are_counted_wherever_they_begin() -> None:
    chance = Random(1)  # noqa: S311  # the same bytes each time
    for length in range(2, 300):
        data = bytes(chance.choice(b"\xff\xda\x00") for _ in range(length))
        assert count_scans(data) == data.count(b"\xff\xda")


def test_the_limit_of_scans_is_exact() -> None:
    assert decode(jpeg_in_scans(64, DEFAULT_LIMITS.scans - 1)).shape == (64, 64, 3)
    with pytest.raises(ImageError, match="more than 200 scans") as caught:
        decode(jpeg_in_scans(64, DEFAULT_LIMITS.scans))
    assert caught.value.code is ImageErrorCode.TOO_COSTLY


def test_an_ordinary_progressive_jpeg_is_far_below_the_limit_of_scans() -> None:
    stream = io.BytesIO()
    Image.effect_noise((640, 480), 80).convert("RGB").save(stream, "JPEG", progressive=True, quality=95)
    assert stream.getvalue().count(b"\xff\xda") == 10
    assert decode(stream.getvalue()).shape == (480, 640, 3)
