"""Summaries and grids on the wire."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row

from api.wire.jobs import Counts
from shared.contracts.geography import PositionFault, PositionSource
from shared.contracts.manifest import ReviewReason
from shared.contracts.states import JobState
from shared.summaries.grid import Cell, Grid
from shared.summaries.intervals import Interval
from shared.summaries.positions import Positions
from shared.summaries.shares import Shares
from shared.summaries.tile_shares import TileShares

DIGITS = 6
# Seven decimals of a degree are a centimetre (RFC 7946, section 11.2, asks for no more than is known).
DEGREE_DIGITS = 7


OfPhotographs = Annotated[
    tuple[float, float] | None,
    Field(
        description="Ends of the 95 % interval of the share, which takes photographs for a random sample; `null` for "
        "fewer than two. Tiles of one photograph are alike: they count as a cluster."
    ),
]


class LabelShare(BaseModel):
    """Images with one label, and their part of those counted; in a job with tiles, the part of the tiles."""

    label: str
    images: int
    share: float
    interval: OfPhotographs
    tiles: int | None = Field(description="Tiles with this label; `null` in a job without tiles.")


class TilesOut(BaseModel):
    """Tiles by answer. ``total`` is ``counted``, ``review``, ``skipped`` and ``beside`` together."""

    total: int
    counted: int = Field(description="Tiles that shares are parts of: of photographs with a final label.")
    photographs: int = Field(description="Photographs that these tiles are of: what the intervals count.")
    diseased: int | None = Field(description="Counted, with no healthy label; `null` where no label is healthy.")
    review: dict[str, int] = Field(description="Tiles of the same photographs that do not count, by reason.")
    skipped: dict[str, int] = Field(description="Tiles of the same photographs that were not classified, by reason.")
    beside: int = Field(description="All tiles of photographs that need a review.")


class SharesOut(BaseModel):
    """Images by result. ``images`` is ``counted``, ``needs_review`` and ``not_classified`` together."""

    images: int = Field(description="Images with a final answer of any kind.")
    counted: int = Field(description="Images with a final label: corrected, or predicted and not in need of review.")
    labels: list[LabelShare] = Field(
        description="The most frequent first. Shares are parts of `counted`; in a job with tiles, of `tiles.counted`."
    )
    diseased: int | None = Field(description="Counted, with no healthy label; `null` where no label is healthy.")
    diseased_share: float | None = Field(description="As a part of the same; `null` where nothing is counted.")
    diseased_interval: OfPhotographs
    needs_review: int
    undecided: int = Field(
        description="Images of `needs_review` that were classified and have no label: their tiles decide nothing."
    )
    review: dict[str, int] = Field(description="Images that need a review, by reason.")
    not_classified: int
    failures: dict[str, int] = Field(description="Images without a classification, by error code.")
    corrected: int
    tiles: TilesOut | None = Field(description="`null` in a job without tiles.")


class GroupOut(SharesOut):
    """Images that have one value of a metadata key; ``null``: that have none."""

    value: str | None


class DayOut(SharesOut):
    """Images of one day; ``null``: that do not say when they were taken."""

    day: str | None


class PositionsOut(BaseModel):
    """The sources of positions, and the reasons why images have none."""

    known: int
    sources: dict[PositionSource, int]
    missing: dict[PositionFault, int]


class UncertainOut(BaseModel):
    """An image to review first."""

    seq: int
    name: str
    label: str = Field(description="As predicted.")
    confidence: float
    review_reason: ReviewReason | None
    latitude: float | None
    longitude: float | None


SHARES_EXAMPLE: dict[str, Any] = {
    "images": 60,
    "counted": 50,
    "labels": [
        {"label": "healthy", "images": 40, "share": 0.8, "interval": [0.669628, 0.887563], "tiles": None},
        {"label": "rust", "images": 10, "share": 0.2, "interval": [0.112437, 0.330372], "tiles": None},
    ],
    "diseased": 10,
    "diseased_share": 0.2,
    "diseased_interval": [0.112437, 0.330372],
    "needs_review": 8,
    "undecided": 0,
    "review": {"low_confidence": 8},
    "not_classified": 2,
    "failures": {"truncated": 2},
    "corrected": 0,
    "tiles": None,
}


class SummaryOut(BaseModel):
    """A job as a whole, as it is now."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "job_id": "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10",
                    "state": "completed_with_errors",
                    "revision": 97,
                    "counts": {
                        "total": 60,
                        "pending": 0,
                        "succeeded": 58,
                        "failed": 2,
                        "rejected": 0,
                        "canceled": 0,
                    },
                    "healthy": ["healthy"],
                    "overall": SHARES_EXAMPLE,
                    "groups": {"row": [{"value": "3", **SHARES_EXAMPLE}]},
                    "time_zone": "UTC",
                    "days": [{"day": "2026-05-14", **SHARES_EXAMPLE}],
                    "positions": {"known": 59, "sources": {"file": 59}, "missing": {"no_metadata": 1}},
                    "uncertain": [
                        {
                            "seq": 7,
                            "name": "DJI_0007.JPG",
                            "label": "rust",
                            "confidence": 0.41,
                            "review_reason": "low_confidence",
                            "latitude": 47.99,
                            "longitude": 7.84,
                        }
                    ],
                }
            ]
        }
    )

    job_id: uuid.UUID
    state: JobState
    revision: int
    counts: Counts
    healthy: list[str] = Field(description="The labels that are no disease.")
    overall: SharesOut
    groups: dict[str, list[GroupOut]] = Field(description="Per key of the request, in the order of its values.")
    time_zone: str
    days: list[DayOut]
    positions: PositionsOut
    uncertain: list[UncertainOut] = Field(
        description="The least certain first; an undecided image has no confidence, and is not among them."
    )


class CellProperties(SharesOut):
    """The results in one square."""

    column: int = Field(description="Squares east of the origin.")
    row: int = Field(description="Squares north of the origin.")


class CellGeometry(BaseModel):
    """A square."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    type: Literal["Polygon"] = "Polygon"
    coordinates: list[list[tuple[float, float]]]


class CutCellGeometry(BaseModel):
    """A square on both sides of the 180th meridian, in two parts (RFC 7946, section 3.1.9)."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    type: Literal["MultiPolygon"] = "MultiPolygon"
    coordinates: list[list[list[tuple[float, float]]]]


class CellFeature(BaseModel):
    """A square with its results."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    type: Literal["Feature"] = "Feature"
    geometry: CellGeometry | CutCellGeometry = Field(discriminator="type")
    properties: CellProperties


class GridOut(BaseModel):
    """RFC 7946, with four members of our own beside ``features``."""

    model_config = ConfigDict(
        json_schema_serialization_defaults_required=True,
        json_schema_extra={
            "examples": [
                {
                    "type": "FeatureCollection",
                    "features": [
                        {
                            "type": "Feature",
                            "geometry": {
                                "type": "Polygon",
                                "coordinates": [
                                    [
                                        [7.84, 47.99],
                                        [7.8401339, 47.99],
                                        [7.8401339, 47.9900899],
                                        [7.84, 47.9900899],
                                        [7.84, 47.99],
                                    ]
                                ],
                            },
                            "properties": {**SHARES_EXAMPLE, "column": 0, "row": 0},
                        }
                    ],
                    "edge": 10.0,
                    "origin": [7.84, 47.99],
                    "healthy": ["healthy"],
                    "without_position": 1,
                }
            ]
        },
    )

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[CellFeature]
    edge: float = Field(description="Of a square, in metres.")
    origin: tuple[float, float] | None = Field(description="Longitude and latitude of a corner of the grid.")
    healthy: list[str]
    without_position: int


def shares_fields(shares: Shares, healthy: Collection[str]) -> dict[str, Any]:
    """Return the fields of :class:`SharesOut`."""
    share = shares.diseased_share(healthy) if healthy else None
    return {
        "images": shares.images,
        "counted": shares.counted,
        "labels": [
            LabelShare(
                label=label,
                images=shares.labels[label],
                share=round(shares.share(label), DIGITS),
                interval=_rounded(shares.interval(label)),
                tiles=None if shares.tiles is None else shares.tiles.labels[label].tiles,
            )
            for label in shares.in_order
        ],
        "diseased": shares.diseased(healthy) if healthy else None,
        "diseased_share": None if share is None else round(share, DIGITS),
        "diseased_interval": _rounded(shares.diseased_interval(healthy)) if healthy else None,
        "needs_review": shares.review.total(),
        "undecided": shares.undecided,
        "review": dict(shares.review),
        "not_classified": shares.failures.total(),
        "failures": dict(shares.failures),
        "corrected": shares.corrected,
        "tiles": None if shares.tiles is None else _tiles_out(shares.tiles, healthy),
    }


def _tiles_out(tiles: TileShares, healthy: Collection[str]) -> TilesOut:
    return TilesOut(
        total=tiles.total,
        counted=tiles.counted,
        photographs=tiles.sample.photographs,
        diseased=tiles.diseased.tiles if healthy else None,
        review=dict(tiles.review),
        skipped=dict(tiles.skipped),
        beside=tiles.beside,
    )


def _rounded(interval: Interval | None) -> tuple[float, float] | None:
    return None if interval is None else (round(interval[0], DIGITS), round(interval[1], DIGITS))


def groups_out(groups: Mapping[str | None, Shares], healthy: Collection[str]) -> list[GroupOut]:
    """Return the groups of one key, in their order."""
    return [GroupOut(value=value, **shares_fields(shares, healthy)) for value, shares in groups.items()]


def days_out(days: Mapping[str | None, Shares], healthy: Collection[str]) -> list[DayOut]:
    """Return the days, in their order."""
    return [DayOut(day=day, **shares_fields(shares, healthy)) for day, shares in days.items()]


def positions_out(positions: Positions) -> PositionsOut:
    """Return the numbers of positions."""
    return PositionsOut(
        known=positions.sources.total(),
        sources={PositionSource(source): images for source, images in positions.sources.items()},
        missing={PositionFault(fault): images for fault, images in positions.missing.items()},
    )


def uncertain_out(rows: Sequence[Row[Any]]) -> list[UncertainOut]:
    """Return the images to look at first."""
    return [
        UncertainOut(
            seq=row.seq,
            name=row.name,
            label=row.predicted,
            confidence=round(row.confidence, DIGITS),
            review_reason=None if row.review is None else ReviewReason(row.review),
            latitude=row.latitude,
            longitude=row.longitude,
        )
        for row in rows
    ]


def grid_out(grid: Grid, healthy: list[str]) -> GridOut:
    """Return a grid as GeoJSON."""
    origin = None if grid.origin is None else (grid.origin.longitude, grid.origin.latitude)
    return GridOut(
        features=[_feature(cell, healthy) for cell in grid.cells],
        edge=grid.edge,
        origin=origin,
        healthy=healthy,
        without_position=grid.without_position,
    )


def _feature(cell: Cell, healthy: list[str]) -> CellFeature:
    rings = [[(round(x, DEGREE_DIGITS), round(y, DEGREE_DIGITS)) for x, y in ring] for ring in cell.rings]
    return CellFeature(
        geometry=CellGeometry(coordinates=rings)
        if len(rings) == 1
        else CutCellGeometry(coordinates=[[r] for r in rings]),
        properties=CellProperties(column=cell.column, row=cell.row, **shares_fields(cell.shares, healthy)),
    )
