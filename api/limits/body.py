"""Limits of request bodies in bytes and in seconds, and the end of those that nobody reads.

Plain ASGI, so that bodies stream through; while a body is waited for, neither a thread nor a connection is held.
"""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyCompressed, BodyTooLarge, BodyTooSlow, answer_http_error
from shared.settings import ENV_PREFIX, Settings

# What a multipart body has beside its files: boundaries, headers of parts, small fields.
MULTIPART_OVERHEAD = 64 * 1024
TABLE_PATH = re.compile(r"/v1/jobs/[^/]+/(sidecar|corrections)")
# By how many bytes the place of a form grows whose head does not say how many there are.
FORM_STEP_BYTES = 8 * 1024 * 1024
# Codings that change the bytes (IANA, "HTTP Content Coding Registry"). Other words, as `utf-8`, are said by mistake.
COMPRESSED = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd", "dcb", "dcz"})
# A client that is still sending finds its answer only if the connection stays open for a moment (RFC 9112, 9.6).
LINGER_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class MaxBody:
    """The largest body of a route, in bytes, and the field of the settings that says so."""

    size: int
    setting: str
    is_form: bool = False

    @property
    def unannounced(self) -> int:
        """Bytes that are counted for a body before it comes, if its head says nothing of them.

        A form is received piece by piece and counted so; everything else is read whole.
        """
        return min(self.size, FORM_STEP_BYTES) if self.is_form else self.size

    def error(self) -> BodyTooLarge:
        """Make the error for a byte too many."""
        return BodyTooLarge(
            f"the body is larger than {self.size} bytes; send less at a time",
            setting=f"{ENV_PREFIX}{self.setting.upper()}",
        )


@dataclass(frozen=True, slots=True)
class Pace:
    """The patience with a body: some seconds, longer while it comes at the least rate, but not for ever."""

    seconds: float
    bytes_per_second: int
    max_seconds: float

    @classmethod
    def of(cls, settings: Settings) -> "Pace":
        """Take it from the settings."""
        return cls(settings.body_seconds, settings.least_bytes_per_second, settings.max_body_seconds)

    def patience(self, arrived: int) -> float:
        """Give the seconds in all for a body of which so many bytes have arrived."""
        return min(self.max_seconds, self.seconds + arrived / self.bytes_per_second)

    def error(self, waited: float) -> BodyTooSlow:
        """Make the error for a body that was waited for in vain."""
        if waited >= self.max_seconds:
            return BodyTooSlow(
                f"the body took longer than {self.max_seconds:g} s; send less at a time, or use presigned uploads",
                setting=f"{ENV_PREFIX}MAX_BODY_SECONDS",
            )
        return BodyTooSlow(
            f"the body comes too slowly: after {self.seconds:g} s it must be at least {self.bytes_per_second} bytes a "
            "second; send less at a time, or use presigned uploads",
            setting=f"{ENV_PREFIX}LEAST_BYTES_PER_SECOND",
        )


class BodyLimits:
    """A middleware that refuses bodies over the limit of their route: by Content-Length, or while they arrive.

    Compressed ones are refused by their head: nobody could say how large they will be.

    The seconds in which the client is waited for count, not those in which the API is busy with what came.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._pace = Pace.of(settings)
        self._json = MaxBody(settings.max_json_bytes, "max_json_bytes")
        self._table = MaxBody(settings.max_sidecar_bytes, "max_sidecar_bytes")
        self._by_path: Mapping[str, MaxBody] = {
            "/v1/jobs/upload": MaxBody(
                settings.max_multipart_bytes + MULTIPART_OVERHEAD, "max_multipart_bytes", is_form=True
            ),
            "/predict": MaxBody(settings.max_image_bytes + MULTIPART_OVERHEAD, "max_image_bytes", is_form=True),
        }

    def _max_of(self, path: str) -> MaxBody:
        return self._table if TABLE_PATH.fullmatch(path) else self._by_path.get(path, self._json)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        largest = self._max_of(scope["path"])
        announced = announced_bytes(scope)
        if announced is not None and announced > largest.size:
            await answer_http_error(Request(scope), largest.error())(scope, receive, send)
            return
        coding = compression(scope)
        if coding is not None:
            await answer_http_error(Request(scope), BodyCompressed(coding))(scope, receive, send)
            return
        scope["state"]["body_bytes"] = largest.unannounced if announced is None else announced
        await self._app(scope, _Arriving(receive, largest, self._pace).receive, send)


class _Arriving:
    """The body of one request."""

    def __init__(self, receive: Receive, largest: MaxBody, pace: Pace) -> None:
        self._receive = receive
        self._largest = largest
        self._pace = pace
        self._bytes = 0
        self._waited = 0.0
        self._is_whole = False

    async def receive(self) -> Message:
        """Give the next message of the body; after the body, the one that says that the client has left.

        Raises:
            BodyTooLarge: it has too many bytes.
            BodyTooSlow: they came too slowly.
        """
        if self._is_whole:
            return await self._receive()
        message = await self._in_time()
        self._bytes += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._bytes > self._largest.size:
            raise self._largest.error()
        return message

    async def _in_time(self) -> Message:
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(self._pace.patience(self._bytes) - self._waited):
                return await self._receive()
        except TimeoutError:
            raise self._pace.error(self._waited + clock() - began) from None
        finally:
            self._waited += clock() - began


class UnreadBodies:
    """A middleware that ends the connection after an answer that was given before the body had arrived.

    Otherwise a refused client could go on sending for as long as it likes, even without a key.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http" or announced_bytes(scope) == 0:
            await self._app(scope, receive, send)
            return
        body = _Unread(scope, receive)
        await self._app(scope, body.receive, _Closing(body, send).send)


class _Unread:
    """The body of one request, and whether it was read whole."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._expects_continue = "100-continue" in Headers(scope=scope).get("expect", "").lower()
        self.is_whole = False

    async def receive(self) -> Message:
        """Give the next message."""
        self._expects_continue = False
        message = await self._receive()
        self.is_whole = not message.get("more_body", False)
        return message

    async def discard(self, seconds: float) -> None:
        """Read what comes within so many seconds; with 0, what has come. A client that waits to be asked is not."""
        if self._expects_continue:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.is_whole:
                    await self.receive()


class _Closing:
    """An answer, after which the connection is closed when its body is not whole."""

    def __init__(self, body: _Unread, send: Send) -> None:
        self._body = body
        self._send = send
        self._closes = False
        self._linger_seconds = 0.0

    async def send(self, message: Message) -> None:
        """Send, and before the end let the client find the answer."""
        if message["type"] == "http.response.start":
            await self._body.discard(0)
            self._closes = not self._body.is_whole
            # Whoever was waited for long enough is not waited for once more.
            self._linger_seconds = 0.0 if message["status"] == HTTPStatus.REQUEST_TIMEOUT else LINGER_SECONDS
            if self._closes:
                MutableHeaders(scope=message)["Connection"] = "close"
        elif self._closes and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._body.discard(self._linger_seconds)
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)


def compression(scope: Scope) -> str | None:
    """Give the compression that the head of a request names for its body; ``None`` for none."""
    codings = ",".join(Headers(scope=scope).getlist("content-encoding")).lower()
    return next((word for word in (part.strip() for part in codings.split(",")) if word in COMPRESSED), None)


def announced_bytes(scope: Scope) -> int | None:
    """Give the bytes of the body by its head (RFC 9112, 6.3); ``None`` where it does not say how many."""
    headers = Headers(scope=scope)
    if "transfer-encoding" in headers:
        return None
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0
