"""An explanation drawn on its photograph."""

import numpy as np
import pytest
from PIL import Image

from worker.inference.explanation import Explanation
from worker.inference.explanation.drawing import draw, with_legend

GREEN = (40, 140, 40)
LEFT = Explanation(1, 2, bytes([255, 0]))


@pytest.fixture
def photograph() -> Image.Image:
    return Image.new("RGB", (80, 40), GREEN)


def test_what_speaks_is_coloured_and_the_rest_is_as_it_was(photograph: Image.Image) -> None:
    drawn = np.asarray(draw(photograph, LEFT))
    assert (drawn[:, -10:] == GREEN).all()
    strongest = drawn[20, 10].astype(int)
    assert strongest[2] > GREEN[2] + 30, "it is blue"
    assert (np.abs(strongest - GREEN) < 130).all(), "the leaf is seen through it"


def test_a_light_and_a_dark_line_enclose_the_strongest_part(photograph: Image.Image) -> None:
    lightness = np.asarray(draw(photograph, LEFT).convert("L"))[20]
    assert lightness.argmax() in range(35, 42), "between the two cells"
    assert lightness.max() > 240
    assert lightness.min() < 40


def test_nothing_is_drawn_where_nothing_speaks(photograph: Image.Image) -> None:
    drawn = draw(photograph, Explanation(2, 2, bytes(4)))
    assert drawn.tobytes() == photograph.tobytes()


def test_a_part_leaves_the_rest_alone(photograph: Image.Image) -> None:
    drawn = np.asarray(draw(photograph, Explanation(1, 1, b"\xff"), (20, 10, 40, 30)))
    changed = np.argwhere((drawn != GREEN).any(axis=2))
    assert (*changed.min(axis=0), *changed.max(axis=0)) == (10, 20, 29, 39)


def test_the_legend_stands_below(photograph: Image.Image) -> None:
    sheet = with_legend(photograph, "rust 99 %")
    assert sheet.height > photograph.height
    assert sheet.crop((0, 0, 80, 40)).tobytes() == photograph.tobytes()
    assert len(set(np.asarray(sheet.convert("L"))[41:].ravel().tolist())) > 20, "the colours and the words"
