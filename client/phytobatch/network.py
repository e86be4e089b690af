"""From what urllib3 raises to a typed error."""

from __future__ import annotations

from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError, SSLError
from urllib3.exceptions import TimeoutError as TookTooLong

from phytobatch.errors import AnswerTimeout, NetworkError


def network_error(where: str, error: HTTPError) -> NetworkError:
    """Return the typed error for what urllib3 raised. The reason is in words; the address has no query in it."""
    if isinstance(error, SSLError):
        message = f"The certificate of {where} cannot be trusted, or TLS failed: {error}. Nothing was sent."
        return NetworkError(message, retryable="CERTIFICATE_VERIFY_FAILED" not in str(error))
    kind = AnswerTimeout if isinstance(error, ReadTimeoutError) else NetworkError
    reason = _reason(error)
    return kind(f"No answer from {where}: {reason}.", reason=reason)


def _reason(error: HTTPError) -> str:
    # The cause that the operating system gave reads best: "Connection refused" instead of an object's repr.
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    for kind, words in _REASONS:
        if isinstance(error, kind):
            return words
    return type(error).__name__


_REASONS: tuple[tuple[type[HTTPError], str], ...] = (
    (TookTooLong, "it took too long"),
    (ProtocolError, "the connection broke"),
)
