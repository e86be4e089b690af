"""From answers to errors."""

from __future__ import annotations

import json

import pytest
from urllib3 import HTTPHeaderDict

from phytobatch.errors import (
    ApiError,
    AuthError,
    Conflict,
    InvalidRequest,
    LimitExceeded,
    NotFound,
    ServerUnavailable,
)
from phytobatch.problems import error_of


def body(code: str, **more: object) -> bytes:
    return json.dumps({"type": f"urn:phytobatch:problem:{code}", "title": "T", "detail": "Do this.", **more}).encode()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid-request", InvalidRequest),
        (401, "unauthenticated", AuthError),
        (403, "forbidden", AuthError),
        (404, "not-found", NotFound),
        (409, "job-empty", Conflict),
        (413, "limit-exceeded", LimitExceeded),
        (422, "limit-exceeded", LimitExceeded),
        (422, "idempotency-key-reused", InvalidRequest),
        (429, "rate-limited", LimitExceeded),
        (500, "internal-error", ServerUnavailable),
        (503, "temporarily-unavailable", ServerUnavailable),
    ],
)
def test_a_problem_becomes_the_error_of_its_kind(status: int, code: str, kind: type[ApiError]) -> None:
    error = error_of(status, {}, body(code, request_id="req-1"))

    assert type(error) is kind
    assert (error.status, error.code, error.detail, error.request_id) == (status, code, "Do this.", "req-1")


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [(503, "x", True), (502, "x", True), (504, "x", True), (429, "x", True), (500, "x", False), (409, "x", False)],
)
def test_what_may_work_later_is_known(status: int, code: str, *, retryable: bool) -> None:
    assert error_of(status, {}, body(code)).retryable is retryable


def test_a_create_that_still_runs_may_be_asked_again() -> None:
    error = error_of(409, HTTPHeaderDict({"retry-after": "3"}), body("idempotency-key-in-use"))

    assert error.retryable
    assert error.problem.retry_after == 3


def test_fields_that_do_not_fit_are_named() -> None:
    error = error_of(422, {}, body("invalid-request", errors=[{"field": "images.3.size", "message": "below 0"}]))

    assert str(error) == "Do this. (images.3.size: below 0)"


@pytest.mark.parametrize("answer", [b"", b"<html>Bad Gateway</html>", b"[1]", b"\xff"])
def test_an_answer_of_a_proxy_is_an_error_too(answer: bytes) -> None:
    error = error_of(502, HTTPHeaderDict({"x-request-id": "proxy"}), answer)

    assert isinstance(error, ServerUnavailable)
    assert (error.code, error.request_id) == ("http-502", "proxy")


def test_a_redirect_says_where_to() -> None:
    error = error_of(301, HTTPHeaderDict({"Location": "https://new.example.org/"}), b"")

    assert "https://new.example.org/" in str(error)
