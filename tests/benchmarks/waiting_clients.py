"""A thousand clients in one cheap process: sockets and no HTTP library, so that the figures are the server's."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

# How many connect at a time; a thousand at once are more than the queue of a listening socket.
CONNECTING = 50
WAIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Task:
    """Whom to follow: even ones with ``?wait=``, odd ones by event stream."""

    url: str
    key: str
    jobs: Sequence[str]


@dataclass(frozen=True, slots=True)
class Told:
    """When a client knew that its job was over, on the clock that all processes of a machine share."""

    job_id: str
    by: str
    at: float


def run(task: Task, pipe: Connection) -> None:
    """Say ``ready`` when all are connected, and then who was told when."""
    pipe.send(asyncio.run(_follow_all(task, pipe)))


async def _follow_all(task: Task, pipe: Connection) -> list[Told]:
    connecting = asyncio.Semaphore(CONNECTING)
    asked = [asyncio.Event() for _ in task.jobs]
    clients = [
        asyncio.create_task((_stream if number % 2 else _wait)(task, job, connecting, asked[number]))
        for number, job in enumerate(task.jobs)
    ]
    await asyncio.gather(*(one.wait() for one in asked))
    pipe.send("ready")
    return await asyncio.gather(*clients)


async def _wait(task: Task, job_id: str, connecting: asyncio.Semaphore, asked: asyncio.Event) -> Told:
    while True:
        reader, writer = await _ask(task, f"/v1/jobs/{job_id}?wait={WAIT_SECONDS}", connecting)
        asked.set()
        answer = await reader.read()
        writer.close()
        if b'"state":"completed"' in answer:
            return Told(job_id, "?wait=", time.monotonic())
        if not answer.startswith(b"HTTP/1.1 200"):
            raise AssertionError(answer)


async def _stream(task: Task, job_id: str, connecting: asyncio.Semaphore, asked: asyncio.Event) -> Told:
    reader, writer = await _ask(task, f"/v1/jobs/{job_id}/events", connecting)
    while line := await reader.readline():
        asked.set()
        if line == b"event: job.completed\n":
            told = Told(job_id, "stream", time.monotonic())
            writer.close()
            return told
    raise AssertionError(job_id)


async def _ask(
    task: Task, path: str, connecting: asyncio.Semaphore
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    at = urlsplit(task.url)
    async with connecting:
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: {at.netloc}\r\nX-API-Key: {task.key}\r\nConnection: close\r\n\r\n".encode()
    )
    await writer.drain()
    return reader, writer
