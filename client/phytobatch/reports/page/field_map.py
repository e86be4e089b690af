"""The map: squares by their share of diseased images, the images as dots, a scale bar, north up.

``templates/map.svg`` draws it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from phytobatch.reports import colours
from phytobatch.reports.page.content import METRES_PER_DEGREE, Content
from phytobatch.reports.page.field import nearest_turn
from phytobatch.reports.words import Words
from phytobatch.summaries.resources import Cell

WIDTH = 760.0
TALLEST = 620.0
MARGIN = 14.0
BELOW = 58.0  # scale bar and legend
LEGEND_STEPS = 5
BOX_WIDTH = 44.0
METRES_PER_KM = 1000
NICE = (1, 2, 5)


@dataclass(frozen=True)
class Frame:
    """From degrees to the picture: a plain projection, good for a field, with its scale in metres."""

    middle: float  # longitude; all others are taken on its side of the 180th meridian
    west: float
    north: float
    shrink: float  # length of a degree of longitude in degrees of latitude
    scale: float  # picture units per degree of latitude
    height: float

    @classmethod
    def around(cls, cells: Iterable[Cell], middle: float) -> Frame:
        """Return the smallest frame that holds the squares, which lie around the longitude ``middle``."""
        corners = [corner for cell in cells for corner in cell.ring]
        longitudes, latitudes = [nearest_turn(middle, x) for x, _ in corners], [y for _, y in corners]
        shrink = math.cos(math.radians((min(latitudes) + max(latitudes)) / 2))
        wide = (max(longitudes) - min(longitudes)) * shrink
        tall = max(latitudes) - min(latitudes)
        scale = min((WIDTH - 2 * MARGIN) / wide, (TALLEST - 2 * MARGIN) / tall)
        spare = (WIDTH - 2 * MARGIN - wide * scale) / 2
        west = min(longitudes) - spare / scale / shrink
        return cls(middle, west, max(latitudes), shrink, scale, tall * scale + 2 * MARGIN)

    def at(self, longitude: float, latitude: float) -> str:
        """Return a point as SVG writes it."""
        x = MARGIN + (nearest_turn(self.middle, longitude) - self.west) * self.shrink * self.scale
        y = MARGIN + (self.north - latitude) * self.scale
        return f"{x:.1f},{y:.1f}"

    @property
    def units_per_metre(self) -> float:
        """The scale of the picture."""
        return self.scale / METRES_PER_DEGREE


@dataclass(frozen=True)
class Square:
    """A square of the grid: its corners as SVG writes them, and its colour; None where no image in it counts."""

    points: str
    fill: str | None
    title: str


@dataclass(frozen=True)
class Dot:
    """An image."""

    x: str
    y: str
    fill: str
    title: str


@dataclass(frozen=True)
class ScaleBar:
    """A round distance: its length and place in picture units."""

    length: float
    y: float
    text: str


@dataclass(frozen=True)
class Box:
    """A colour of the legend."""

    x: float
    fill: str
    text: str


@dataclass(frozen=True)
class Legend:
    """The colours of shares from 0 to 100 %."""

    y: float
    box_width: float
    boxes: Sequence[Box]


@dataclass(frozen=True)
class FieldMap:
    """A map in picture units."""

    width: float
    height: float
    margin: float
    squares: Sequence[Square]
    dots: Sequence[Dot]
    scale_bar: ScaleBar
    legend: Legend


def field_map(content: Content, labels: Mapping[str, str], words: Words) -> FieldMap | None:
    """Return the map; None where no image has a position."""
    cells = _cells(content)
    if not cells:
        return None
    frame = Frame.around(cells, cells[0].ring[0][0] if content.place is None else content.place.longitude)
    return FieldMap(
        WIDTH,
        frame.height + BELOW,
        MARGIN,
        [_square(cell, frame, words) for cell in cells],
        list(_dots(content, frame, labels)),
        _scale_bar(frame),
        _legend(frame),
    )


def _cells(content: Content) -> Sequence[Cell]:
    """Return the squares of the field, without those of images far off."""
    grid, place = content.grid, content.place
    if grid is None or place is None or not place.far:
        return () if grid is None else grid.cells
    return [cell for cell in grid.cells if place.metres_to(*cell.ring[0]) <= place.reach + grid.edge]


def _square(cell: Cell, frame: Frame, words: Words) -> Square:
    shares = cell.shares
    points = " ".join(frame.at(*corner) for corner in cell.ring[:-1])
    if shares.diseased_share is None:
        return Square(points, None, f"{words.number(shares.images)} {words('images')}")
    title = f"{words.percent(shares.diseased_share)} {words('diseased')}, {words.of_counted(shares)}"
    return Square(points, colours.of_share(shares.diseased_share), title)


def _dots(content: Content, frame: Frame, labels: Mapping[str, str]) -> Iterable[Dot]:
    for point in content.points:
        x, y = frame.at(point.longitude, point.latitude).split(",")
        colour = colours.UNSURE if point.label is None else labels.get(point.label, colours.UNSURE)
        yield Dot(x, y, colour, point.name)


def _scale_bar(frame: Frame) -> ScaleBar:
    longest = WIDTH / 4 / frame.units_per_metre
    power = 10 ** math.floor(math.log10(longest))
    metres = max(step * power for step in NICE if step * power <= longest)
    text = f"{metres / METRES_PER_KM:g} km" if metres >= METRES_PER_KM else f"{metres:g} m"
    return ScaleBar(metres * frame.units_per_metre, frame.height + 22, text)


def _legend(frame: Frame) -> Legend:
    start = WIDTH / 2 - BOX_WIDTH * LEGEND_STEPS / 2
    boxes = [
        Box(
            start + BOX_WIDTH * step,
            colours.of_share(step / (LEGEND_STEPS - 1)),
            f"{100 * step // (LEGEND_STEPS - 1)} %",
        )
        for step in range(LEGEND_STEPS)
    ]
    return Legend(frame.height + 12, BOX_WIDTH, boxes)
