"""Submitting one image for an immediate answer, and waiting for it."""

import time
import uuid
from collections.abc import Awaitable, Callable

import anyio

from api.auth import Caller
from api.idempotency import Asked, fingerprint, once
from api.jobs.arrivals import Arrival, Files, check_name, submit_files
from api.multipart.form import Form, ReceivedFile
from api.services import Services
from shared.contracts.job_request import ClassifierRef, JobRequest
from shared.contracts.states import TERMINAL_STATES, ImageErrorCode, Priority
from shared.errors import InvalidRequest, TooManyAtATime, TooManyWaiting
from shared.jobs import queries

FILE_FIELD = "file"
FIRST_LOOK_SECONDS = 0.01
SLOWEST_LOOK_SECONDS = 0.2
# Each look comes this much later than the one before.
SLOWER = 1.2


class ImageNotReadable(InvalidRequest):
    """The image has no classification; ``error_code`` is the image's own."""

    def __init__(self, message: str, *, error_code: str) -> None:
        super().__init__(message, code="image-not-readable")
        self.error_code = error_code


def submit_image(
    services: Services, caller: Caller, form: Form, classifier: str | None, idempotency_key: str | None
) -> tuple[uuid.UUID, bool]:
    """Id of the job of this image, and whether it was made by an earlier, same request. Call it in a thread.

    Raises:
        InvalidRequest: not exactly one file, or an unknown classifier.
        ImageNotReadable: the file is empty.
        StoreUnavailable: the object store is away; nothing is left of the job.
    """
    arrival = Arrival.of(_only_file(form))
    asked = Asked(caller.tenant_id, idempotency_key, fingerprint("POST /predict", [classifier, arrival.identity]))
    with once(services.database, asked, keep_hours=services.settings.idempotency_key_hours) as ticket:
        if ticket.stored:
            return uuid.UUID(ticket.stored.body["id"]), True
        request = JobRequest(
            priority=Priority.INTERACTIVE, classifier=None if classifier is None else ClassifierRef.of(classifier)
        )
        return submit_files(services, caller, request, Files([arrival], are_checked=True), ticket).id, False


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


async def wait_for_answer(
    services: Services, caller: Caller, job_id: uuid.UUID, client_left: Callable[[], Awaitable[bool]]
) -> queries.Answer:
    """Look until the image has a result, the client has left, or the wait is over; once, where no more may wait.

    Between two looks it holds neither a thread nor a connection.

    Raises:
        NotFound: the job was deleted meanwhile.
    """

    def look() -> queries.Answer:
        with services.database.begin() as session:
            return queries.read_answer(session, caller.tenant_id, job_id)

    try:
        place = services.waiting.take(caller.holder)
    except (TooManyAtATime, TooManyWaiting):  # The image is stored: its job is the answer.
        return await services.turns.run(caller.holder, look)
    deadline = time.monotonic() + services.settings.predict_wait_seconds
    pause = FIRST_LOOK_SECONDS
    with place:
        while True:
            found = await services.turns.run(caller.holder, look)
            left = deadline - time.monotonic()
            if found.result is not None or found.job.state in TERMINAL_STATES or left <= 0 or await client_left():
                return found
            await anyio.sleep(min(pause, left))
            pause = min(pause * SLOWER, SLOWEST_LOOK_SECONDS)
