"""A job as a grid of squares with an edge in metres, each with the shares of its images."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Integer, Row, cast, literal, null, select
from sqlalchemy.orm import Session

from shared.errors import LimitExceeded
from shared.geography.metric import HALF_TURN, Origin, corner
from shared.summaries.counting import Counting
from shared.summaries.shares import Shares, empty
from shared.summaries.tile_shares import sums_that_count

CELLS_SETTING = "PHYTOBATCH_MAX_GRID_CELLS"
# Nearer to a pole a parallel is too short for squares.
MAX_LATITUDE = 89.0

Ring = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Cell:
    """A square: a ring, or two of them if it lies on both sides of the 180th meridian (RFC 7946, 3.1.9).

    Each has its corners as (longitude, latitude), closed, counter-clockwise (3.1.6).
    """

    column: int
    row: int
    rings: list[Ring]
    shares: Shares


@dataclass(frozen=True, slots=True)
class Grid:
    """The squares with an image, from south to north and west to east. ``edge`` in metres."""

    origin: Origin | None
    edge: float
    cells: list[Cell]
    without_position: int


def grid(session: Session, counting: Counting, *, edge: float, origin: Origin | None, max_cells: int) -> Grid:
    """Count the images of a job in squares.

    Args:
        session: a transaction.
        counting: the job.
        edge: of a square, in metres.
        origin: a corner of a square; the same one makes the grids of several flights comparable. ``None`` takes the
            south-west corner of this job.
        max_cells: maximum number of squares.

    Raises:
        LimitExceeded: more than ``max_cells`` squares have an image.
    """
    source = counting.rows(session)
    rows = session.execute(
        select(
            source.c.latitude,
            source.c.longitude,
            source.c.label,
            source.c.review,
            source.c.failure,
            cast(source.c.corrected, Integer).label("corrected"),
            cast(source.c.undecided, Integer).label("undecided"),
            literal(1).label("images"),
            sums_that_count(source).label("sums") if counting.has_tiles else null().label("sums"),
        )
    ).all()
    placed = [row for row in rows if row.latitude is not None and abs(row.latitude) <= MAX_LATITUDE]
    if not placed:
        return Grid(origin, edge, [], len(rows))
    begin = origin or corner([(row.latitude, row.longitude) for row in placed])
    counted = _count(placed, begin, edge, counting)
    if len(counted) > max_cells:
        raise LimitExceeded(
            f"{len(counted)} squares of {edge:g} m have an image, a grid has at most {max_cells}; choose a longer edge",
            setting=CELLS_SETTING,
        )
    cells = [
        Cell(column, row, cut(square(begin, edge, column, row)), counted[row, column])
        for row, column in sorted(counted)
    ]
    return Grid(begin, edge, cells, len(rows) - len(placed))


def _count(rows: Iterable[Row[Any]], origin: Origin, edge: float, counting: Counting) -> dict[tuple[int, int], Shares]:
    counted: dict[tuple[int, int], Shares] = defaultdict(partial(empty, counting))
    for row in rows:
        column, number = place_in(origin, edge, latitude=row.latitude, longitude=row.longitude)
        shares = counted[number, column]
        shares.add(row)
        if shares.tiles is not None and row.sums is not None:
            shares.tiles.add_photograph(row.label, row.sums, counting.healthy)
    return counted


def place_in(origin: Origin, edge: float, *, latitude: float, longitude: float) -> tuple[int, int]:
    """Return column and row of the square of a position; both count from the origin, and may be below 0."""
    row = math.floor(origin.north(latitude) / edge)
    column = math.floor(origin.east(longitude, on=origin.latitude_at(row * edge)) / edge)
    return column, row


def square(origin: Origin, edge: float, column: int, row: int) -> Ring:
    """Return the corners of a square: exactly ``edge`` long on its southern side and between its parallels."""
    south, north = origin.latitude_at(row * edge), origin.latitude_at((row + 1) * edge)
    west = origin.longitude_at(column * edge, on=south)
    east = origin.longitude_at((column + 1) * edge, on=south)
    return _rectangle(west, south, east, north)


def cut(ring: Ring) -> list[Ring]:
    """Cut the ring of a square at the 180th meridian if it lies on both sides; no part is empty."""
    (west, south), (east, _), (_, north), *_ = ring
    if west <= east:
        return [ring]
    parts = ((west, HALF_TURN), (-HALF_TURN, east))
    return [_rectangle(begin, south, end, north) for begin, end in parts if begin < end]


def _rectangle(west: float, south: float, east: float, north: float) -> Ring:
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]
