"""The client's rules of tiles, which may not import the server's, against those."""

import json

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from phytobatch.tiles import grid, tiling
from shared.contracts import tiling as of_server
from shared.tiles.grid import count_tiles

TILING: TypeAdapter[of_server.Tiling] = TypeAdapter(of_server.Tiling)
OVERLAPS = st.floats(0, 0.5)


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.integers(32, 8192), OVERLAPS)
def test_tiles_are_counted_alike(width: int, height: int, edge: int, overlap: float) -> None:
    assert grid.count_tiles(width, height, edge, overlap) == count_tiles(width, height, edge, overlap)


@given(st.from_regex(of_server.SHORT_FORM, fullmatch=True) | st.text(max_size=12))
def test_short_forms_are_read_alike(text: str) -> None:
    try:
        expected = of_server.read_short(text)
    except ValueError:
        expected = None
    try:
        read = tiling.Tiling.parse(text)
    except ValueError:
        read = None
    assert (read is None) == (expected is None), text
    if read is not None:
        assert TILING.validate_json(json.dumps(read.to_json())) == expected


def test_limits_and_words_are_those_of_the_contract() -> None:
    assert set(tiling.ON_COARSE) == set(of_server.OnCoarse)
    for name in (
        "MIN_EDGE",
        "MAX_EDGE",
        "MAX_OVERLAP",
        "MIN_EDGE_MM",
        "MAX_EDGE_MM",
        "MIN_GROUND_RESOLUTION_MM",
        "MAX_GROUND_RESOLUTION_MM",
    ):
        assert getattr(tiling, name) == getattr(of_server, name)
