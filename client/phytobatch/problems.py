"""From an HTTP answer to a typed error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from phytobatch.errors import (
    ApiError,
    AuthError,
    Conflict,
    FieldError,
    InvalidRequest,
    LimitExceeded,
    NotFound,
    Problem,
    ServerUnavailable,
)
from phytobatch.retry import parse_retry_after

_TYPE_PREFIX = "urn:phytobatch:problem:"
_CLASS_OF_CODE: Mapping[str, type[ApiError]] = {
    "limit-exceeded": LimitExceeded,
    "quota-exceeded": LimitExceeded,
}
_CLASS_OF_STATUS: Mapping[int, type[ApiError]] = {
    HTTPStatus.UNAUTHORIZED: AuthError,
    HTTPStatus.FORBIDDEN: AuthError,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: LimitExceeded,
    HTTPStatus.TOO_MANY_REQUESTS: LimitExceeded,
}


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> ApiError:
    """Return the error for an answer that is neither 2xx nor 304. The names of ``headers`` are read in any case."""
    problem = problem_of(status, headers, body)
    by_status = _CLASS_OF_STATUS.get(status)
    kind = _CLASS_OF_CODE.get(problem.code) or by_status or _class_of_range(status)
    return kind(problem)


def problem_of(status: int, headers: Mapping[str, str], body: bytes) -> Problem:
    """Read RFC 9457; an answer of a proxy, or of something that is no Phytobatch at all, still gives a problem."""
    data = _json_object(body)
    return Problem(
        status=status,
        code=str(data.get("type", "")).removeprefix(_TYPE_PREFIX) or f"http-{status}",
        title=str(data.get("title") or _phrase(status)),
        detail=str(data.get("detail") or _detail_without_problem(status, headers)),
        request_id=data.get("request_id") or headers.get("X-Request-Id"),
        errors=tuple(_field_errors(data.get("errors"))),
        retry_after=parse_retry_after(headers.get("Retry-After")),
        error_code=data.get("error_code"),
        setting=data.get("setting"),
        instance=data.get("instance"),
        quota=data.get("quota"),
    )


def _class_of_range(status: int) -> type[ApiError]:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerUnavailable
    return InvalidRequest if status >= HTTPStatus.BAD_REQUEST else ApiError


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _field_errors(entries: object) -> list[FieldError]:
    if not isinstance(entries, list):
        return []
    return [FieldError(str(e.get("field", "")), str(e.get("message", ""))) for e in entries if isinstance(e, dict)]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"HTTP status {status}"


def _detail_without_problem(status: int, headers: Mapping[str, str]) -> str:
    location = headers.get("Location")
    if location and HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return f"The server redirects to {location}; give that address as PHYTOBATCH_URL or --url."
    return f"The server answered {status} {_phrase(status)} without saying more."
