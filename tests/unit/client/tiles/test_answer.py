"""The map of a photograph, counted."""

from __future__ import annotations

from phytobatch.tiles.answer import ImageTiles, TileCounts

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
    counts = TileCounts.of(MAP)
    assert (counts.labels, counts.review, counts.skipped) == ({"rust": 3, "healthy": 1}, {"blurred": 1}, {"no_data": 1})
    assert (counts.counted, counts.share("rust"), counts.share("powdery_mildew")) == (4, 0.75, 0.0)


def test_the_share_of_nothing_is_nothing() -> None:
    assert TileCounts({}, {"blurred": 3}, {}).share("rust") == 0.0
