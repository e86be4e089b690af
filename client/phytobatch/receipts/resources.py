"""Receipts as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from phytobatch.moments import parse_moment
from phytobatch.resources import JsonObject, Page


@dataclass(frozen=True)
class Receipt:
    """A removal, with counts and never with content.

    Attributes:
        what: ``job`` or ``originals``.
        reason: ``requested``, ``operator``, ``retention``, ``never_committed`` or ``upload_failed``.
        requested_by: the name of the API key; None where no key asked for it.
        completed_at: None until everything is gone.
        checked_at: when the object store was searched once more for what came late; None before.
        removed: counts of what is gone, and its ``bytes``.
    """

    id: str
    job_id: str
    what: str
    reason: str
    requested_by: str | None
    requested_at: datetime | None
    completed_at: datetime | None
    checked_at: datetime | None
    removed: Mapping[str, int]
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, data: JsonObject) -> Receipt:
        """Read the answers of ``/v1/receipts``."""
        return cls(
            id=data["id"],
            job_id=data["job_id"],
            what=data["what"],
            reason=data["reason"],
            requested_by=data.get("requested_by"),
            requested_at=_time(data, "requested_at"),
            completed_at=_time(data, "completed_at"),
            checked_at=_time(data, "checked_at"),
            removed=data.get("removed") or {},
            raw=data,
        )

    @staticmethod
    def page(data: JsonObject) -> Page[Receipt]:
        """Read the answer of ``GET /v1/receipts``."""
        items = tuple(Receipt.from_json(entry) for entry in data["receipts"])
        return Page(items, data.get("after"), bool(data.get("has_more")))


def _time(data: JsonObject, name: str) -> datetime | None:
    value = data.get(name)
    return None if value is None else parse_moment(str(value))
