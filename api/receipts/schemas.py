"""Receipts on the wire."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.links import link
from shared.contracts.receipts import RemovalReason, Removed
from shared.db.models import Receipt

RECEIPT_EXAMPLE: dict[str, Any] = {
    "id": "01934f7a-11d2-7c33-9a41-0c5be2f7a8d4",
    "job_id": "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10",
    "what": "job",
    "reason": "requested",
    "requested_by": "field office",
    "requested_at": "2026-06-01T09:00:00Z",
    "completed_at": "2026-06-01T09:00:02Z",
    "checked_at": None,
    "removed": {"images": 60, "results": 60, "events": 4, "objects": 60, "bytes": 28800000},
}


class ReceiptOut(BaseModel):
    """One removal."""

    model_config = ConfigDict(json_schema_extra={"examples": [RECEIPT_EXAMPLE]})

    id: uuid.UUID
    job_id: uuid.UUID
    what: Removed = Field(description="`job`: everything; `originals`: its uploads, the results stay.")
    reason: RemovalReason
    requested_by: str | None = Field(description="Name of the API key; `null`: the service by itself.")
    requested_at: datetime
    completed_at: datetime | None = Field(description="`null` while it is in flight.")
    checked_at: datetime | None = Field(
        description="Moment of a second check, after the last upload URL had expired; late uploads are removed too."
    )
    removed: dict[str, int] = Field(description="Rows by kind, objects of the object store and their bytes.")


class ReceiptPage(BaseModel):
    """A page of receipts, newest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"receipts": [RECEIPT_EXAMPLE], "after": RECEIPT_EXAMPLE["id"], "has_more": True}]
        }
    )

    receipts: list[ReceiptOut]
    after: str | None = Field(description="Cursor for the next page; `null` when there is nothing.")
    has_more: bool


def receipt_path(receipt_id: uuid.UUID) -> str:
    """Return the path of a receipt on this server."""
    return link(f"/v1/receipts/{receipt_id}")


def receipt_out(receipt: Receipt) -> ReceiptOut:
    """Return a receipt as clients see it."""
    return ReceiptOut(
        id=receipt.id,
        job_id=receipt.job_id,
        what=Removed(receipt.what),
        reason=RemovalReason(receipt.reason),
        requested_by=receipt.requested_by,
        requested_at=receipt.requested_at,
        completed_at=receipt.completed_at,
        checked_at=receipt.checked_at,
        removed=receipt.removed,
    )


def receipt_page(rows: Sequence[Receipt], *, after: uuid.UUID | None, has_more: bool) -> ReceiptPage:
    """Make a page; an empty one returns the caller's own cursor."""
    last = rows[-1].id if rows else after
    return ReceiptPage(
        receipts=[receipt_out(row) for row in rows], after=None if last is None else str(last), has_more=has_more
    )
