"""Summaries and grids on the wire."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row

from api.wire.jobs import Counts
from shared.contracts.geography import PositionFault, PositionSource
from shared.contracts.manifest import ReviewReason
from shared.contracts.states import JobState
from shared.summaries.grid import Cell, Grid
from shared.summaries.positions import Positions
from shared.summaries.shares import Shares

DIGITS = 6
# Seven decimals of a degree are a centimetre (RFC 7946, section 11.2, asks for no more than is known).
DEGREE_DIGITS = 7


class LabelShare(BaseModel):
    """Images with one label, and their part of those counted."""

    label: str
    images: int
    share: float


class SharesOut(BaseModel):
    """Images by result. ``images`` is ``counted``, ``needs_review`` and ``not_classified`` together."""

    images: int = Field(description="Images with a final answer of any kind.")
    counted: int = Field(description="Images with a final label: corrected, or predicted and not in need of review.")
    labels: list[LabelShare] = Field(description="The most frequent first; shares are parts of `counted`.")
    diseased: int | None = Field(description="Counted, with no healthy label; `null` where no label is healthy.")
    diseased_share: float | None = Field(description="As a part of `counted`; `null` where nothing is counted.")
    needs_review: int
    review: dict[str, int] = Field(description="Images that need a review, by reason.")
    not_classified: int
    failures: dict[str, int] = Field(description="Images without a classification, by error code.")
    corrected: int


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
    "labels": [{"label": "healthy", "images": 40, "share": 0.8}, {"label": "rust", "images": 10, "share": 0.2}],
    "diseased": 10,
    "diseased_share": 0.2,
    "needs_review": 8,
    "review": {"low_confidence": 8},
    "not_classified": 2,
    "failures": {"truncated": 2},
    "corrected": 0,
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
    uncertain: list[UncertainOut] = Field(description="The least certain first.")


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
    diseased = shares.diseased(healthy) if healthy else None
    return {
        "images": shares.images,
        "counted": shares.counted,
        "labels": [
            LabelShare(label=label, images=images, share=round(shares.share(label), DIGITS))
            for label, images in sorted(shares.labels.items(), key=lambda one: (-one[1], one[0]))
        ],
        "diseased": diseased,
        "diseased_share": None if diseased is None or not shares.counted else round(diseased / shares.counted, DIGITS),
        "needs_review": shares.review.total(),
        "review": dict(shares.review),
        "not_classified": shares.failures.total(),
        "failures": dict(shares.failures),
        "corrected": shares.corrected,
    }


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
