"""``/v1/receipts``: what was removed."""

import uuid
from typing import Annotated

from fastapi import Path, Query, Response

from api.answers import answer, problems
from api.deps import Reader, ServicesDep
from api.pages import DEFAULT, Limit, check_limit
from api.receipts.schemas import ReceiptOut, ReceiptPage, receipt_out, receipt_page
from api.routing import Router
from shared.receipts import queries

router = Router(prefix="/v1/receipts", tags=["receipts"])

ReceiptId = Annotated[uuid.UUID, Path(description="Id of the receipt.")]


@router.get("", operation_id="list_receipts", summary="List receipts", response_model=ReceiptPage, responses=problems())
def list_receipts(
    services: ServicesDep,
    caller: Reader,
    job_id: Annotated[uuid.UUID | None, Query(description="Only those of this job, which is gone.")] = None,
    after: Annotated[uuid.UUID | None, Query(description="Cursor: `after` of the page before.")] = None,
    limit: Limit = DEFAULT,
) -> Response:
    """List what was removed of this tenant, newest first; `job_id` also finds a job that is gone."""
    check_limit(limit, services.settings)
    with services.database.begin() as session:
        rows, has_more = queries.list_receipts(session, caller.tenant_id, job_id=job_id, after=after, limit=limit)
    return answer(receipt_page(rows, after=after, has_more=has_more))


@router.get(
    "/{receipt_id}",
    operation_id="get_receipt",
    summary="Get a receipt",
    response_model=ReceiptOut,
    responses=problems(404),
)
def get_receipt(receipt_id: ReceiptId, services: ServicesDep, caller: Reader) -> Response:
    """Return one removal: when and why it was requested, when it was completed, and its counts."""
    with services.database.begin() as session:
        receipt = queries.get_receipt(session, caller.tenant_id, receipt_id)
    return answer(receipt_out(receipt))
