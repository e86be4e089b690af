"""How long a body is waited for, and what an answer does to one that has not come."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.errors import BodyTooSlow
from api.limits import body
from api.limits.body import FORM_STEP_BYTES, BodyLimits, Pace, UnreadBodies
from shared.settings import Settings
from tests.patience import PATIENCE_SECONDS

NEVER = 3600.0
PACE = Pace(seconds=20, bytes_per_second=1000, max_seconds=100)


@pytest.mark.parametrize(("arrived", "seconds"), [(0, 20), (1000, 21), (50_000, 70), (80_000, 100), (10**9, 100)])
def test_a_body_is_waited_for_as_long_as_it_comes_at_the_least_rate_and_not_for_ever(
    arrived: int, seconds: float
) -> None:
    assert PACE.patience(arrived) == seconds


def test_the_problem_names_the_limit_that_was_reached() -> None:
    assert PACE.error(21).setting == "PHYTOBATCH_LEAST_BYTES_PER_SECOND"
    assert PACE.error(100).setting == "PHYTOBATCH_MAX_BODY_SECONDS"


class Client:
    """Sends a body in pieces of a kilobyte and then nothing more; sees the answer."""

    def __init__(self, pieces: int, announced: int | None = 1_000_000, **headers: str) -> None:
        self.left = pieces
        self.answer: list[Message] = []
        length = {"transfer-encoding": "chunked"} if announced is None else {"content-length": str(announced)}
        given = [(name.encode(), value.encode()) for name, value in {**length, **headers}.items()]
        self.scope: Scope = {"type": "http", "method": "POST", "path": "/v1/jobs", "headers": given, "state": {}}

    async def receive(self) -> Message:
        if not self.left:
            await asyncio.sleep(NEVER)
        self.left -= 1
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    async def send(self, message: Message) -> None:
        self.answer.append(message)

    def ask(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        asyncio.run(asyncio.wait_for(app(self.scope, self.receive, self.send), PATIENCE_SECONDS))


def limits(app: Any, **given: float) -> BodyLimits:  # noqa: ANN401  # an ASGI application
    fields: dict[str, Any] = {
        "database_url": "postgresql+psycopg://x/x",
        "redis_url": "redis://x",
        "s3_bucket": "x",
        **given,
    }
    return BodyLimits(app, Settings(**fields))


def test_the_seconds_in_which_the_api_is_busy_are_not_the_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    busy_seconds = 0.0

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        nonlocal busy_seconds
        loop = asyncio.get_running_loop()
        real = loop.time
        monkeypatch.setattr(loop, "time", lambda: real() + busy_seconds)
        for _number in range(3):
            await receive()
            busy_seconds += 100

    client = Client(pieces=3)
    client.ask(limits(app, body_seconds=60, least_bytes_per_second=10**9))
    assert client.left == 0


@pytest.mark.parametrize("announced", [1_000_000, None])
def test_a_body_that_stops_is_ended(announced: int | None) -> None:
    async def app(_: Scope, receive: Receive, __: Send) -> None:
        while True:
            await receive()

    client = Client(pieces=3, announced=announced)
    with pytest.raises(BodyTooSlow):
        client.ask(limits(app, body_seconds=0.05, least_bytes_per_second=10**9))
    assert client.left == 0


@pytest.mark.parametrize(
    ("path", "counted"),
    [("/v1/jobs/upload", FORM_STEP_BYTES), ("/v1/jobs", 1024), ("/v1/jobs/1/sidecar", 2048)],
)
def test_a_body_of_unknown_size_counts_whole_and_a_form_by_steps(path: str, counted: int) -> None:
    seen: list[int] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope["state"]["body_bytes"])

    client = Client(pieces=0, announced=None)
    client.scope["path"] = path
    client.ask(limits(app, max_json_bytes=1024, max_sidecar_bytes=2048))
    assert seen == [counted]


async def refuse(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"no"})


def test_an_answer_before_the_body_closes_the_connection_and_comes_before_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(body, "LINGER_SECONDS", 0.05)
    client = Client(pieces=3)
    client.ask(UnreadBodies(refuse))
    start, content, end = client.answer
    assert (b"connection", b"close") in start["headers"]
    assert (content["body"], content["more_body"]) == (b"no", True)
    assert (end["body"], end["more_body"]) == (b"", False)
    assert client.left == 0, "what came meanwhile is read, so that the client finds the answer"


def test_a_client_that_waits_to_be_asked_is_not_asked_for_a_body_that_nobody_wants(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(body, "LINGER_SECONDS", 0.05)
    client = Client(pieces=3, expect="100-continue")
    client.ask(UnreadBodies(refuse))
    assert client.left == 3
    assert (b"connection", b"close") in client.answer[0]["headers"]


def test_a_body_that_is_there_keeps_its_connection_although_nobody_asked_for_it() -> None:
    client = Client(pieces=0)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    client.receive = receive  # type: ignore[method-assign]  # all of it at once
    client.ask(UnreadBodies(refuse))
    assert [message["type"] for message in client.answer] == ["http.response.start", "http.response.body"]
    assert (b"connection", b"close") not in client.answer[0]["headers"]
