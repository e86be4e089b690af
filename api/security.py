"""Security headers, and the hosts and origins that the API serves."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from shared.addresses import public
from shared.settings import Settings

# An answer is data: it is never guessed at, framed, or sent along as a referrer, and no page embeds it by a tag.
SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NO_CONTENT = "default-src 'none'; frame-ancestors 'none'"
MANUAL_PATH = "/docs"
# Swagger UI: all of its files are ours; its icons stand in its styles as data.
CONTENT_OF_THE_MANUAL = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

# Probes ask by the address of the machine, whatever the service is called.
PROBES = frozenset({"/healthz", "/readyz"})
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SENT = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "Last-Event-ID",
    "X-API-Key",
    "X-Request-Id",
    "traceparent",
)
READ = (
    "Content-Disposition",
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Phytobatch-Pending",
    "X-Request-Id",
)
PREFLIGHT_SECONDS = 600


class TransportSecurity:
    """A middleware that tells browsers that came by TLS to come by TLS alone (HSTS, RFC 6797).

    Not by plain HTTP, where anybody could have said it, and not on ``localhost``, where other programs live, too.
    """

    def __init__(self, app: ASGIApp, seconds: int) -> None:
        self._app = app
        self._policy = f"max-age={seconds}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http" or scope["scheme"] != "https" or _is_local(Headers(scope=scope).get("host", "")):
            await self._app(scope, receive, send)
            return

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Strict-Transport-Security"] = self._policy
            await send(message)

        await self._app(scope, receive, send_with_policy)


def _is_local(host: str) -> bool:
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    return name == "localhost" or name.endswith(".localhost")


class TrustedHosts:
    """Starlette's check of ``Host``, with a problem as its answer; probes are let through."""

    def __init__(self, app: ASGIApp, hosts: list[str]) -> None:
        self._app = app
        self._check = TrustedHostMiddleware(_passed, hosts, www_redirect=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self._app(scope, receive, send)
            return
        seen = {**scope, "state": {}}
        await self._check(seen, receive, _unsent)
        if seen["state"]:
            await self._app(scope, receive, send)
            return
        refusal = problem(
            Request(scope),
            HTTPStatus.MISDIRECTED_REQUEST,
            "host-unknown",
            "this server is not there for the host that was asked for; the operator lists them in "
            "PHYTOBATCH_TRUSTED_HOSTS",
            title="Another host",
        )
        await refusal(scope, receive, send)


async def _passed(scope: Scope, _receive: Receive, _send: Send) -> None:
    scope["state"]["host_is_known"] = True


async def _unsent(_: Message) -> None:
    """Drop the answer of Starlette, which is text; ours is a problem."""


def install(app: FastAPI, settings: Settings) -> None:
    """Add the checks that are configured; without settings there is none.

    Raises:
        ConfigurationError: an origin or a host is none, or a proxy, of which uvicorn is told, is no address.
    """
    public.trusted_proxies(settings.trusted_proxies)  # uvicorn reads them itself, and refuses none.
    if hosts := public.trusted_hosts(settings.trusted_hosts):
        app.add_middleware(TrustedHosts, hosts=hosts)
    if origins := public.cors_origins(settings.cors_origins):
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=METHODS,
            allow_headers=SENT,
            expose_headers=READ,
            allow_credentials=False,
            max_age=PREFLIGHT_SECONDS,
        )
