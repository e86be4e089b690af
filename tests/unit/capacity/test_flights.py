"""Flights a day are the measured cost of a tile, times the tiles that the grid of a photograph has."""

import pytest

from shared.tiles.grid import lay_grid
from tests.benchmarks.capacity.flights import flights_of
from tests.benchmarks.capacity.inputs import Flights


def test_a_flight_costs_its_tiles() -> None:
    inputs = Flights(photographs=500, edge=256, tile_milliseconds=10.0)
    (flight,) = flights_of(inputs, ((4000, 3000),))
    assert flight.tiles_each == lay_grid(4000, 3000, 256).tiles == 16 * 12
    assert flight.tiles == 96_000
    assert flight.seconds == pytest.approx(960)
    assert flight.a_day == pytest.approx(90)


def test_half_of_the_cost_is_twice_the_flights() -> None:
    dear, cheap = (next(flights_of(Flights(tile_milliseconds=ms), ((4000, 3000),))) for ms in (12.0, 6.0))
    assert cheap.a_day == pytest.approx(2 * dear.a_day)
