"""Maps of tiles, and their bytes."""

import random
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.manifest import ReviewReason
from shared.contracts.tiles import REVIEW_NUMBERS, SKIP_NUMBERS, TileSkip
from shared.errors import StoredMapInvalid
from shared.tiles.codec import decode, encode
from shared.tiles.grid import lay_grid
from shared.tiles.tile_map import FULL, Tile, TileMap, sum_up

# The size that the issue of tiles asked for: 221 tiles of a photograph of 12 megapixels.
MAX_BYTES = 1200


def tiles() -> st.SearchStrategy[Tile]:
    answered = st.builds(
        Tile,
        st.integers(0, 254),
        st.integers(0, FULL).map(lambda step: step / FULL),
        st.none() | st.sampled_from(ReviewReason),
    )
    return answered | st.builds(Tile, skipped=st.sampled_from(TileSkip))


@given(st.data(), st.integers(1, 900), st.integers(1, 900))
def test_a_map_comes_back_as_it_was(data: st.DataObject, width: int, height: int) -> None:
    grid = lay_grid(width, height, 256, 0.2)
    answered = TileMap.of(grid, data.draw(st.lists(tiles(), min_size=grid.tiles, max_size=grid.tiles)))
    assert decode(encode(answered)) == answered


def test_the_first_byte_is_the_number_of_the_format() -> None:
    stored = encode(TileMap.skipped(lay_grid(300, 300, 256), TileSkip.TOO_COARSE))
    assert stored[0] == 1
    with pytest.raises(StoredMapInvalid, match="format 2"):
        decode(b"\2" + stored[1:])


@pytest.mark.parametrize("cut", [0, 1, 2, 10, -1])
def test_a_damaged_map_is_an_error_in_words(cut: int) -> None:
    stored = encode(TileMap.skipped(lay_grid(600, 300, 256), TileSkip.NO_DATA))
    with pytest.raises(StoredMapInvalid):
        decode(stored[:cut])


def test_a_photograph_of_221_tiles_is_small() -> None:
    rng = random.Random(1)  # noqa: S311  # a test
    grid = lay_grid(4000, 3000, 240)
    assert grid.tiles == 221
    worst = [Tile(rng.randrange(3), rng.random(), rng.choice([None, *REVIEW_NUMBERS])) for _ in range(221)]
    stored, sums = encode(TileMap.of(grid, worst)), sum_up(TileMap.of(grid, worst), "abc")
    assert len(stored) + len(str(sums.as_json())) <= MAX_BYTES


def test_sums_count_every_tile_once() -> None:
    grid = lay_grid(1024, 256, 256)
    answered = TileMap.of(
        grid,
        [
            Tile(1, 0.9),
            Tile(1, 0.4, ReviewReason.LOW_CONFIDENCE),
            Tile(0, 1.0),
            Tile(skipped=TileSkip.TOO_COARSE),
        ],
    )
    sums = sum_up(answered, ["healthy", "rust"])
    assert sums.labels == {"healthy": 1, "rust": 1}
    assert sums.review == {ReviewReason.LOW_CONFIDENCE: 1}
    assert sums.skipped == {TileSkip.TOO_COARSE: 1}
    assert (sums.counted, sums.total) == (2, 4)


def test_every_word_has_a_number_of_its_own() -> None:
    numbers = [*REVIEW_NUMBERS.values(), *SKIP_NUMBERS.values()]
    assert set(REVIEW_NUMBERS) == set(ReviewReason)
    assert set(SKIP_NUMBERS) == set(TileSkip)
    assert len(set(numbers)) == len(numbers)
    assert all(number < 128 for number in REVIEW_NUMBERS.values())


def test_a_reason_of_a_newer_program_never_makes_a_tile_sure() -> None:
    grid = lay_grid(300, 300, 256)
    newer = TileMap(grid, bytes(4), array("H", [FULL] * 4), bytes([0, 0, 90, 0]))
    with pytest.raises(StoredMapInvalid, match=r"newer program.*\[90\]"):
        decode(encode(newer))
