import asyncio
from types import SimpleNamespace

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.metrics.requests import RequestMetrics, route_of, waits
from shared.metrics.definitions import HTTP_REQUESTS, HTTP_SECONDS, HTTP_WAIT_SECONDS


def scope(method: str = "GET", query: bytes = b"") -> Scope:
    return {"type": "http", "method": method, "path": "/x/17", "query_string": query, "headers": []}


def seconds_counted(route: str) -> tuple[float, float]:
    """How many requests of a route were timed, and how many of those that wait."""
    return tuple(
        sum(s.value for f in h.collect() for s in f.samples if s.name.endswith("_count") and s.labels["route"] == route)
        for h in (HTTP_SECONDS, HTTP_WAIT_SECONDS)
    )  # type: ignore[return-value]  # two


def run(asked: Scope, *, route: str | None, status: int | None) -> None:
    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        if route is not None:
            scope["route"] = SimpleNamespace(path=route)
        if status is None:
            raise ConnectionError
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_message: Message) -> None:
        return

    asyncio.run(RequestMetrics(app)(asked, receive, send))


def count(method: str, route: str, status: str) -> float:
    return float(HTTP_REQUESTS.labels(method, route, status)._value.get())


def test_a_request_is_counted_by_its_template_and_its_status() -> None:
    run(scope(), route="/x/{n}", status=201)
    assert count("GET", "/x/{n}", "201") == 1
    assert seconds_counted("/x/{n}") == (1, 0)


def test_one_that_waits_is_timed_apart() -> None:
    before = seconds_counted("/v1/jobs/{job_id}")
    run(scope(query=b"wait=60"), route="/v1/jobs/{job_id}", status=200)
    assert seconds_counted("/v1/jobs/{job_id}") == (before[0], before[1] + 1)


def test_a_client_that_left_before_the_answer_is_499() -> None:
    with pytest.raises(ConnectionError):
        run(scope(), route="/left", status=None)
    assert count("GET", "/left", "499") == 1


def test_what_a_client_makes_up_is_one_series() -> None:
    run(scope(method="BREW"), route=None, status=404)
    run(scope(method="WHEN"), route=None, status=404)
    assert count("other", "other", "404") == 2
    assert route_of(scope()) == "other"


@pytest.mark.parametrize(
    ("route", "query", "expected"),
    [
        ("/v1/jobs/{job_id}", b"", False),
        ("/v1/jobs/{job_id}", b"wait=5", True),
        ("/v1/jobs/{job_id}/events", b"", True),
        ("/predict", b"", True),
        ("/v1/jobs", b"limit=5", False),
        ("/v1/jobs", b"wait=5", False),
    ],
)
def test_who_waits_on_purpose(route: str, query: bytes, expected: bool) -> None:  # noqa: FBT001  # a parameter of pytest
    assert waits(scope(query=query), route) is expected
