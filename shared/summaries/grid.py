"""A job as a grid of squares with an edge in metres, each with what was found in it."""

import math
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, literal, select
from sqlalchemy.orm import Session

from shared.errors import LimitExceeded
from shared.geography.metric import HALF_TURN, Origin, corner
from shared.summaries.rows import answered
from shared.summaries.shares import Shares

CELLS_SETTING = "PHYTOBATCH_MAX_GRID_CELLS"
# Nobody is nearer to a pole: there a parallel is too short for squares.
HIGHEST_LATITUDE = 89.0

Ring = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Cell:
    """One square: a ring, or two of them where it lies on both sides of the 180th meridian (RFC 7946, 3.1.9).

    Each has its corners as (longitude, latitude), closed, counter-clockwise (3.1.6).
    """

    column: int
    row: int
    rings: list[Ring]
    shares: Shares


@dataclass(frozen=True, slots=True)
class Grid:
    """Squares that have an image, from south to north and west to east. ``edge`` in metres."""

    origin: Origin | None
    edge: float
    cells: list[Cell]
    without_position: int


def grid(session: Session, job_id: uuid.UUID, *, edge: float, origin: Origin | None, most: int) -> Grid:
    """Count the images of a job in squares.

    Args:
        session: a transaction.
        job_id: the job.
        edge: of a square, in metres.
        origin: a corner of a square; the same one makes the grids of several flights comparable. ``None`` takes the
            south-west corner of this job.
        most: squares.

    Raises:
        LimitExceeded: more than ``most`` squares have an image.
    """
    rows = answered(session, job_id)
    found = session.execute(
        select(
            rows.c.latitude,
            rows.c.longitude,
            rows.c.label,
            rows.c.review,
            rows.c.failure,
            func.cast(rows.c.corrected, rows.c.seq.type).label("corrected"),
            literal(1).label("images"),
        )
    ).all()
    placed = [row for row in found if row.latitude is not None and abs(row.latitude) <= HIGHEST_LATITUDE]
    if not placed:
        return Grid(origin, edge, [], len(found))
    begin = origin or corner([(row.latitude, row.longitude) for row in placed])
    counted = _count(placed, begin, edge)
    if len(counted) > most:
        raise LimitExceeded(
            f"{len(counted)} squares of {edge:g} m have an image, a grid has at most {most}; choose a longer edge",
            setting=CELLS_SETTING,
        )
    cells = [
        Cell(column, row, cut(square(begin, edge, column, row)), counted[row, column])
        for row, column in sorted(counted)
    ]
    return Grid(begin, edge, cells, len(found) - len(placed))


def _count(rows: Iterable[Row[Any]], origin: Origin, edge: float) -> dict[tuple[int, int], Shares]:
    counted: dict[tuple[int, int], Shares] = defaultdict(Shares)
    for row in rows:
        column, number = place_in(origin, edge, latitude=row.latitude, longitude=row.longitude)
        counted[number, column].add(row)
    return counted


def place_in(origin: Origin, edge: float, *, latitude: float, longitude: float) -> tuple[int, int]:
    """Column and row of the square of a position; both count from the origin, and may be below 0."""
    row = math.floor(origin.north(latitude) / edge)
    column = math.floor(origin.east(longitude, on=origin.latitude_at(row * edge)) / edge)
    return column, row


def square(origin: Origin, edge: float, column: int, row: int) -> Ring:
    """The corners of a square: exactly ``edge`` long on its southern side and between its parallels."""
    south, north = origin.latitude_at(row * edge), origin.latitude_at((row + 1) * edge)
    west = origin.longitude_at(column * edge, on=south)
    east = origin.longitude_at((column + 1) * edge, on=south)
    return _rectangle(west, south, east, north)


def cut(ring: Ring) -> list[Ring]:
    """Cut the ring of a square at the 180th meridian, where it lies on both sides; no part is empty."""
    (west, south), (east, _), (_, north), *_ = ring
    if west <= east:
        return [ring]
    parts = ((west, HALF_TURN), (-HALF_TURN, east))
    return [_rectangle(begin, south, end, north) for begin, end in parts if begin < end]


def _rectangle(west: float, south: float, east: float, north: float) -> Ring:
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]
