"""The map: squares by their share of diseased images, the images as dots, a scale bar, north up. SVG, no tiles."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from phytobatch.reports.page import colours
from phytobatch.reports.page.content import METRES_PER_DEGREE, Content
from phytobatch.reports.page.field import beside
from phytobatch.reports.page.words import Words
from phytobatch.summaries.resources import Cell

WIDTH = 760.0
TALLEST = 620.0
MARGIN = 14.0
BELOW = 58.0  # scale bar and legend
LEGEND_STEPS = 5
NICE = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Frame:
    """From degrees to the picture: a plain projection, good for a field, with its scale in metres."""

    middle: float  # longitude; all others are taken on its side of the 180th meridian
    west: float
    north: float
    shrink: float  # length of a degree of longitude in degrees of latitude
    scale: float  # picture units per degree of latitude
    height: float

    @classmethod
    def around(cls, cells: Iterable[Cell], middle: float) -> "Frame":
        """The smallest frame that holds the squares, which lie around the longitude ``middle``."""
        corners = [corner for cell in cells for corner in cell.ring]
        longitudes, latitudes = [beside(middle, x) for x, _ in corners], [y for _, y in corners]
        shrink = math.cos(math.radians((min(latitudes) + max(latitudes)) / 2))
        wide = (max(longitudes) - min(longitudes)) * shrink
        tall = max(latitudes) - min(latitudes)
        scale = min((WIDTH - 2 * MARGIN) / wide, (TALLEST - 2 * MARGIN) / tall)
        spare = (WIDTH - 2 * MARGIN - wide * scale) / 2
        west = min(longitudes) - spare / scale / shrink
        return cls(middle, west, max(latitudes), shrink, scale, tall * scale + 2 * MARGIN)

    def at(self, longitude: float, latitude: float) -> str:
        """A point as SVG writes it."""
        x = MARGIN + (beside(self.middle, longitude) - self.west) * self.shrink * self.scale
        y = MARGIN + (self.north - latitude) * self.scale
        return f"{x:.1f},{y:.1f}"

    @property
    def units_per_metre(self) -> float:
        """The scale of the picture."""
        return self.scale / METRES_PER_DEGREE


def draw(content: Content, labels: Mapping[str, str], words: Words) -> str:
    """The map as SVG; empty where no image has a position."""
    cells = _cells(content)
    if not cells:
        return ""
    frame = Frame.around(cells, cells[0].ring[0][0] if content.place is None else content.place.longitude)
    parts = [
        *(_square(cell, frame, words) for cell in cells),
        *_dots(content, frame, labels),
        _scale_bar(frame),
        _legend(frame, words),
    ]
    size = f"0 0 {WIDTH:.0f} {frame.height + BELOW:.0f}"
    return f'<svg class="map" viewBox="{size}" role="img" aria-label="{escape(words("map"))}">{"".join(parts)}</svg>'


def _cells(content: Content) -> Sequence[Cell]:
    """The squares of the field, without those of images far off."""
    grid, place = content.grid, content.place
    if grid is None or place is None or not place.far:
        return () if grid is None else grid.cells
    return [cell for cell in grid.cells if place.metres_to(*cell.ring[0]) <= place.reach + grid.edge]


def _square(cell: Cell, frame: Frame, words: Words) -> str:
    shares = cell.shares
    points = " ".join(frame.at(*corner) for corner in cell.ring[:-1])
    if shares.diseased_share is None:
        told = f"{words.number(shares.images)} {words('images')}"
        return f'<polygon class="blank" points="{points}"><title>{escape(told)}</title></polygon>'
    told = (
        f"{words.percent(shares.diseased_share)} {words('diseased')}, "
        f"{words('of_counted', counted=words.number(shares.counted))}"
    )
    colour = colours.of_share(shares.diseased_share)
    return f'<polygon points="{points}" fill="{colour}"><title>{escape(told)}</title></polygon>'


def _dots(content: Content, frame: Frame, labels: Mapping[str, str]) -> Iterable[str]:
    for point in content.points:
        x, y = frame.at(point.longitude, point.latitude).split(",")
        colour = colours.UNSURE if point.label is None else labels.get(point.label, colours.UNSURE)
        yield f'<circle cx="{x}" cy="{y}" r="1.6" fill="{colour}"><title>{escape(point.name)}</title></circle>'


def _scale_bar(frame: Frame) -> str:
    longest = WIDTH / 4 / frame.units_per_metre
    power = 10 ** math.floor(math.log10(longest))
    metres = max(step * power for step in NICE if step * power <= longest)
    length, y = metres * frame.units_per_metre, frame.height + 22
    told = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"  # noqa: PLR2004  # metres in a kilometre
    return (
        f'<path class="bar" d="M{MARGIN},{y - 6} v6 h{length:.1f} v-6"/>'
        f'<text x="{MARGIN}" y="{y + 18}">{told}</text>'
        f'<path class="north" d="M{WIDTH - MARGIN - 9},{y} l9,-24 l9,24 l-9,-6 z" transform="translate(-9,0)"/>'
        f'<text x="{WIDTH - MARGIN - 9}" y="{y + 18}" text-anchor="middle">N</text>'
    )


def _legend(frame: Frame, words: Words) -> str:
    width, y = 44.0, frame.height + 12
    start = WIDTH / 2 - width * LEGEND_STEPS / 2
    boxes = "".join(
        f'<rect x="{start + width * n:.1f}" y="{y}" width="{width}" height="12" '
        f'fill="{colours.of_share(n / (LEGEND_STEPS - 1))}"/>'
        f'<text x="{start + width * (n + 0.5):.1f}" y="{y + 27}" text-anchor="middle">'
        f"{100 * n // (LEGEND_STEPS - 1)} %</text>"
        for n in range(LEGEND_STEPS)
    )
    title = f'<text x="{WIDTH / 2}" y="{y + 42}" text-anchor="middle">{escape(words("share_of_diseased"))}</text>'
    return boxes + title
