"""One attempt: one POST to one address that was checked, and what the receiver said."""

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from ipaddress import ip_address

import aiohttp
import structlog
from yarl import URL

from shared.contracts.states import AttemptError
from shared.errors import InvalidRequest
from shared.webhooks.addresses import Address
from shared.webhooks.signing import signature_header
from shared.webhooks.urls import Policy, Target
from worker.webhooks.answer import excerpt, read_start, retry_after
from worker.webhooks.failures import failure
from worker.webhooks.message import Attempt, Message
from worker.webhooks.resolver import CheckedResolver, Names, Resolve, system, tried

SUCCESS = range(200, 300)
REDIRECTS = range(300, 400)
# One deadline is over all; a second clock inside would only hide which one rang.
NO_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)

log = structlog.get_logger()


@dataclass(slots=True)
class _Answer:
    """What has come of an answer so far: it counts also when the rest does not come."""

    status: int | None = None
    retry_after: float | None = None
    body: bytearray = field(default_factory=bytearray)


class Sender:
    """Makes attempts, many at a time. Make it inside of the event loop, and close it.

    Every attempt has a connection of its own, to an address that was checked for it. Nothing is taken from the
    environment but the certificates that the system trusts (``SSL_CERT_FILE``): no proxy, no ``.netrc``.

    Args:
        policy: where webhooks may go.
        timeout_seconds: for one attempt as a whole: name, connection, TLS, answer.
        resolver: looks a name up, blocking; called in threads.
        ssl_context: whom to trust; those that the system trusts unless told otherwise.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        timeout_seconds: float,
        resolver: Resolve = system,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._timeout_seconds = timeout_seconds
        trusted = ssl_context or ssl.create_default_context()
        names = Names(resolver)
        # One for each scheme, because the scheme decides which addresses are allowed.
        self._sessions = {scheme: _session(policy, names, scheme, trusted) for scheme in ("https", "http")}
        self._user_agent = f"Phytobatch-Webhooks/{version('phytobatch')}"

    async def close(self) -> None:
        """Close the connections that are still open."""
        for session in self._sessions.values():
            await session.close()

    async def send(self, message: Message) -> Attempt:
        """Make one attempt. It raises nothing but ``CancelledError``; what went wrong stands in the answer.

        A receiver has the message once its status and headers are here: a 2xx counts also when its body is cut at
        64 kB, breaks off, or drips until the deadline.
        """
        started = time.monotonic()
        answer = _Answer()
        places: list[tuple[Address, int]] = []
        tried.set(places)
        error: AttemptError | None = None
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._exchange(message, answer)
        except Exception as raised:  # noqa: BLE001  # the attempt has to be recorded, whatever happened
            error = _word(raised, message) if answer.status is None else None
        return Attempt(
            milliseconds=round((time.monotonic() - started) * 1000),
            status=answer.status,
            error=AttemptError.REDIRECTED if answer.status in REDIRECTS else error,
            retry_after=answer.retry_after,
            response=excerpt(answer.body) if all(self._policy.shows(*place) for place in places) else None,
        )

    async def _exchange(self, message: Message, answer: _Answer) -> None:
        target = self._policy.check(message.url)
        async with self._sessions[target.scheme].post(
            _same(target), data=message.body, headers=self._headers(message), allow_redirects=False
        ) as response:
            answer.status = response.status
            if response.status not in SUCCESS:
                answer.retry_after = retry_after(response.headers.get("Retry-After"), now=message.timestamp)
            await read_start(response.content, answer.body)

    def _headers(self, message: Message) -> dict[str, str]:
        signatures = signature_header(
            message.secrets, webhook_id=message.webhook_id, timestamp=message.timestamp, body=message.body
        )
        return {
            "webhook-id": message.webhook_id,
            "webhook-timestamp": str(message.timestamp),
            "webhook-signature": signatures,
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": self._user_agent,
        }


def _session(policy: Policy, names: Names, scheme: str, trusted: ssl.SSLContext) -> aiohttp.ClientSession:
    resolver = CheckedResolver(names, policy, scheme=scheme)
    connector = aiohttp.TCPConnector(
        resolver=resolver,
        use_dns_cache=False,
        force_close=True,  # no connection is used twice: each attempt checks the addresses
        limit=0,  # the deliverer says how many attempts are made at a time
        ssl=trusted,
        socket_factory=resolver.make_socket,
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=NO_TIMEOUT,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # a small answer could become a large one
        trust_env=False,
    )


def _same(target: Target) -> URL:
    """The URL as aiohttp reads it, if it reads what was checked.

    Raises:
        InvalidRequest: it reads another host, port or scheme.
    """
    url = URL(target.url, encoded=True)
    if (url.scheme, _canonical(url.raw_host), url.port) != (target.scheme, target.host, target.port):
        raise InvalidRequest("two parsers disagree about this URL; use a simpler one", code="webhook-url-refused")
    return url


def _canonical(host: str | None) -> str:
    try:
        return str(ip_address(host or ""))
    except ValueError:
        return (host or "").lower()


def _word(error: Exception, message: Message) -> AttemptError:
    word = failure(error)
    if word is None:
        log.error("attempt_broke", delivery=str(message.delivery_id), exc_info=error)
    return word or AttemptError.CONNECTION_FAILED
