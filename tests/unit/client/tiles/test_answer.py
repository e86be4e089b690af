"""The map of a photograph, counted."""

from __future__ import annotations

from phytobatch.resources import TileSums
from phytobatch.tiles.answer import ImageTiles, sums_of

MAP = ImageTiles(
    seq=1,
    name="1.jpg",
    width=600,
    height=400,
    edge=256,
    x=[0, 256, 344],
    y=[0, 144],
    labels=[["rust", "rust", "healthy"], ["healthy", None, "rust"]],
    confidence=[[0.9, 0.8, 0.99], [0.7, None, 0.6]],
    review=[[None, None, None], ["blurred", None, None]],
    skipped=[[None, None, None], [None, "no_data", None]],
)


def test_tiles_are_counted_by_what_they_say() -> None:
    sums = sums_of(MAP)
    assert sums == TileSums.of({"rust": 3, "healthy": 1}, {"blurred": 1}, {"no_data": 1})
    assert (sums.share("rust"), sums.share("powdery_mildew")) == (0.75, 0.0)
    assert (sums.diseased_share(["healthy"]), sums.diseased_share([])) == (0.75, 1.0)


def test_the_share_of_nothing_is_nothing() -> None:
    assert TileSums.of({}, {"blurred": 3}, {}).share("rust") == 0.0
