"""Flights a day: what one processor carries of photographs in tiles, by the measured cost of a tile."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.tiles.grid import count_tiles
from tests.benchmarks.capacity.arrivals import HOUR
from tests.benchmarks.capacity.inputs import Flights

DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Flight:
    """A flight of photographs of one size: its tiles, and the seconds of one processor that they cost."""

    width: int
    height: int
    photographs: int
    tiles_each: int
    seconds: float

    @property
    def tiles(self) -> int:
        """Tiles of all its photographs."""
        return self.photographs * self.tiles_each

    @property
    def a_day(self) -> float:
        """Flights that a processor reads in 24 hours in which it does nothing else."""
        return DAY / self.seconds


def flights_of(inputs: Flights, sizes: tuple[tuple[int, int], ...]) -> Iterator[Flight]:
    """Yield a flight for each size of photographs (width and height, in pixels), in tiles without overlap."""
    for width, height in sizes:
        tiles = count_tiles(width, height, inputs.edge)
        seconds = inputs.photographs * tiles * inputs.tile_milliseconds / 1000
        yield Flight(width, height, inputs.photographs, tiles, seconds)
