"""Reading receipts. Every query names the tenant."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.db.models import Receipt
from shared.errors import NotFound


def get_receipt(session: Session, tenant_id: uuid.UUID, receipt_id: uuid.UUID) -> Receipt:
    """Read a receipt.

    Raises:
        NotFound: this tenant has no such receipt.
    """
    rows = session.scalars(select(Receipt).where(Receipt.id == receipt_id, Receipt.tenant_id == tenant_id))
    receipt = rows.one_or_none()
    if receipt is None:
        raise NotFound(f"there is no receipt {receipt_id}")
    return receipt


def list_receipts(
    session: Session, tenant_id: uuid.UUID, *, job_id: uuid.UUID | None, after: uuid.UUID | None, limit: int
) -> tuple[Sequence[Receipt], bool]:
    """Read a page of a tenant's receipts, of one job or of all, newest first, and whether there are more."""
    query = select(Receipt).where(Receipt.tenant_id == tenant_id).order_by(Receipt.id.desc()).limit(limit + 1)
    if job_id is not None:
        query = query.where(Receipt.job_id == job_id)
    if after is not None:
        query = query.where(Receipt.id < after)
    receipts = session.scalars(query).all()
    return receipts[:limit], len(receipts) > limit
