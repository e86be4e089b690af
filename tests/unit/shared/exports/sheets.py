"""Factories: an export without a database."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.contracts.exports import ExportFormat
from shared.contracts.states import JobState
from shared.exports.columns import NO_EXTRAS, Extras, Kind, MetadataKey, Record, Widths, columns_of
from shared.exports.formats import FORMATS
from shared.exports.rows import Page
from shared.exports.sheet import Extent, Sheet
from shared.geography.metric import span_of
from shared.jobs.results import ResultFilter

LABELS = ("healthy", "rust")
WHEN = datetime(2026, 6, 1, 8, 1, 5, tzinfo=UTC)
NASTY_NAMES = (
    "=HYPERLINK(1).jpg",
    "line\nbreak.jpg",
    'quote",comma.jpg',
    "🌿 Blätter/שלום.jpg",
    "<b>&amp;]]>.jpg",
    "-1.jpg",
    "@sum.jpg",
    "\ttab.jpg",
    "bell\x07.jpg",
)


def record(seq: int = 1, **overrides: Any) -> Record:  # noqa: ANN401  # fields of Record
    """An image of rust at a place."""
    fields: dict[str, Any] = {
        "name": f"DJI_{seq:04d}.JPG",
        "status": "succeeded",
        "label": "rust",
        "confidence": 0.97,
        "needs_review": False,
        "latitude": 47.99 + seq * 1e-4,
        "longitude": 7.84 - seq * 1e-4,
        "altitude": 312.5,
        "heading": 271.25,
        "captured_at": WHEN,
        "position_source": "file",
        "probabilities": [0.03, 0.97],
        "classified": True,
        "runtime": "onnxruntime 1",
        "finished_at": WHEN,
    }
    return Record(seq=seq, **{**fields, **overrides})


def nowhere(seq: int = 1, **overrides: Any) -> Record:  # noqa: ANN401  # fields of Record
    """An image without a position."""
    place = {"latitude": None, "longitude": None, "position_source": None, "position_fault": "no_position"}
    return record(seq, **{**place, **overrides})


def sheet(
    records: Sequence[Record],
    *,
    labels: Sequence[str] = LABELS,
    keys: Sequence[tuple[str, Kind]] = (),
    has_more_keys: bool = False,
    extras: Extras = NO_EXTRAS,
    **overrides: Any,  # noqa: ANN401  # fields of Sheet
) -> Sheet:
    """What the plan of these records would be."""
    placed = [r for r in records if r.latitude is not None and r.longitude is not None]
    longitudes = [r.longitude for r in placed if r.longitude is not None]
    latitudes = [r.latitude for r in placed if r.latitude is not None]
    west, east = span_of(longitudes) if placed else (0, 0)
    extent = Extent(west, min(latitudes), east, max(latitudes)) if placed else None
    fields: dict[str, Any] = {
        "job_id": uuid.UUID(int=7),
        "job_name": "North field",
        "state": JobState.COMPLETED,
        "pending": 0,
        "rows": len(records),
        "positioned": len(placed),
        "extent": extent,
        "labels": tuple(labels),
        "columns": columns_of(
            labels,
            ("leaf", "1"),
            [MetadataKey(name, kind, 60) for name, kind in keys],
            has_more_keys=has_more_keys,
            extras=extras,
            widths=Widths(
                name=max((len(r.name.encode()) for r in records), default=0), error_detail=80, note=80, corrected_by=40
            ),
        ),
        "read_at": WHEN,
        "upto": 10**6,
        "only": ResultFilter(),
    }
    return Sheet(**{**fields, **overrides})


def encoded(name: ExportFormat, records: Sequence[Record], *, page_rows: int = 2, **about: Any) -> bytes:  # noqa: ANN401
    """The file of these records, made in small pages."""
    made = sheet(records, **about)
    return b"".join(FORMATS[name].encode(made, pages(records, page_rows)))


def pages(records: Sequence[Record], page_rows: int) -> Iterator[Page]:
    """As they would be read."""
    for start in range(0, len(records), page_rows):
        yield list(records[start : start + page_rows])
