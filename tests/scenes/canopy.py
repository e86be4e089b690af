"""A made flight over a row crop from ten metres: the photographs, and the true state of every pixel of them.

Plants stand in rows with soil between them. A plant is a rosette of leaves; in a sick one a part of the leaves is
browned (``blight``) or pale (``chlorosis``). Blight follows a gradient over the field with patches in it, chlorosis a
strip. Light, soil and the size of the plants differ from flight to flight, as on another day. The same arguments give
the same bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import cos, exp, hypot, pi, radians, sin
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageDraw

from deploy.local.synthetic.exif import FIELD, FIELD_ALTITUDE, METRES_PER_DEGREE, Position, exif_of
from deploy.local.synthetic.flight.plan import Shot
from deploy.local.synthetic.flight.xmp import dji_xmp
from deploy.local.synthetic.scene import Kind
from deploy.local.synthetic.texture import cloud, with_grain
from shared.geography.ground_resolution import FILM_DIAGONAL_MM

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

SIZE = (3000, 2000)  # pixels
HEIGHT_M = 10.0
FOCAL_LENGTH_35MM = 24
COLUMNS = 6  # photographs beside each other; with four lines that is a flight
PHOTOGRAPHS = 24
ROW_M, PLANT_M, RADIUS_M = 0.75, 0.36, 0.30  # between rows, between plants of a row, of a plant
LANE_ROWS, LANE_EVERY = 2, 9  # rows that are missing where a machine drives, of so many
QUALITY = 90
TAKE_OFF = datetime(2026, 6, 10, 9, 0, tzinfo=UTC)
SECONDS_BETWEEN = 4

SOIL, HEALTHY, BLIGHT, CHLOROSIS = 0, 1, 2, 3  # values of a truth
STATES = ("not_a_leaf", "healthy", "blight", "chlorosis")
# Of a canopy: a tile with fewer plants shows soil; one with more sick leaves is called sick.
LEAST_CANOPY, LEAST_SICK = 0.15, 0.2
# So far from these limits a person who looks at the tile has no doubt.
CLEAR_CANOPY, CLEAR_SICK = (0.08, 0.25), (0.1, 0.3)

SPRITES = 14  # drawn plants of each state
LEAVES = (26, 38)  # of a plant
SICK_LEAVES = (0.35, 0.9)  # part of them, of a sick plant
GREENS: tuple[Colour, ...] = ((62, 104, 44), (76, 121, 50), (88, 134, 62), (54, 92, 47))
BROWNS: tuple[Colour, ...] = ((121, 92, 52), (140, 104, 62), (103, 76, 46), (150, 122, 70))
PALES: tuple[Colour, ...] = ((171, 176, 78), (186, 188, 98), (158, 170, 84), (196, 196, 120))
COLOURS = {HEALTHY: GREENS, BLIGHT: BROWNS, CHLOROSIS: PALES}


@dataclass(frozen=True, slots=True)
class Scene:
    """One photograph: uint8 pixels (height, width, 3), RGB, and the state of each of them, uint8 (height, width)."""

    name: str
    pixels: Pixels
    truth: Pixels


@dataclass(frozen=True, slots=True)
class TileTruth:
    """The truth of a tile: its state, as an index of ``STATES``, and False where a person would hesitate."""

    state: int
    is_clear: bool


@dataclass(frozen=True, slots=True)
class Day:
    """The day of a flight: gains of the three colours, soil, and the size of the plants."""

    gains: tuple[float, float, float]
    soil: Colour
    growth: float

    @classmethod
    def of(cls, seed: int) -> "Day":
        """Draw the day of a flight."""
        rng = np.random.default_rng([seed, 7])
        light, warm = rng.uniform(0.9, 1.1), rng.uniform(0.97, 1.03)
        soil = np.array((134, 108, 84)) * rng.uniform(0.85, 1.15) + rng.uniform(-8, 8, 3)
        red, green, blue = (int(value) for value in soil)
        return cls((light * warm, light, light / warm), (red, green, blue), rng.uniform(0.92, 1.08))


def resolution_mm(size: tuple[int, int] = SIZE, height_m: float = HEIGHT_M) -> float:
    """Return the millimetres of ground in a pixel, of pictures of this width and height."""
    return height_m * 1000 / (FOCAL_LENGTH_35MM / FILM_DIAGONAL_MM * hypot(*size))


def write_flight(
    folder: Path, *, seed: int, photographs: int = PHOTOGRAPHS, size: tuple[int, int] = SIZE
) -> Iterator[tuple[Path, Scene]]:
    """Write the photographs of a flight one after another, and yield each with its truth.

    Args:
        folder: made if missing.
        seed: of the flight; its first word decides everything.
        photographs: how many.
        size: width and height of each in pixels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for number, scene in enumerate(scenes(seed=seed, photographs=photographs, size=size)):
        path = folder / scene.name
        shot = _shot(number, size)
        exif = exif_of(shot.place, shot.taken, heading=shot.heading)
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = FOCAL_LENGTH_35MM
        Image.fromarray(scene.pixels).save(path, "JPEG", quality=QUALITY, exif=exif, xmp=dji_xmp(shot))
        yield path, scene


def scenes(*, seed: int, photographs: int = PHOTOGRAPHS, size: tuple[int, int] = SIZE) -> Iterator[Scene]:
    """Yield the photographs of a flight."""
    day = Day.of(seed)
    plants = {state: _sprites(state, day, seed, size) for state in COLOURS}
    for number in range(photographs):
        rng = np.random.default_rng([seed, number])
        yield _scene(number, photographs, size, day, plants, rng)


def truth_of_tile(truth: Pixels) -> TileTruth:
    """Judge a part of a truth, as a person judges its pixels."""
    canopy = float((truth != SOIL).mean())
    if canopy < LEAST_CANOPY:
        return TileTruth(SOIL, canopy < CLEAR_CANOPY[0])
    sick = {state: float((truth == state).mean()) / canopy for state in (BLIGHT, CHLOROSIS)}
    worst = max(sick, key=lambda state: sick[state])
    is_clear = canopy >= CLEAR_CANOPY[1] and not CLEAR_SICK[0] < sick[worst] < CLEAR_SICK[1]
    return TileTruth(worst if sick[worst] >= LEAST_SICK else HEALTHY, is_clear)


def _scene(
    number: int,
    photographs: int,
    size: tuple[int, int],
    day: Day,
    plants: dict[int, list[tuple[Image.Image, Image.Image]]],
    rng: np.random.Generator,
) -> Scene:
    width, height = size
    mm = resolution_mm(size)
    picture = Image.fromarray(_ground(size, day, rng))
    truth = Image.new("L", size, SOIL)
    column, line = number % COLUMNS, number // COLUMNS
    across, down = width * mm / 1000, height * mm / 1000  # metres
    lines = max(1, -(-photographs // COLUMNS))
    shift = rng.uniform(0, ROW_M)
    lane = int(rng.integers(LANE_EVERY))
    for position, row in enumerate(np.arange(-ROW_M + shift, down + ROW_M, ROW_M)):
        if (position + lane) % LANE_EVERY < LANE_ROWS:
            continue
        for place in np.arange(-PLANT_M, across + PLANT_M, PLANT_M):
            if rng.random() < 0.03:  # a gap in the row
                continue
            east = (column + place / across) / COLUMNS
            north = 1 - (line + row / down) / lines
            state = _state(east, north, rng)
            colours, states = plants[state][int(rng.integers(len(plants[state])))]
            left = round((place + rng.normal(0, 0.04)) * 1000 / mm - colours.width / 2)
            top = round((row + rng.normal(0, 0.03)) * 1000 / mm - colours.height / 2)
            turn = 90 * int(rng.integers(4))
            colours, states = colours.rotate(turn), states.rotate(turn)
            mask = colours.getchannel("A")
            picture.paste((20, 16, 12), (left + 3, top + 4), mask.point(lambda value: value // 3))  # its shadow
            picture.paste(colours, (left, top), mask)
            truth.paste(states, (left, top), mask.point(lambda value: 255 if value > 127 else 0))
    pixels = np.asarray(picture, np.float32) * np.array(day.gains, np.float32) * rng.uniform(0.96, 1.04)
    lit = with_grain(np.clip(pixels, 0, 255).astype(np.uint8), rng, 5.0)
    return Scene(f"canopy_{number + 1:03d}.jpg", lit, np.asarray(truth))


def _state(east: float, north: float, rng: np.random.Generator) -> int:
    """Draw the state of a plant at a place of the field, in shares of its edges."""
    gradient = 1 / (1 + exp(-9 * (0.6 * east + 0.4 * north - 0.62)))
    patches = 0.5 + 0.5 * sin(17 * east + 3) * sin(11 * north + 1)
    strip = exp(-(((east - 0.22) / 0.09) ** 2))
    draw = rng.random()
    blight = gradient * (0.25 + 0.75 * patches)
    if draw < blight:
        return BLIGHT
    return CHLOROSIS if draw < blight + 0.7 * strip * (1 - blight) else HEALTHY


def _ground(size: tuple[int, int], day: Day, rng: np.random.Generator) -> Pixels:
    """Draw soil with clods and small stones."""
    width, height = size
    coarse, fine = cloud((height, width), rng, cells=12), cloud((height, width), rng, cells=160, octaves=2)
    light = 0.72 + 0.34 * coarse + 0.3 * (fine - 0.5)
    ground: Pixels = np.clip(light[..., None] * np.array(day.soil, np.float32), 0, 255).astype(np.uint8)
    return ground


def _sprites(state: int, day: Day, seed: int, size: tuple[int, int]) -> list[tuple[Image.Image, Image.Image]]:
    """Draw plants of one state: RGBA, and the state of each pixel."""
    rng = np.random.default_rng([seed, 100 + state])
    radius = RADIUS_M * 1000 / resolution_mm(size) * day.growth
    return [_plant(state, radius * rng.uniform(0.85, 1.15), rng) for _ in range(SPRITES)]


def _plant(state: int, radius: float, rng: np.random.Generator) -> tuple[Image.Image, Image.Image]:
    zoom = 3  # drawn larger, then reduced: smooth edges
    edge = 2 * round(radius) + 8
    colours = Image.new("RGBA", (edge * zoom, edge * zoom), (60, 90, 45, 0))
    states = Image.new("L", (edge * zoom, edge * zoom), HEALTHY)
    pen, marker = ImageDraw.Draw(colours), ImageDraw.Draw(states)
    sick = 0.0 if state == HEALTHY else rng.uniform(*SICK_LEAVES)
    begin = rng.uniform(0, 2 * pi)  # a sick part is a side of the plant
    count = int(rng.integers(*LEAVES))
    for number in np.argsort(rng.random(count)):
        share = float(number) / count
        angle = begin + 2 * pi * share + rng.normal(0, 0.12)
        # A few leaves of a healthy plant are yellow or torn: no disease.
        is_sick = share < sick
        leaf = state if is_sick else HEALTHY
        palette = COLOURS[leaf] if is_sick or rng.random() > 0.03 else PALES
        colour = np.array(palette[int(rng.integers(len(palette)))]) * rng.uniform(0.8, 1.2)
        reach = radius * rng.uniform(0.45, 0.98) * zoom
        outline = _leaf((edge * zoom / 2, edge * zoom / 2), angle, reach, reach * rng.uniform(0.3, 0.45))
        pen.polygon(outline, fill=(*(int(min(255, value)) for value in colour), 255))
        marker.polygon(outline, fill=leaf)
        tip = outline[len(outline) // 2]
        vein = tuple(int(min(255, value * 1.18)) for value in colour)
        pen.line(((edge * zoom / 2, edge * zoom / 2), tip), fill=(*vein, 255), width=zoom)
    small = (edge, edge)
    return colours.resize(small, Image.Resampling.BOX), states.resize(small, Image.Resampling.NEAREST)


def _leaf(base: tuple[float, float], angle: float, length: float, width: float) -> list[tuple[float, float]]:
    """Return the outline of a leaf that begins near ``base``, its tip in the middle of the list."""
    steps = np.linspace(0, pi, 9)
    side = [(0.12 + 0.88 * (1 - cos(step)) / 2, sin(step) / 2) for step in steps]
    points = [*side, *((along, -out) for along, out in reversed(side[1:-1]))]
    return [
        (
            base[0] + length * along * cos(angle) - width * out * sin(angle),
            base[1] + length * along * sin(angle) + width * out * cos(angle),
        )
        for along, out in points
    ]


def _shot(number: int, size: tuple[int, int]) -> Shot:
    mm = resolution_mm(size)
    east, north = number % COLUMNS * size[0] * mm / 1000, -(number // COLUMNS) * size[1] * mm / 1000
    return Shot(
        number=number,
        place=Position(
            FIELD[0] + north / METRES_PER_DEGREE,
            FIELD[1] + east / (METRES_PER_DEGREE * cos(radians(FIELD[0]))),
            FIELD_ALTITUDE + HEIGHT_M,
        ),
        height=HEIGHT_M,
        heading=0.0,
        taken=TAKE_OFF + timedelta(seconds=SECONDS_BETWEEN * number),
        row=number // COLUMNS,
        bed="A",
        flight="1",
        kind=Kind.HEALTHY,
    )
