"""Raw files of cameras are told by their pixels, and no picture is taken for one by what an editor left in it."""

import numpy as np
import pytest

from shared.contracts.states import ImageErrorCode
from tests.unit.inference.structure.tiffs import GREY, Fields, plain_tiff, rgb_tiff
from worker.inference.decode import decode
from worker.inference.errors import ImageError

PIXELS = np.arange(12 * 16 * 3, dtype=np.uint8).reshape(12, 16, 3)
MOSAIC: Fields = {**GREY, 256: (4000,), 257: (3000,), 262: (32803,)}
LARGER: Fields = {**GREY, 256: (4000,), 257: (3000,)}
SMALLER: Fields = {**GREY, 254: (1,), 256: (8,)}
RAW = {
    "a preview, marked, with the picture below it (NEF, ARW, DNG)": rgb_tiff(PIXELS, {254: (1,)}, below=[MOSAIC]),
    "a preview that is not marked, with a mosaic below it (SRW, KDC)": rgb_tiff(PIXELS, {254: (0,)}, below=[MOSAIC]),
    "a mosaic behind the first picture (3FR)": rgb_tiff(PIXELS, following=MOSAIC),
    "a preview of a picture that was cut off": rgb_tiff(PIXELS, {254: (1,), 330: (10**6,)}),
    "a negative with a picture below it": rgb_tiff(PIXELS, {50706: (1,)}, below=[LARGER]),
    "a mosaic (PEF)": plain_tiff(t262=(32803,)),
    "linear raw": plain_tiff(t262=(34892,)),
    "one band with the pattern of a mosaic": plain_tiff(t33422=(1, 2)),
    "one band with the version of a negative": plain_tiff(t50706=(1,)),
    "CR2": b"II*\0\x10\0\0\0CR\x02\0" + bytes(4) + plain_tiff()[72:],
    "IIQ": rgb_tiff(np.frombuffer(b"IIII\x01waR" + bytes(568), np.uint8).reshape(12, 16, 3)),
}
PREVIEWS = {
    "marked, with another picture behind it": rgb_tiff(PIXELS, {254: (1,)}, following=LARGER),
    "marked in the old way": rgb_tiff(PIXELS, {255: (2,)}, following=LARGER),
    "smaller than the picture below it": rgb_tiff(PIXELS, below=[LARGER]),
}
GREEN = PIXELS.copy()
GREEN[0, :3] = [(0x43, 0x52, 0x02), (73, 73, 73), (73, 1, 2)]
PICTURES = {
    "tags of a negative that an editor copied": rgb_tiff(PIXELS, {50706: (1,), 33422: (1, 2)}),
    "the same, with a thumbnail behind it": rgb_tiff(PIXELS, {50706: (1,)}, following=SMALLER),
    "smaller versions below it, as of a pyramid": rgb_tiff(PIXELS, below=[SMALLER, SMALLER]),
    "smaller versions and a mask behind it, as of a COG": rgb_tiff(PIXELS, following={**SMALLER, 254: (5,)}),
    "a larger page behind it": rgb_tiff(PIXELS, {254: (2,)}, following=LARGER),
    "marked as a preview, and all there is": rgb_tiff(PIXELS, {254: (1,)}),
}


@pytest.mark.parametrize("name", RAW)
def test_a_raw_file_is_told_and_never_answered_from_its_preview(name: str) -> None:
    with pytest.raises(ImageError, match="a raw file of a camera") as caught:
        decode(RAW[name])
    assert caught.value.code is ImageErrorCode.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("name", PREVIEWS)
def test_a_tiff_that_begins_with_a_preview_is_refused(name: str) -> None:
    with pytest.raises(ImageError, match="preview of another one") as caught:
        decode(PREVIEWS[name])
    assert caught.value.code is ImageErrorCode.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_answered_whatever_stands_beside_it(name: str) -> None:
    np.testing.assert_array_equal(decode(PICTURES[name]), PIXELS)


def test_pixels_that_read_as_the_mark_of_a_raw_file_are_pixels() -> None:
    """Programs other than Pillow store pixels first: byte 8, where Canon and Phase One have their mark."""
    np.testing.assert_array_equal(decode(rgb_tiff(GREEN)), GREEN)
    grey = np.full((12, 16, 3), ord("I"), np.uint8)
    np.testing.assert_array_equal(decode(rgb_tiff(grey)), grey)


def test_directories_that_go_round_in_a_circle_end() -> None:
    fields = {254: (0,), 330: (8 + PIXELS.size,) * 1000}
    data = rgb_tiff(PIXELS, fields, following=SMALLER)
    link = 8 + PIXELS.size + 2 + 12 * len({**GREY, **fields})
    circle = data[:link] + (8 + PIXELS.size).to_bytes(4, "little") + data[link + 4 :]
    assert circle != data
    np.testing.assert_array_equal(decode(circle), PIXELS)
