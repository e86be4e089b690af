"""Submitting one image for an immediate answer, and waiting for it."""

import uuid
from contextlib import suppress

from fastapi import Request

from api.auth import Caller
from api.idempotency import RepeatableRequest, fingerprint, once
from api.jobs.arrivals import Arrival, Files, check_name, submit_files
from api.multipart.form import Form, ReceivedFile
from api.predict.query import Order
from api.services import Services
from api.waiting.answer import Patience, wait_for
from api.waiting.hub import Purpose
from shared.contracts.states import ImageErrorCode
from shared.errors import InvalidRequest, TooManyAtATime, TooManyWaiting
from shared.jobs import queries

FILE_FIELD = "file"


class ImageNotReadable(InvalidRequest):
    """The image has no classification; ``error_code`` is the image's own."""

    def __init__(self, message: str, *, error_code: str) -> None:
        super().__init__(message, code="image-not-readable")
        self.error_code = error_code


def submit_image(
    services: Services, caller: Caller, form: Form, wanted: Order, idempotency_key: str | None
) -> tuple[uuid.UUID, bool]:
    """Return the id of the job of this image, and whether an earlier, same request made it. Call it in a thread.

    Raises:
        InvalidRequest: not exactly one file, an unknown classifier, or one that has not learned the tiles.
        ImageNotReadable: the file is empty.
        StoreUnavailable: the object store is away; nothing is left of the job.
    """
    arrival = Arrival.of(_only_file(form))
    content: list[object] = [wanted.classifier, arrival.identity]
    if wanted.younger:
        content.append(wanted.younger)
    repeatable = RepeatableRequest(caller.tenant_id, idempotency_key, fingerprint("POST /predict", content))
    with once(services.database, repeatable, keep_hours=services.settings.idempotency_key_hours) as ticket:
        if ticket.stored:
            return uuid.UUID(ticket.stored.body["id"]), True
        return submit_files(services, caller, wanted.request, Files([arrival], are_checked=True), ticket).id, False


def _only_file(form: Form) -> ReceivedFile:
    if len(form.files) != 1 or form.files[0].field != FILE_FIELD or form.fields:
        raise InvalidRequest(f"send exactly one part, {FILE_FIELD!r}, with a file name; got {_parts(form)}")
    file = form.files[0]
    check_name(file.name)
    if file.size == 0:
        raise ImageNotReadable("the file is empty", error_code=ImageErrorCode.EMPTY)
    return file


def _parts(form: Form) -> str:
    names = [*form.fields, *(file.field for file in form.files)]
    return ", ".join(repr(name) for name in names) or "none"


async def wait_for_answer(services: Services, caller: Caller, job_id: uuid.UUID, request: Request) -> queries.Answer:
    """Wait until the job is over, the client has left, or the time is up; not at all, when no more clients may wait.

    Raises:
        NotFound: the job was deleted meanwhile.
        DatabaseUnavailable: Postgres is away.
    """
    patience = Patience(services.settings.predict_wait_seconds, purpose=Purpose.ANSWER)
    with suppress(TooManyAtATime, TooManyWaiting):  # The image is stored: its job is the answer.
        await wait_for(services.hub, request, caller.holder, job_id, patience)
    return await services.turns.run(caller.holder, _read, services, caller, job_id)


def _read(services: Services, caller: Caller, job_id: uuid.UUID) -> queries.Answer:
    with services.database.begin() as session:
        return queries.read_answer(session, caller.tenant_id, job_id)
