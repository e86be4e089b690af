"""The sender of attempts: one POST to one checked address, and the receiver's answer."""

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version

import structlog

from shared.contracts.states import AttemptError
from shared.errors import InvalidRequest
from shared.webhooks.signing import signature_header
from shared.webhooks.urls import Policy
from worker.webhooks.answer import AnswerBroken, AnswerReader, excerpt, retry_after
from worker.webhooks.connection import Place, connect, request
from worker.webhooks.message import Attempt, Message
from worker.webhooks.resolver import AddressRefused, CheckedResolver, NameLookups, Resolve, system_lookup

SUCCESS = range(200, 300)
REDIRECTS = range(300, 400)
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
log = structlog.get_logger()


@dataclass(slots=True)
class _Answer:
    """The part of an answer that has come; it counts even if the rest never comes."""

    status: int | None = None
    retry_after: float | None = None
    body: bytearray = field(default_factory=bytearray)


class Sender:
    """A maker of concurrent attempts. Create it inside the event loop, and close it.

    Every attempt has a connection of its own, to an address that was checked for it. The environment gives the trusted
    certificates (``SSL_CERT_FILE``) and nothing else: no proxy, no ``.netrc``.

    Args:
        policy: where webhooks may go.
        timeout_seconds: the limit of one whole attempt: name, connection, TLS, answer.
        resolver: a blocking look-up of a name; it is called in threads.
        ssl_context: the trusted authorities; by default those of the system.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        timeout_seconds: float,
        resolver: Resolve = system_lookup,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._timeout_seconds = timeout_seconds
        self._trusted = ssl_context or ssl.create_default_context()
        self._lookups = NameLookups(resolver)
        self._open: set[asyncio.StreamWriter] = set()
        self._user_agent = f"Phytobatch-Webhooks/{version('phytobatch')}"

    async def close(self) -> None:
        """Abort the connections of attempts in flight."""
        for writer in self._open:
            writer.transport.abort()

    async def send(self, message: Message) -> Attempt:
        """Make one attempt. It raises only ``CancelledError``; an error is in the returned attempt.

        A receiver has the message once its status and headers have come: a 2xx counts even if it has more headers than
        are read, and if its body is cut at 64 kB, breaks off, or trickles until the deadline.
        """
        started = time.monotonic()
        answer = _Answer()
        places: list[Place] = []
        error: AttemptError | None = None
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._exchange(message, answer, places)
        except Exception as raised:  # noqa: BLE001  # every attempt must be recorded
            error = _error_of(raised, message) if answer.status is None else None
        return Attempt(
            milliseconds=round((time.monotonic() - started) * 1000),
            status=answer.status,
            error=AttemptError.REDIRECTED if answer.status in REDIRECTS else error,
            retry_after=answer.retry_after,
            response=excerpt(answer.body) if all(self._policy.shows(*place) for place in places) else None,
        )

    async def _exchange(self, message: Message, answer: _Answer, places: list[Place]) -> None:
        target = self._policy.check(message.url)
        posted = request(target, self._headers(message), message.body)
        resolver = CheckedResolver(self._lookups, self._policy, scheme=target.scheme)
        stream, writer = await connect(resolver, target, self._trusted, places)
        self._open.add(writer)
        ended = False
        try:
            writer.write(posted)
            reader = AnswerReader(stream)
            head = await reader.head()
            answer.status = head.status
            if head.status not in SUCCESS:
                answer.retry_after = retry_after(head.first(b"retry-after"), now=message.timestamp)
            ended = await reader.body(head, answer.body)
        finally:
            self._open.discard(writer)
            # No connection is reused: each attempt checks the addresses. A receiver that goes on sending is cut off.
            if ended:
                writer.close()
            else:
                writer.transport.abort()

    def _headers(self, message: Message) -> dict[str, str]:
        signatures = signature_header(
            message.secrets, webhook_id=message.webhook_id, timestamp=message.timestamp, body=message.body
        )
        return {
            "webhook-id": message.webhook_id,
            "webhook-timestamp": str(message.timestamp),
            "webhook-signature": signatures,
            "Content-Type": "application/json",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "User-Agent": self._user_agent,
        }


def _error_of(error: Exception, message: Message) -> AttemptError:
    """Return the code of an exception, by itself or by one of its causes; an unknown one is logged."""
    causes = tuple(_causes(error))
    for kind, code in FAILURES:
        if any(isinstance(cause, kind) for cause in causes):
            return code
    log.error("attempt_broke", delivery=str(message.delivery_id), exc_info=error)
    return AttemptError.CONNECTION_FAILED


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__
