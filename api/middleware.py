"""The id and the log line of every request. Plain ASGI, so that bodies and answers stream through."""

import re
import secrets
import time

import structlog
from fastapi import Request
from opentelemetry import trace
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import internal_error
from api.security import CONTENT_OF_THE_MANUAL, MANUAL_PATH, NO_CONTENT, SECURITY_HEADERS

log = structlog.get_logger()

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# Probes come every few seconds and say nothing new.
QUIET_PATHS = frozenset({"/healthz", "/readyz"})


class RequestContext:
    """A middleware that gives a request its id, logs it once, and answers uncaught errors.

    The log line is written for refused requests too. It has no query, no header and no body, so no key can get into it:
    ``key`` is the first part of the key that was sent, good or not, which finds its row and is no secret.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get("x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _complete(MutableHeaders(scope=message), request_id, scope["path"])
            await send(message)

        trace.get_current_span().set_attribute("phytobatch.request_id", request_id)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_headers)
            except ClientDisconnect:
                log.info("client_left")
            except Exception as error:
                if status:  # The answer has begun; all that is left is to break it off.
                    raise
                await internal_error(Request(scope), error)(scope, receive, send_with_headers)
            finally:
                _log_line(scope, status, time.perf_counter() - began)


def _request_id(client_id: str | None) -> str:
    """Return the client's id if it is a harmless one, otherwise a new one."""
    return client_id if client_id and REQUEST_ID.fullmatch(client_id) else secrets.token_hex(8)


def _complete(headers: MutableHeaders, request_id: str, path: str) -> None:
    headers["X-Request-Id"] = request_id
    headers.setdefault("Cache-Control", "no-store")
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value
    headers["Content-Security-Policy"] = CONTENT_OF_THE_MANUAL if path == MANUAL_PATH else NO_CONTENT


def _log_line(scope: Scope, status: int, seconds: float) -> None:
    write = log.debug if scope["path"] in QUIET_PATHS else log.info
    state = scope["state"]
    tenant = state.get("tenant_id")
    job = scope.get("path_params", {}).get("job_id")
    write(
        "request",
        method=scope["method"],
        path=scope["path"],
        status=int(status),
        milliseconds=round(seconds * 1000, 1),
        client=(scope.get("client") or (None,))[0],
        key=state.get("key_prefix"),
        tenant_id=None if tenant is None else str(tenant),
        job_id=None if job is None else str(job),
    )
