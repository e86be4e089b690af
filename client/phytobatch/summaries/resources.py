"""The answers of ``/summary`` and ``/grid``, as frozen dataclasses; ``raw`` keeps them as they came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Optional

from phytobatch.resources import Counts, JsonObject

Interval = tuple[float, float]


@dataclass(frozen=True)
class TileCounts:
    """Counts of tiles, ``counted`` of them of ``photographs`` images; ``beside`` are those of images to review."""

    total: int
    counted: int
    photographs: int
    diseased: int | None
    review: Mapping[str, int]
    skipped: Mapping[str, int]
    beside: int

    @classmethod
    def from_json(cls, data: JsonObject) -> TileCounts:
        """Parse ``tiles`` of an entry of a summary."""
        return cls(
            total=data["total"],
            counted=data["counted"],
            photographs=data["photographs"],
            diseased=data["diseased"],
            review=data["review"],
            skipped=data["skipped"],
            beside=data["beside"],
        )


@dataclass(frozen=True)
class Shares:
    """Counts of images. ``labels`` maps to (images, part of ``counted``), the most frequent first.

    In a job with tiles that part is one of ``tiles.counted``. ``intervals`` are the ends of the 95 % intervals of the
    shares, ``label_tiles`` the tiles of each label; ``undecided`` are images whose tiles decide nothing.
    """

    images: int
    counted: int
    labels: Mapping[str, tuple[int, float]]
    diseased: int | None
    diseased_share: float | None
    needs_review: int
    review: Mapping[str, int]
    not_classified: int
    failures: Mapping[str, int]
    corrected: int
    undecided: int = 0
    diseased_interval: Interval | None = None
    intervals: Mapping[str, Interval | None] = field(default_factory=dict)
    label_tiles: Mapping[str, int | None] = field(default_factory=dict)
    tiles: TileCounts | None = None

    @classmethod
    def from_json(cls, data: JsonObject) -> Shares:
        """Parse one entry of a summary."""
        return cls(
            images=data["images"],
            counted=data["counted"],
            labels={one["label"]: (one["images"], one["share"]) for one in data["labels"]},
            diseased=data["diseased"],
            diseased_share=data["diseased_share"],
            needs_review=data["needs_review"],
            review=data["review"],
            not_classified=data["not_classified"],
            failures=data["failures"],
            corrected=data["corrected"],
            undecided=data.get("undecided") or 0,
            diseased_interval=_interval(data.get("diseased_interval")),
            intervals={one["label"]: _interval(one.get("interval")) for one in data["labels"]},
            label_tiles={one["label"]: one.get("tiles") for one in data["labels"]},
            tiles=TileCounts.from_json(data["tiles"]) if data.get("tiles") else None,
        )


def _interval(ends: list[float] | None) -> Interval | None:
    return None if ends is None else (ends[0], ends[1])


Groups = tuple[tuple[Optional[str], Shares], ...]


@dataclass(frozen=True)
class Uncertain:
    """An image to review first."""

    seq: int
    name: str
    label: str
    confidence: float
    review_reason: str | None
    latitude: float | None = None
    longitude: float | None = None

    @classmethod
    def from_json(cls, data: JsonObject) -> Uncertain:
        """Parse one entry of ``uncertain``."""
        return cls(
            seq=data["seq"],
            name=data["name"],
            label=data["label"],
            confidence=data["confidence"],
            review_reason=data["review_reason"],
            latitude=data.get("latitude"),
            longitude=data.get("longitude"),
        )


@dataclass(frozen=True)
class Summary:
    """The summary of a job. In ``groups`` and ``days`` the value ``None`` holds the images that have none."""

    job_id: str
    state: str
    healthy: tuple[str, ...]
    overall: Shares
    groups: Mapping[str, Groups]
    time_zone: str
    days: Groups
    positions: int
    missing_positions: Mapping[str, int]
    uncertain: tuple[Uncertain, ...]
    position_sources: Mapping[str, int] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    revision: int = 0
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, data: JsonObject) -> Summary:
        """Parse the answer of ``GET /v1/jobs/{id}/summary``."""
        return cls(
            job_id=data["job_id"],
            state=data["state"],
            healthy=tuple(data["healthy"]),
            overall=Shares.from_json(data["overall"]),
            groups={
                key: tuple((one["value"], Shares.from_json(one)) for one in groups)
                for key, groups in data["groups"].items()
            },
            time_zone=data["time_zone"],
            days=tuple((one["day"], Shares.from_json(one)) for one in data["days"]),
            positions=data["positions"]["known"],
            missing_positions=data["positions"]["missing"],
            uncertain=tuple(Uncertain.from_json(one) for one in data["uncertain"]),
            position_sources=data["positions"].get("sources") or {},
            counts=Counts.from_json(data.get("counts") or {}),
            revision=int(data.get("revision") or 0),
            raw=data,
        )


@dataclass(frozen=True)
class Cell:
    """One square of a grid.

    ``ring``: its corners as (longitude, latitude). That of a square over the 180th meridian, which GeoJSON has in two
    parts, is whole: its eastern longitudes are greater than 180.
    """

    column: int
    row: int
    ring: tuple[tuple[float, float], ...]
    shares: Shares


@dataclass(frozen=True)
class Grid:
    """The squares that have an image; ``edge`` in metres. ``raw`` is the GeoJSON."""

    edge: float
    cells: tuple[Cell, ...]
    without_position: int
    origin: tuple[float, ...] | None = None
    healthy: tuple[str, ...] = ()
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, data: JsonObject) -> Grid:
        """Parse the answer of ``GET /v1/jobs/{id}/grid``."""
        return cls(
            edge=data["edge"],
            cells=tuple(_cell(feature) for feature in data["features"]),
            without_position=data["without_position"],
            origin=None if data.get("origin") is None else tuple(data["origin"]),
            healthy=tuple(data.get("healthy") or ()),
            raw=data,
        )


def _cell(feature: JsonObject) -> Cell:
    properties, geometry = feature["properties"], feature["geometry"]
    parts = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    return Cell(
        properties["column"], properties["row"], _ring([part[0] for part in parts]), Shares.from_json(properties)
    )


def _ring(rings: list[list[tuple[float, float]]]) -> tuple[tuple[float, float], ...]:
    """Return the ring, or that around two rectangles on both sides of the 180th meridian (RFC 7946, section 3.1.9)."""
    if len(rings) == 1:
        return tuple((longitude, latitude) for longitude, latitude in rings[0])
    corners = [(x + 360 if x < 0 else x, y) for ring in rings for x, y in ring]
    (west, south), (east, north) = (tuple(edge(one) for one in zip(*corners)) for edge in (min, max))
    return ((west, south), (east, south), (east, north), (west, north), (west, south))
