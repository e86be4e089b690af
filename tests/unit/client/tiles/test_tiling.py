"""The short form of a tiling, and the tiles that it makes."""

from __future__ import annotations

import pytest

from phytobatch.tiles.tiling import Tiling


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("auto", "auto"),
        ("256", {"edge": 256, "overlap": 0.0}),
        ("256/0.2", {"edge": 256, "overlap": 0.2}),
        ("80mm", {"edge_mm": 80.0, "overlap": 0.0}),
        ("80.5mm/.25", {"edge_mm": 80.5, "overlap": 0.25}),
    ],
)
def test_the_short_form_becomes_what_a_job_says(text: str, wire: object) -> None:
    tiling = Tiling.parse(text)
    assert tiling.to_json() == wire
    assert Tiling.parse(str(tiling)) == tiling


@pytest.mark.parametrize(
    "text", ["", "Auto", "256px", "31", "8193", "0", "256/0.6", "256/1", "-3", "0mm", "200000mm", "a"]
)
def test_anything_else_is_refused_with_the_end_of_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|has) "):
        Tiling.parse(text)


def test_millimetres_become_pixels_where_a_pixel_is_known() -> None:
    tiling = Tiling.parse("80mm/0.1")
    assert tiling.in_pixels(None) is None
    assert tiling.in_pixels(0.5) == Tiling(edge=160, overlap=0.1)
    assert Tiling.parse("256").in_pixels(None) == Tiling(edge=256)


def test_tiles_are_counted_and_not_without_an_edge() -> None:
    assert Tiling.parse("256").count(4000, 3000) == 16 * 12
    assert Tiling.parse("256").count(100, 3000) == 12
    with pytest.raises(ValueError, match="not in pixels"):
        Tiling.parse("auto").count(4000, 3000)
