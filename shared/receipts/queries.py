"""Reading receipts. Every query names the tenant."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.db.models import Receipt
from shared.errors import NotFound


def get_receipt(session: Session, tenant_id: uuid.UUID, receipt_id: uuid.UUID) -> Receipt:
    """One receipt.

    Raises:
        NotFound: this tenant has no such receipt.
    """
    found = session.scalars(select(Receipt).where(Receipt.id == receipt_id, Receipt.tenant_id == tenant_id))
    receipt = found.one_or_none()
    if receipt is None:
        raise NotFound(f"there is no receipt {receipt_id}")
    return receipt


def list_receipts(
    session: Session, tenant_id: uuid.UUID, *, job_id: uuid.UUID | None, after: uuid.UUID | None, limit: int
) -> tuple[Sequence[Receipt], bool]:
    """A page of a tenant's receipts, of one job or of all, newest first, and whether there are more."""
    wanted = select(Receipt).where(Receipt.tenant_id == tenant_id).order_by(Receipt.id.desc()).limit(limit + 1)
    if job_id is not None:
        wanted = wanted.where(Receipt.job_id == job_id)
    if after is not None:
        wanted = wanted.where(Receipt.id < after)
    found = session.scalars(wanted).all()
    return found[:limit], len(found) > limit
