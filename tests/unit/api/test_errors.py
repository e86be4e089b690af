"""Each kind of error has one status; what nobody caught says nothing of the inside."""

import json

import psycopg
import pytest
from fastapi import FastAPI, Request
from sqlalchemy.exc import DataError
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from api.errors import answer_domain_error, answer_refusal
from api.middleware import RequestContext
from shared import errors


def request() -> Request:
    return Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/here",
            "headers": [],
            "query_string": b"",
            "server": ("x", 1),
            "scheme": "http",
            "state": {"request_id": "r1"},
            "app": FastAPI(),
        }
    )


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.NotFound("x"), 404, "not-found"),
        (errors.NoTiles("x"), 404, "no-tiles"),
        (errors.Conflict("x", code="job-empty"), 409, "job-empty"),
        (errors.IdempotencyInProgress("x"), 409, "idempotency-key-in-use"),
        (errors.InvalidRequest("x"), 422, "invalid-request"),
        (errors.LimitExceeded("x", setting="PHYTOBATCH_X"), 422, "limit-exceeded"),
        (errors.IdempotencyMismatch("x"), 422, "idempotency-key-reused"),
        (errors.Unauthenticated("x"), 401, "unauthenticated"),
        (errors.Forbidden("x"), 403, "forbidden"),
        (errors.StoreUnavailable("x"), 503, "object-store-unavailable"),
        (errors.DatabaseUnavailable("x"), 503, "database-unavailable"),
        (errors.LeaseLost("x"), 500, "internal-error"),
    ],
)
def test_each_kind_has_its_answer(error: errors.PhytobatchError, status: int, code: str) -> None:
    answer = answer_domain_error(request(), error)
    body = json.loads(bytes(answer.body))
    assert (answer.status_code, body["type"]) == (status, f"urn:phytobatch:problem:{code}")
    assert (body["instance"], body["request_id"]) == ("/here", "r1")
    assert ("Retry-After" in answer.headers) == (status == 503 or code == "idempotency-key-in-use")
    assert body.get("setting") == getattr(error, "setting", None)


@pytest.mark.parametrize(
    "error", [DataError("INSERT", {}, psycopg.errors.NumericValueOutOfRange("x")), psycopg.DataError("x")]
)
def test_a_value_that_the_database_refuses_is_the_client_s_where_it_writes(error: Exception) -> None:
    with capture_logs() as logs:
        answer = answer_refusal(Request({**request().scope, "method": "POST"}), error)
    assert answer.status_code == 422
    assert [line["event"] for line in logs] == ["value_refused"]
    with pytest.raises(type(error)):  # A row that cannot be read.
        answer_refusal(request(), error)


async def _call(app: RequestContext) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {**request().scope, "state": {}, "app": Starlette()}
    await app(scope, receive, send)
    return sent


@pytest.mark.anyio
async def test_what_nobody_caught_is_logged_once_and_answered_without_its_inside() -> None:
    async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("password=secret")

    with capture_logs() as logs:
        start, body = await _call(RequestContext(fail))
    assert start["status"] == 500
    assert json.loads(body["body"])["type"] == "urn:phytobatch:problem:internal-error"
    assert b"secret" not in body["body"]
    assert [line["event"] for line in logs] == ["request_fault", "request"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
