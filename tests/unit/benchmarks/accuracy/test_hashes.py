import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tests.benchmarks.accuracy.hashes import near, signs_of

Picture = NDArray[np.uint8]


def leaf(seed: int) -> Picture:
    """A leaf with veins and spots of its own on one grey table."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (224, 224), (150, 145, 150))
    draw = ImageDraw.Draw(image)
    draw.ellipse((40, 60, 184, 164), fill=(60, 120, 50))
    for _ in range(40):
        x, y = (int(v) for v in rng.integers(50, 170, 2))
        size, light = int(rng.integers(3, 16)), int(rng.integers(256))
        draw.ellipse((x, y, x + size, y + size), fill=(light, 90, 40))
    return np.asarray(image)


def rewritten(picture: Picture) -> Picture:
    stream = io.BytesIO()
    Image.fromarray(picture).resize((120, 120), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=60)
    return np.asarray(Image.open(stream).resize((224, 224), Image.Resampling.BICUBIC))


def test_another_file_of_a_picture_is_near_it() -> None:
    assert near(signs_of([leaf(1), rewritten(leaf(1))])) == [(0, 1)]


def test_a_turned_or_mirrored_copy_is_near_it() -> None:
    picture = leaf(2)
    copies = [np.rot90(picture, turns) for turns in range(4)]
    copies += [np.ascontiguousarray(copy[:, ::-1]) for copy in copies]
    pairs = near(signs_of(copies))
    assert {pair for pair in pairs if pair[0] == 0} == {(0, other) for other in range(1, 8)}


def test_other_leaves_on_the_same_table_are_not_near() -> None:
    assert near(signs_of([leaf(seed) for seed in range(10)])) == []
