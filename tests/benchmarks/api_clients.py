"""A few clients that ask without a pause: sockets and no HTTP library, so that the figures are the server's."""

import asyncio
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Question:
    """The request that is repeated."""

    method: str
    target: str
    body: bytes = b""

    def encode(self, host: str, key: str) -> bytes:
        """As it goes over the wire."""
        head = (
            f"{self.method} {self.target} HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body


@dataclass(frozen=True, slots=True)
class Asked:
    """How long each answer took, in seconds, and all together."""

    latencies: list[float]
    seconds: float


def ask(url: str, key: str, question: Question, *, clients: int, seconds: float) -> Asked:
    """Ask for so long, each client over one connection."""
    return asyncio.run(_ask_all(url, key, question, clients, seconds))


async def _ask_all(url: str, key: str, question: Question, clients: int, seconds: float) -> Asked:
    at = urlsplit(url)
    wire = question.encode(at.netloc, key)
    connections = [await asyncio.open_connection(at.hostname, at.port, limit=MAX_BYTES) for _ in range(clients)]
    began = time.perf_counter()
    taken = await asyncio.gather(*(_repeat(*one, wire, began + seconds) for one in connections))
    ended = time.perf_counter()
    for _, writer in connections:
        writer.close()
    return Asked([one for client in taken for one in client], ended - began)


async def _repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wire: bytes, until: float) -> list[float]:
    taken = []
    while (began := time.perf_counter()) < until:
        writer.write(wire)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(_length(head))
        if not head.startswith(b"HTTP/1.1 200"):
            raise AssertionError(head + body)
        taken.append(time.perf_counter() - began)
    return taken


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise AssertionError(head)
