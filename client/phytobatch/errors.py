"""Every error that the client raises.

PhytobatchError
|- ConfigurationError      no key, a bad address, an option that has no sense: nothing was asked of the server
|- NetworkError            no answer arrived; ``retryable`` is false for a certificate that cannot be trusted
|  |- AnswerTimeout        the request was sent, and the answer did not come in time
|- ApiError                the server answered with a problem (RFC 9457): code, status, detail, request_id
|  |- AuthError            401, 403
|  |- NotFound             404
|  |- Conflict             409
|  |- InvalidRequest       any other 4xx: the request can never work as it is
|  |- LimitExceeded        413, 429, or the problem code ``limit-exceeded``
|  |- ServerUnavailable    5xx
|- UploadError             the object store did not take a file
|  |- UploadUrlExpired     403: the presigned URL is too old; ask for another
|  |- UploadRefused        another 4xx: permanent for these bytes
|- DownloadError           the object store did not give a file, or what it gave broke off
|  |- DownloadRefused      there is no such file (any more)
|- ExportFailed            an export will never have a file; the message says why
|- FileUnreadable          a local file vanished or cannot be read
|- FileChanged             a local file is not what it was when it was registered
|- StateFileError          the journal of an unfinished submission cannot be used
|- WaitTimeout             the job did not end in the time given
|- VerificationError       what claims to be a webhook is not from the server, is not for us, or is too old
|- Interrupted             the stop of the submission was requested; it can be resumed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

# Busy or briefly away: the same request may work later (RFC 9110 sections 15.5.9, 15.6; RFC 6585 section 4).
RETRYABLE_STATUSES = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
STILL_RUNNING = "idempotency-key-in-use"
RATE_LIMITED = "rate-limited"
REFUSED_WHOLE = frozenset({RATE_LIMITED, "quota-exceeded", "too-many-at-a-time"})
# Not repeated: whoever cannot wait for an answer now can still ask without waiting.
TOO_MANY_WAITING = "too-many-waiting"


class PhytobatchError(Exception):
    """Base of all. ``str(error)`` is a sentence that says what to do."""


class ConfigurationError(PhytobatchError):
    """The configuration lacks something, or makes no sense."""


class NetworkError(PhytobatchError):
    """No answer arrived.

    Attributes:
        retryable: whether the same request may work later.
        reason: in two or three words, as ``Connection refused``.
    """

    def __init__(self, message: str, *, retryable: bool = True, reason: str = "no answer") -> None:
        super().__init__(message)
        self.retryable = retryable
        self.reason = reason
        # Nobody knows what became of the request.
        self.did_nothing = False


class AnswerTimeout(NetworkError):
    """The request was sent, and the answer, or the rest of it, did not come in time."""


@dataclass(frozen=True)
class FieldError:
    """One entry of ``errors`` in a problem: what in the body does not fit, and why."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


@dataclass(frozen=True)
class Problem:
    """An answer of RFC 9457, or what could be read of an answer that is none.

    Attributes:
        retry_after: seconds, from the header ``Retry-After`` (RFC 9110 section 10.2.3).
        error_code: the code of an unreadable image (``POST /predict``).
        setting: the server's variable that holds the limit.
        instance: path of the request.
        quota: ``name``, ``limit``, ``current`` and ``requested``, of ``quota-exceeded``.
    """

    status: int
    code: str
    title: str
    detail: str = ""
    request_id: str | None = None
    errors: Sequence[FieldError] = ()
    retry_after: float | None = None
    error_code: str | None = None
    setting: str | None = None
    instance: str | None = None
    quota: Mapping[str, Any] | None = None


class ApiError(PhytobatchError):
    """The server answered with a problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        sentence = problem.detail or problem.title
        fields = "; ".join(str(error) for error in problem.errors)
        super().__init__(f"{sentence} ({fields})" if fields else sentence)

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.problem.status

    @property
    def code(self) -> str:
        """Stable code: the last part of the problem's ``type``."""
        return self.problem.code

    @property
    def detail(self) -> str:
        """The server's sentence that says what to do."""
        return self.problem.detail

    @property
    def request_id(self) -> str | None:
        """Id under which the server logged the request."""
        return self.problem.request_id

    @property
    def retryable(self) -> bool:
        """True if the same request may work later."""
        if self.code == TOO_MANY_WAITING:
            return False
        return self.status in RETRYABLE_STATUSES or self.code == STILL_RUNNING

    @property
    def did_nothing(self) -> bool:
        """True if the server surely did nothing of the request, so that it can be sent again whatever it was."""
        return self.code in REFUSED_WHOLE


class AuthError(ApiError):
    """401 or 403: no key, a wrong key, or a key whose scopes are not enough."""


class NotFound(ApiError):
    """404: it does not exist, or belongs to another tenant."""


class Conflict(ApiError):
    """409: the state of the thing does not allow this."""


class InvalidRequest(ApiError):
    """Any other 4xx: the request can never work as it is."""


class LimitExceeded(ApiError):
    """413, 429 or ``limit-exceeded``: more than the server takes, at all or at a time."""


class ServerUnavailable(ApiError):
    """5xx: the server cannot answer now."""


class UploadError(PhytobatchError):
    """The object store did not take a file.

    Attributes:
        status: HTTP status of the object store.
        code: its error code, as ``SlowDown``; empty where the answer had none.
    """

    def __init__(self, message: str, *, status: int, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class UploadUrlExpired(UploadError):
    """403: the presigned URL is too old, or is not signed for this request."""


class UploadRefused(UploadError):
    """Another 4xx: the object store will never take these bytes under this URL."""


class DownloadError(PhytobatchError):
    """The object store did not give a file."""


class DownloadRefused(DownloadError):
    """There is no such file, or it was removed."""


class ExportFailed(PhytobatchError):
    """An export that will never have a file."""


class FileUnreadable(PhytobatchError):
    """A local file vanished or cannot be read."""


class FileChanged(PhytobatchError):
    """A local file is not what it was when it was registered."""


class StateFileError(PhytobatchError):
    """The journal of an unfinished submission is damaged, in use, or belongs to other options."""


class WaitTimeout(PhytobatchError):
    """The end of a wait that was too long; the server goes on by itself."""


class VerificationError(PhytobatchError):
    """A webhook that must not be believed: it is not signed with the secret, or is too old. Answer it with 400."""


class Interrupted(PhytobatchError):
    """The stop of the submission was requested; it can be resumed."""
