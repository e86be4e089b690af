"""Squares on the ground."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.geography.metric import Origin, meridian_arc, metres_per_degree_east
from shared.summaries.grid import cut, place_in, square
from shared.summaries.shares import Shares, in_order

FIELD = Origin(47.99, 7.84)


@pytest.mark.parametrize("edge", [1.0, 10.0, 250.0])
@pytest.mark.parametrize("latitude", [-60.0, 0.0, 47.99, 70.0])
def test_a_square_has_its_edge_in_metres(latitude: float, edge: float) -> None:
    (west, south), (east, _), (_, north), *_ = square(Origin(latitude, 7.84), edge, 3, 5)
    assert (east - west) * metres_per_degree_east(south) == pytest.approx(edge, rel=1e-6)
    assert meridian_arc(north) - meridian_arc(south) == pytest.approx(edge, rel=1e-6)


@given(st.floats(47.9, 48.1), st.floats(7.7, 7.9), st.sampled_from([0.5, 7.0, 100.0]))
def test_a_position_lies_in_its_square(latitude: float, longitude: float, edge: float) -> None:
    column, row = place_in(FIELD, edge, latitude=latitude, longitude=longitude)
    ring = square(FIELD, edge, column, row)
    slack = 1e-9
    assert ring[0][0] - slack <= longitude <= ring[1][0] + slack
    assert ring[0][1] - slack <= latitude <= ring[2][1] + slack


def test_a_ring_is_closed_and_goes_counter_clockwise() -> None:
    ring = square(FIELD, 10, 0, 0)
    twice_the_area = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in itertools.pairwise(ring))
    assert ring[0] == ring[-1]
    assert twice_the_area > 0


def test_a_square_over_the_180th_meridian_is_cut_in_two() -> None:
    ring = square(Origin(-16.8, 179.99998), 10, 0, 0)
    west, east = cut(ring)
    assert (west[0][0], west[1][0]) == (179.99998, 180)
    assert east[0][0] == -180
    assert -180 < east[1][0] < -179.9999
    assert all(part[0] == part[-1] for part in (west, east))
    assert cut(square(Origin(-16.8, 7.84), 10, 0, 0)) == [square(Origin(-16.8, 7.84), 10, 0, 0)]


def test_a_square_that_ends_at_the_180th_meridian_is_whole() -> None:
    (ring,) = cut([(179.9, 0), (-180, 0), (-180, 0.1), (179.9, 0.1), (179.9, 0)])
    assert ring[1] == (180, 0)


def test_shares_are_parts_of_what_is_counted() -> None:
    shares = Shares()
    shares.labels.update({"healthy": 6, "rust": 3, "downy_mildew": 1})
    shares.review.update({"blurred": 5})
    shares.failures.update({"truncated": 2})
    assert (shares.counted, shares.images) == (10, 17)
    assert math.isclose(shares.share("rust"), 0.3)
    assert shares.diseased({"healthy"}) == 4


def test_groups_stand_in_the_order_of_numbers_then_of_words() -> None:
    assert in_order(["10", "9", None, "b", "2.5", "a"]) == ["2.5", "9", "10", "a", "b", None]
