"""A real HTTP server on loopback that answers questions about one job as told, and misbehaves as told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.patience import PATIENCE_SECONDS

JOB_ID = "0192"
IDLE_SECONDS = PATIENCE_SECONDS


@dataclass(frozen=True)
class Reply:
    """What to answer: ``parts`` go out one by one; after them the answer ends, hangs open, or is cut off."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    parts: Sequence[bytes] = ()
    after: str = "end"  # or "hang", "cut"
    silent: bool = False  # Not even the status comes.


@dataclass(frozen=True)
class Seen:
    """A request that came: ``job``, ``wait`` or ``events``."""

    kind: str
    headers: dict[str, str]
    wait: str | None


class Scripted(ThreadingHTTPServer):
    """``replies`` by kind of request, in their order; the last one is repeated."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: dict[str, list[Reply]] = {}
        self.seen: list[Seen] = []
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def kinds(self) -> list[str]:
        return [seen.kind for seen in self.seen]

    def reply_to(self, kind: str) -> Reply:
        replies = self.replies[kind]
        return replies.pop(0) if len(replies) > 1 else replies[0]


class Handler(BaseHTTPRequestHandler):
    server: Scripted
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        wait = parse_qs(parts.query).get("wait", [None])[0]
        kind = "events" if parts.path.endswith("/events") else "wait" if wait else "job"
        self.server.seen.append(Seen(kind, dict(self.headers), wait))
        reply = self.server.reply_to(kind)
        if reply.silent:
            self.hang()
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        has_body = reply.status not in {204, 304}
        if has_body:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if has_body:
            self.body(reply)

    def body(self, reply: Reply) -> None:
        for part in reply.parts:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
        if reply.after == "hang":
            self.hang()
        elif reply.after == "cut":
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    def hang(self) -> None:
        self.server.ended.wait(IDLE_SECONDS)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def scripted() -> Iterator[Scripted]:
    server = Scripted()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE_SECONDS)


def job_json(state: str, *, done: int = 0, **more: Any) -> dict[str, Any]:  # noqa: ANN401  # fields of a job
    counts = {"total": 10, "pending": 10 - done, "succeeded": done, "failed": 0, "rejected": 0, "canceled": 0}
    return {"id": JOB_ID, "state": state, "counts": counts, **more}


def job(state: str, *, done: int = 0, etag: str = '"1"', **headers: str) -> Reply:
    """200 with the job."""
    return Reply(200, {"ETag": etag, **headers}, [json.dumps(job_json(state, done=done)).encode()])


UNCHANGED = Reply(304, {"ETag": '"1"', "Retry-After": "3"})


def problem(status: int, code: str, **more: str) -> Reply:
    body = {"type": f"urn:phytobatch:problem:{code}", "title": code, "status": status, "detail": code, **more}
    return Reply(status, {"Content-Type": "application/problem+json"}, [json.dumps(body).encode()])


def event(number: int, state: str, kind: str, *, done: int = 0) -> bytes:
    """One event of the stream, as the server writes it."""
    fields = job_json(state, done=done, revision=number)
    data = {"job_id": fields.pop("id"), **fields}
    if kind == "job.progress":
        end = "2026-06-01T08:01:32Z"
        data["progress"] = {"percent": 10.0 * done, "images_per_second": 2.0, "estimated_end": end}
    body = json.dumps({"type": kind, "timestamp": "2026-06-01T08:01:02Z", "data": data})
    return f"id: {number}\nevent: {kind}\ndata: {body}\n\n".encode()


def stream(*parts: bytes, after: str = "end") -> Reply:
    return Reply(200, {"Content-Type": "text/event-stream; charset=utf-8"}, parts, after)
