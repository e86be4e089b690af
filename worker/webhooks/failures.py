"""The table of exceptions of an attempt and the error codes for the receiver's operator."""

import socket
import ssl
from collections.abc import Iterator

from shared.contracts.states import AttemptError
from shared.errors import InvalidRequest
from worker.webhooks.answer import AnswerBroken
from worker.webhooks.resolver import AddressRefused

# The first row that matches the exception or one of its causes counts, so special ones come first.
FAILURES: tuple[tuple[type[Exception], AttemptError], ...] = (
    (AddressRefused, AttemptError.ADDRESS_REFUSED),
    (InvalidRequest, AttemptError.URL_REFUSED),
    (TimeoutError, AttemptError.TIMEOUT),
    (ssl.SSLError, AttemptError.TLS_FAILED),
    (socket.gaierror, AttemptError.NAME_NOT_FOUND),
    (AnswerBroken, AttemptError.ANSWER_BROKEN),
    (OSError, AttemptError.CONNECTION_FAILED),
)


def failure(error: Exception) -> AttemptError | None:
    """Return the code of an exception or of one of its causes, or None if no row matches."""
    causes = tuple(_causes(error))
    return next((word for kind, word in FAILURES if any(isinstance(cause, kind) for cause in causes)), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__
