"""Content of the page, gathered over the API before a line of it is written."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from phytobatch.reports.page.field import Field, Point, field_of, unrolled
from phytobatch.resources import Cells, Job, Result, TileSums
from phytobatch.sdk import Phytobatch
from phytobatch.summaries.resources import Grid, Summary

MAX_WORST = 12
# More points than this are a carpet: then the squares speak alone.
MAX_POINTS = 5000
# Squares along the longer side of the field, where nobody says how long their edge is.
SQUARES_ACROSS = 30
SHORTEST_EDGE = 1.0  # metres; receivers know no better
MAX_EDGE = 100_000.0  # metres; the server draws no longer ones
METRES_PER_DEGREE = 111_320.0
ROUND_EDGES = (1.0, 2.0, 5.0)


@dataclass(frozen=True)
class Shown:
    """An image that is shown with its picture.

    ``tiles``: None if it was answered whole. ``explanation``: None if the job does not ask for it.
    """

    seq: int
    name: str
    label: str
    confidence: float
    note: str = ""
    tiles: TileSums | None = None
    explanation: Cells | None = None

    @property
    def share(self) -> float:
        """The part of the tiles that count which carry the label, 0 to 1."""
        return 0.0 if self.tiles is None else self.tiles.share(self.label)


@dataclass
class Content:
    """Content of the page. ``pictures``: sequence number to a JPEG; ``points``: those on the map."""

    job: Job
    summary: Summary
    grid: Grid | None
    points: Sequence[Point]
    worst: Sequence[Shown]
    uncertain: Sequence[Shown]
    names: Mapping[str, Mapping[str, str]]
    pictures: Mapping[int, bytes] = field(default_factory=dict)
    place: Field | None = None

    @property
    def has_tiles(self) -> bool:
        """True if photographs were answered in tiles."""
        return self.job.tiling is not None

    @property
    def is_explained(self) -> bool:
        """True if a picture shows what speaks for its label."""
        return any(one.explanation for one in (*self.worst, *self.uncertain))

    def name_of(self, label: str, language: str) -> str:
        """Return a class for people: in their language, in English, or its id."""
        names = self.names.get(label, {})
        return names.get(language) or names.get("en") or label.replace("_", " ")


@dataclass(frozen=True)
class PageOptions:
    """Options of the page. ``edge`` in metres; ``None`` chooses one."""

    group_by: Sequence[str] = ()
    time_zone: str = "UTC"
    healthy: Sequence[str] = ()
    edge: float | None = None


def gather(api: Phytobatch, job_id: str, options: PageOptions) -> Content:
    """Read the job, its summary, its results once, and its grid.

    Raises:
        ApiError: the server refuses, for instance a key with too many values.
    """
    job = api.job(job_id)
    summary = api.summary(job_id, group_by=options.group_by, time_zone=options.time_zone, healthy=options.healthy)
    reading = _Reading(frozenset(summary.healthy))
    uncertain = {one.seq for one in summary.uncertain}
    for result in api.results(job_id):
        reading.take(result, is_shown=result.seq in uncertain)
    place = field_of(reading.points)
    near = place.near if place is not None else ()
    edge = options.edge or round_edge(near)
    # The server's grid begins at the south-west corner of all images, which one that is far off would move.
    origin = place.corner if place is not None and place.far else None
    grid = None if edge is None else api.grid(job_id, edge=edge, origin=origin, healthy=options.healthy)
    return Content(
        job=job,
        summary=summary,
        grid=grid,
        points=near if len(near) <= MAX_POINTS else (),
        worst=reading.worst(),
        uncertain=[
            Shown(
                one.seq,
                one.name,
                one.label,
                one.confidence,
                one.review_reason or "",
                reading.tiles.get(one.seq),
                reading.explanations.get(one.seq),
            )
            for one in summary.uncertain
        ],
        names=reading.names,
        place=place,
    )


class _Reading:
    """Collector of the results that the page needs, out of all that are read once."""

    def __init__(self, healthy: frozenset[str]) -> None:
        self.points: list[Point] = []
        self.names: dict[str, Mapping[str, str]] = {}
        self.tiles: dict[int, TileSums] = {}
        self.explanations: dict[int, Cells] = {}
        self._healthy = healthy
        self._sick: list[tuple[float, int, Result]] = []

    def take(self, result: Result, *, is_shown: bool) -> None:
        """Take one result; ``is_shown``: it is, however sure it is."""
        counts = result.tiles
        if is_shown and counts is not None:
            self.tiles[result.seq] = counts
        if is_shown and result.explanation:
            self.explanations[result.seq] = result.explanation
        if result.label is not None:
            self.names.setdefault(result.label, result.raw.get("label_names") or {})
        place = result.raw.get("place") or {}
        standing = _standing(result)
        if place.get("latitude") is not None and place.get("longitude") is not None:
            self.points.append(Point(place["longitude"], place["latitude"], result.name, standing))
        is_sick = standing is not None and standing == result.label and self._healthy and standing not in self._healthy
        if is_sick and result.confidence is not None:
            # The worst of photographs with tiles are those with the largest diseased part, not the surest.
            badness = result.confidence if counts is None else counts.diseased_share(self._healthy)
            entry = (badness, -result.seq, result)
            keep = heapq.heappush if len(self._sick) < MAX_WORST else heapq.heappushpop
            keep(self._sick, entry)

    def worst(self) -> list[Shown]:
        """Return the diseases with the highest confidence, or with the largest diseased part, highest first."""
        return [
            Shown(
                one.seq,
                one.name,
                one.label or "",
                one.confidence or 0.0,
                tiles=one.tiles,
                explanation=one.explanation,
            )
            for _, _, one in sorted(self._sick, key=lambda entry: entry[:2], reverse=True)
        ]


def _standing(result: Result) -> str | None:
    """Return the label that counts: a person's, or the prediction if it needs no review."""
    correction = result.raw.get("correction") or {}
    if correction.get("label"):
        return str(correction["label"])
    return None if result.needs_review else result.label


def round_edge(points: Sequence[Point]) -> float | None:
    """Return an edge in metres, 1, 2 or 5 times a power of ten, for about thirty squares across; None: no field."""
    if not points:
        return None
    latitudes = [point.latitude for point in points]
    longitudes = unrolled([point.longitude for point in points])
    middle = math.radians((min(latitudes) + max(latitudes)) / 2)
    tall = (max(latitudes) - min(latitudes)) * METRES_PER_DEGREE
    wide = (max(longitudes) - min(longitudes)) * METRES_PER_DEGREE * math.cos(middle)
    smallest = max(max(tall, wide) / SQUARES_ACROSS, SHORTEST_EDGE)
    power = 10.0 ** math.floor(math.log10(smallest))
    return min(MAX_EDGE, next((power * step for step in ROUND_EDGES if power * step >= smallest), 10 * power))
