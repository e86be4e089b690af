"""The errors that cross a border between parts.

    PhytobatchError
    |- NotFound                the requested thing does not exist, or belongs to another tenant
    |  |- NoTiles              the image was answered as a whole
    |  |- NoExplanation        the classifier has no map, or the tile no label
    |- Conflict                the state of the thing does not allow this
    |  |- IdempotencyInProgress
    |- InvalidRequest          the request can never work as it is
    |  |- LimitExceeded
    |  |- IdempotencyMismatch
    |  |- NotAcceptable        no such format, or none that the client accepts
    |  |- RowsInvalid          lines of a table that the client sent
    |- Unauthenticated         no key, a wrong key, an expired or revoked key
    |- Forbidden               the key is good, its scopes are not enough
    |- QuotaExceeded           the tenant has used up its quota; there is room again later
    |  |- QuotaTooSmall        it would not fit if there were nothing else
    |- RateLimited             too many requests of one key in a short time
    |  |- TooManyAtATime       one key, or one tenant, holds its share of a process
    |- Unavailable             infrastructure is away; try again
    |  |- StoreUnavailable     the object store
    |  |- DatabaseUnavailable
    |  |- NoRoom               this process has no room for more uploads, on its disk or in total
    |  |- TooManyWaiting       this process has reached its maximum of waiting clients
    |- ObjectMissing           one object does not exist (permanent for its image)
    |- ObjectTooLarge          one object is over the limit (permanent for its image)
    |- ConfigurationError      an environment variable is missing or wrong; the program does not start
    |- LeaseLost               the chunk belongs to another worker now: abandon it, write nothing

``code`` is stable and becomes the last part of the problem type of RFC 9457.
"""

from collections.abc import Mapping, Sequence


class PhytobatchError(Exception):
    """Base of these errors. ``str(error)`` is a sentence for the person who gets it and says what to do."""

    code = "internal-error"


class NotFound(PhytobatchError):
    code = "not-found"


class NoTiles(NotFound):
    """The image has no map of tiles."""

    code = "no-tiles"


class NoExplanation(NotFound):
    """Nothing can be said of why the tile has its label: it has none, or the classifier has no map."""

    code = "no-explanation"


class Conflict(PhytobatchError):
    code = "conflict"

    def __init__(self, message: str, *, code: str = "conflict") -> None:
        super().__init__(message)
        self.code = code


class IdempotencyInProgress(Conflict):
    """Another request with the same Idempotency-Key is still running."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="idempotency-key-in-use")


class InvalidRequest(PhytobatchError):
    code = "invalid-request"

    def __init__(self, message: str, *, code: str = "invalid-request") -> None:
        super().__init__(message)
        self.code = code


class LimitExceeded(InvalidRequest):
    """A named limit is exceeded; ``setting`` is the environment variable that holds it."""

    def __init__(self, message: str, *, setting: str) -> None:
        super().__init__(message, code="limit-exceeded")
        self.setting = setting


class IdempotencyMismatch(InvalidRequest):
    """The same Idempotency-Key came with another body."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="idempotency-key-reused")


class NotAcceptable(InvalidRequest):
    """The client accepts none of the existing formats."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="not-acceptable")


class RowsInvalid(InvalidRequest):
    """Lines of a table are invalid; ``rows`` are (``line 7``, the fault in words). Nothing was stored."""

    def __init__(self, message: str, rows: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message, code="rows-invalid")
        self.rows = rows


class Unauthenticated(PhytobatchError):
    code = "unauthenticated"


class Forbidden(PhytobatchError):
    code = "forbidden"


class QuotaExceeded(PhytobatchError):
    """The quota of a tenant is used up.

    ``quota`` is ``{"name", "limit", "current", "requested"}``; ``setting`` holds the quota of tenants without one of
    their own; ``retry_after`` is in seconds, ``None`` if waiting does not help.
    """

    code = "quota-exceeded"

    def __init__(
        self, message: str, *, quota: Mapping[str, str | int], setting: str, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.quota = quota
        self.setting = setting
        self.retry_after = retry_after


class QuotaTooSmall(QuotaExceeded):
    """The request is larger than the whole quota."""


class RateLimited(PhytobatchError):
    """Try again after ``retry_after`` seconds."""

    code = "rate-limited"

    def __init__(self, message: str, *, retry_after: int, setting: str) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.setting = setting


class TooManyAtATime(RateLimited):
    """A key or a tenant holds its share of a process; ``setting`` says how large the share is."""

    def __init__(self, message: str, *, code: str, retry_after: int, setting: str) -> None:
        super().__init__(message, retry_after=retry_after, setting=setting)
        self.code = code


class Unavailable(PhytobatchError):
    """Try again after ``retry_after`` seconds."""

    code = "temporarily-unavailable"
    retry_after = 5


class StoreUnavailable(Unavailable):
    code = "object-store-unavailable"


class DatabaseUnavailable(Unavailable):
    code = "database-unavailable"


class NoRoom(Unavailable):
    code = "no-room"


class TooManyWaiting(Unavailable):
    code = "too-many-waiting"


class ObjectMissing(PhytobatchError):
    code = "object-missing"


class ObjectTooLarge(PhytobatchError):
    code = "object-too-large"


class ConfigurationError(PhytobatchError):
    code = "configuration"


class LeaseLost(PhytobatchError):
    code = "lease-lost"


class StoredMapInvalid(PhytobatchError):
    """A stored map of tiles cannot be read: a newer program wrote it, or it is damaged."""
