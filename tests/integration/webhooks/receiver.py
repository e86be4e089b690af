"""A real HTTP server that does what a test asks: answers, hangs, drips, breaks off; good for thousands of requests."""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self

from tests.patience import PATIENCE_SECONDS

MAX_HEAD = 64 * 1024
PIECE = 16 * 1024
SEND_BUFFER = 64 * 1024
LAST_TURNS_SECONDS = 2.0
TURN_SECONDS = 0.005
BODILESS = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Received:
    """One request. Names of headers are in lower case; ``at`` by ``time.monotonic``."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to give.

    ``delay``: seconds before the first byte; ``after``: the first byte comes when this is set. ``hang``: nothing at
    all, until the sender goes. ``pause``: seconds after every piece of the body (16 kB, or ``piece`` bytes). ``raw``:
    these bytes in place of a head and a body; ``linger``: and then nothing, until the sender goes; ``reset``: and then
    a reset.
    """

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    after: threading.Event | None = None
    hang: bool = False
    pause: float = 0.0
    piece: int = PIECE
    raw: bytes | None = None
    linger: bool = False
    reset: bool = False


Answering = Callable[[Received], Answer]


class Receiver:
    """Use it in a ``with``. ``answer`` can be changed while it runs; a function of it must not wait."""

    def __init__(
        self,
        answers: Answering | None = None,
        *,
        ssl_context: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.answer: Answer | Answering = answers or Answer()
        self.requests: list[Received] = []
        self.written = 0  # bytes of answers that the sender's side took, as far as can be seen here
        self.open = 0  # connections
        self.peak = 0  # most connections at a time
        self._host = host
        self._wanted = port
        self._ssl_context = ssl_context
        self._news = threading.Condition()
        self._ready = threading.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="receiver", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(PATIENCE_SECONDS), "the receiver did not start"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "the receiver did not stop"

    @property
    def url(self) -> str:
        """The address of its webhooks."""
        scheme = "http" if self._ssl_context is None else "https"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{host}:{self.port}/hooks"

    def wait_for(self, count: int, seconds: float = PATIENCE_SECONDS) -> list[Received]:
        """The requests, as soon as there are so many.

        Raises:
            AssertionError: there were not after so many seconds.
        """
        with self._news:
            came = self._news.wait_for(lambda: len(self.requests) >= count, seconds)
            assert came, f"{len(self.requests)} requests came in {seconds} s, not {count}"
            return list(self.requests)

    def wait_until_left(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Return when no connection is open.

        Raises:
            AssertionError: one was still open after so many seconds.
        """
        with self._news:
            left = self._news.wait_for(lambda: self.open == 0, seconds)
            assert left, f"{self.open} connections are still open after {seconds} s"

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        listening = socket.create_server(
            (self._host, self._wanted), family=socket.AF_INET6 if ":" in self._host else socket.AF_INET, backlog=1024
        )
        # A fixed buffer: what is written is then what the sender took, give or take this much.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        server = await asyncio.start_server(
            self._began, sock=listening, ssl=self._ssl_context, limit=MAX_HEAD, backlog=1024
        )
        self.port: int = listening.getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # A handshake that the sender broke off has no task. Its end needs a turn of this loop, or its socket would be
        # found open by the garbage collector, in the middle of some other test.
        deadline = self._loop.time() + LAST_TURNS_SECONDS
        while getattr(server, "_active_count", 0) and self._loop.time() < deadline:  # noqa: ASYNC110  # no event says so
            await asyncio.sleep(TURN_SECONDS)

    def _began(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._converse(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.peak = max(self.peak, self.open)
        try:
            # The sender may go at any moment: that is what some tests are about.
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._exchange(reader, writer)
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()
            with self._news:
                self.open -= 1
                self._news.notify_all()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = await _read(reader)
        with self._news:
            self.requests.append(received)
            self._news.notify_all()
        answer = self.answer if isinstance(self.answer, Answer) else self.answer(received)
        if answer.hang:
            await reader.read()  # until the sender goes
            return
        await asyncio.sleep(answer.delay)
        if answer.after is not None:
            await asyncio.to_thread(answer.after.wait, PATIENCE_SECONDS)
        await self._write(writer, answer)

    async def _write(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        if answer.raw is not None:
            writer.write(answer.raw)
            await writer.drain()
            if answer.linger:
                await writer.wait_closed()
            if answer.reset:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            return
        writer.write(_head(answer))
        for start in range(0, len(answer.body), answer.piece):
            piece = answer.body[start : start + answer.piece]
            writer.write(piece)
            await writer.drain()
            self.written += len(piece)
            await asyncio.sleep(answer.pause)


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(path=path, headers=headers, body=body, at=time.monotonic(), method=method)


def _head(answer: Answer) -> bytes:
    try:
        reason = HTTPStatus(answer.status).phrase
    except ValueError:
        reason = "Unknown"
    headers = {"connection": "close", **{name.lower(): value for name, value in answer.headers.items()}}
    if answer.status not in BODILESS:
        headers.setdefault("content-length", str(len(answer.body)))
    lines = [f"HTTP/1.1 {answer.status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
