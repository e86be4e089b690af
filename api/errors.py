"""Errors as answers: ``application/problem+json`` (RFC 9457), everywhere the same shape.

``type`` is ``urn:phytobatch:problem:CODE``; codes are stable, sentences are not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import psycopg
import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from api.links import link
from shared.contracts import stored
from shared.errors import (
    Conflict,
    Forbidden,
    IdempotencyInProgress,
    InvalidRequest,
    LimitExceeded,
    NotAcceptable,
    NotFound,
    PhytobatchError,
    QuotaExceeded,
    QuotaTooSmall,
    RateLimited,
    RowsInvalid,
    TooManyAtATime,
    Unauthenticated,
    Unavailable,
)

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:phytobatch:problem:"
# A page of 1,000 bad images needs no 1,000 sentences.
MAX_FIELD_ERRORS = 50
MAX_DETAIL, MAX_FIELD, MAX_MESSAGE = 2000, 200, 500  # characters
IDEMPOTENCY_RETRY_SECONDS = 1
READING = frozenset({"GET", "HEAD"})
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class FieldError(BaseModel):
    """The fault of one field of the request."""

    field: str = Field(description="Path of the field, as `images.3.size`; `body` for the whole.")
    message: str


class QuotaOut(BaseModel):
    """A quota of the tenant, and its use."""

    name: str = Field(description="`max_open_jobs` or `max_pending_images`.")
    limit: int
    current: int
    requested: int


class Problem(BaseModel):
    """Problem details of RFC 9457, with members of our own."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:phytobatch:problem:job-empty",
                    "title": "The state does not allow this",
                    "status": 409,
                    "detail": "this draft has no images; add some before the commit",
                    "instance": "/v1/jobs/01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10/commit",
                    "request_id": "b7c1f0a2d3e44f55",
                }
            ]
        }
    )

    type: str = Field(description="`urn:phytobatch:problem:CODE`; the code is stable.")
    title: str
    status: int
    detail: str = Field(description="A sentence that says what to do.")
    instance: str = Field(description="Path of the request.")
    request_id: str = Field(description="The same as the header X-Request-Id.")
    errors: list[FieldError] | None = Field(default=None, description="For a request that does not fit its schema.")
    quota: QuotaOut | None = Field(default=None, description="Of `quota-exceeded`.")
    setting: str | None = Field(default=None, description="The setting of the server that holds the limit.")
    error_code: str | None = Field(default=None, description="Of `image-not-readable`: the error code of the image.")


class OverLimit(HTTPException):
    """A request over a limit that is noticed while it is read; ``setting`` holds the limit.

    It is an ``HTTPException`` so that it passes FastAPI's reading of bodies unchanged.
    """

    def __init__(self, status: HTTPStatus, detail: str, *, setting: str) -> None:
        super().__init__(status, detail)
        self.setting = setting


class BodyTooLarge(OverLimit):
    """A request body, or one file of it, over a named limit."""

    def __init__(self, detail: str, *, setting: str) -> None:
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, setting=setting)


class BodyCompressed(HTTPException):
    """A request body in a coding that is not undone here (RFC 9110, 15.5.16 and 12.5.3)."""

    def __init__(self, coding: str) -> None:
        detail = f"this body is said to be compressed ({coding}), and none is unpacked here; send the bytes as they are"
        super().__init__(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail, {"Accept-Encoding": "identity"})


class BodyTooSlow(OverLimit):
    """A request body that arrives too slowly."""

    def __init__(self, detail: str, *, setting: str) -> None:
        super().__init__(HTTPStatus.REQUEST_TIMEOUT, detail, setting=setting)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and title for a kind of error."""

    status: HTTPStatus
    title: str


# The first line that fits counts, so that a subclass stands before its base.
ANSWERS: Sequence[tuple[type[PhytobatchError], Answer]] = (
    (NotFound, Answer(HTTPStatus.NOT_FOUND, "Not found")),
    (IdempotencyInProgress, Answer(HTTPStatus.CONFLICT, "The first request still runs")),
    (Conflict, Answer(HTTPStatus.CONFLICT, "The state does not allow this")),
    (LimitExceeded, Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "Over a limit")),
    (NotAcceptable, Answer(HTTPStatus.NOT_ACCEPTABLE, "No such format")),
    (InvalidRequest, Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "The request cannot work")),
    (Unauthenticated, Answer(HTTPStatus.UNAUTHORIZED, "No valid API key")),
    (Forbidden, Answer(HTTPStatus.FORBIDDEN, "Not allowed")),
    # RFC 6585 has 429 for what is too much now: it passes later, and Retry-After says when to ask. What would not fit
    # even alone never passes, and a client that is told 429 would go on asking.
    (QuotaTooSmall, Answer(HTTPStatus.FORBIDDEN, "Over the quota")),
    (QuotaExceeded, Answer(HTTPStatus.TOO_MANY_REQUESTS, "Over the quota")),
    (TooManyAtATime, Answer(HTTPStatus.TOO_MANY_REQUESTS, "Too many at a time")),
    (RateLimited, Answer(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests")),
    (Unavailable, Answer(HTTPStatus.SERVICE_UNAVAILABLE, "Try again later")),
)

# What Starlette and FastAPI raise by themselves: status to (status, code, sentence).
HTTP_PROBLEMS: Mapping[int, tuple[HTTPStatus, str, str | None]] = {
    400: (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", None),
    404: (HTTPStatus.NOT_FOUND, "not-found", "there is no such address; GET /openapi.json lists those that are"),
    405: (HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", "this address does not take this method; see Allow"),
    408: (HTTPStatus.REQUEST_TIMEOUT, "body-too-slow", None),
    413: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", None),
    414: (HTTPStatus.REQUEST_URI_TOO_LONG, "url-too-long", None),
    415: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "body-compressed", None),
    431: (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large", None),
}

REFUSED = "a value of this request cannot be stored, and nothing of it was taken; tell the operator the request id"
INTERNAL = "something went wrong on our side; tell the operator the request id"


def too_deep(limit: int) -> LimitExceeded:
    """Make the error for a JSON body that is nested too deep."""
    return LimitExceeded(
        f"objects and lists may stand {limit} deep in each other, here it is more; make it flatter",
        setting="PHYTOBATCH_MAX_JSON_DEPTH",
    )


def request_id_of(request: Request) -> str:
    """Return the id that the middleware gave to this request."""
    return str(getattr(request.state, "request_id", ""))


def problem(  # the members of a problem
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    title: str | None = None,
    headers: Mapping[str, str] | None = None,
    **members: Any,  # noqa: ANN401  # JSON members of our own
) -> JSONResponse:
    """Make a problem document without members that are ``None``. It repeats only the path of the request."""
    body = {
        "type": TYPE_PREFIX + code,
        "title": title or HTTPStatus(status).phrase,
        "status": int(status),
        "detail": stored.words(detail, MAX_DETAIL),
        "instance": link(request.url.path),
        "request_id": request_id_of(request),
        **{name: value for name, value in members.items() if value is not None},
    }
    return JSONResponse(body, status, dict(headers or {}), media_type=MEDIA_TYPE)


def answer_domain_error(request: Request, error: Exception) -> JSONResponse:
    """Answer an error of ours; those that no client can cause become a 500."""
    if not isinstance(error, PhytobatchError):
        raise error
    for kind, answer in ANSWERS:
        if isinstance(error, kind):
            setting = error.setting if isinstance(error, (LimitExceeded, QuotaExceeded, RateLimited)) else None
            rows = error.rows if isinstance(error, RowsInvalid) else ()
            return problem(
                request,
                answer.status,
                error.code,
                str(error),
                title=answer.title,
                headers=_headers(error),
                setting=setting,
                quota=dict(error.quota) if isinstance(error, QuotaExceeded) else None,
                errors=[_field_error(where, what) for where, what in rows[:MAX_FIELD_ERRORS]] or None,
            )
    return internal_error(request, error)


def answer_refusal(request: Request, error: Exception) -> JSONResponse:
    """Answer for a value that no type caught and the database refuses: nothing is stored, and the client can mend it.

    It is logged as a fault of ours all the same. What cannot be read is none of the client's doing, and neither is what
    a constraint refuses.
    """
    if request.method in READING:
        raise error
    log.error("value_refused", method=request.method, path=request.url.path, exc_info=error)
    return problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", REFUSED)


def _headers(error: PhytobatchError) -> dict[str, str]:
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="phytobatch"'}
    if isinstance(error, (Unavailable, QuotaExceeded, RateLimited)) and error.retry_after is not None:
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, IdempotencyInProgress):
        return {"Retry-After": str(IDEMPOTENCY_RETRY_SECONDS)}
    return {}


def answer_invalid(request: Request, error: Exception) -> JSONResponse:
    """Answer a request that does not fit its schema; a malformed job id is a job that does not exist."""
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    if any(e["loc"][0] == "path" for e in found) and _literal(request):
        return answer_http_error(request, HTTPException(HTTPStatus.METHOD_NOT_ALLOWED))
    if found and all(e["loc"][0] == "path" for e in found):
        return problem(request, HTTPStatus.NOT_FOUND, "not-found", "there is nothing with this id", title="Not found")
    errors = [_field_error(_field(e["loc"]), e["msg"]) for e in found[:MAX_FIELD_ERRORS]]
    detail = f"{errors[0]['field']}: {errors[0]['message']}" if errors else "the request does not fit its schema"
    if len(found) > 1:
        detail += f" (and {len(found) - 1} more; see errors)"
    return problem(
        request,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-request",
        detail,
        title="The request does not fit its schema",
        errors=errors,
    )


def _field_error(field: str, message: str) -> dict[str, str]:
    """Describe what is wrong with a field, briefly: the client chose its name, and may have chosen two megabytes."""
    return FieldError(field=stored.words(field, MAX_FIELD), message=stored.words(message, MAX_MESSAGE)).model_dump()


def _field(location: Sequence[str | int]) -> str:
    """Turn ``("body", "images", 3, "size")`` into ``images.3.size``."""
    inner = [str(part) for part in location[1:]]
    return ".".join(inner) if inner and not (location[0] == "body" and inner[0].isdigit()) else str(location[0])


def answer_http_error(request: Request, error: Exception) -> JSONResponse:
    """Answer errors of the framework: unknown addresses, wrong methods, bodies that cannot be read."""
    if not isinstance(error, HTTPException):
        raise error
    status, code, sentence = HTTP_PROBLEMS.get(
        error.status_code, (HTTPStatus(error.status_code), "http-error", error.detail)
    )
    if isinstance(error.__cause__, RecursionError):  # FastAPI's "error parsing the body"
        return answer_domain_error(request, too_deep(request.app.state.services.settings.max_json_depth))
    setting = error.setting if isinstance(error, OverLimit) else None
    headers = _allow(request) if status == HTTPStatus.METHOD_NOT_ALLOWED else error.headers
    return problem(request, status, code, sentence or error.detail, headers=headers, setting=setting)


def _allow(request: Request) -> dict[str, str]:
    """List every method that the address takes; Starlette names those of its first route alone (RFC 9110, 10.2.1)."""
    taken = _literal(request) or {
        method
        for method in METHODS
        if any(r.matches({**request.scope, "method": method})[0] is Match.FULL for r in request.app.routes)
    }
    return {"Allow": ", ".join(method for method in METHODS if method in taken)}


def _literal(request: Request) -> frozenset[str]:
    """Return the methods of exactly this address: `/v1/jobs/upload` is no job, whatever the method."""
    known: Mapping[str, frozenset[str]] = request.app.state.literal_methods
    return known.get(request.url.path, frozenset())


def literal_methods(routers: Iterable[APIRouter]) -> dict[str, frozenset[str]]:
    """Map addresses without ids to the methods that each takes."""
    found: dict[str, frozenset[str]] = {}
    for route in (route for router in routers for route in router.routes if isinstance(route, APIRoute)):
        if "{" not in route.path:
            found[route.path] = found.get(route.path, frozenset()) | frozenset(route.methods or ())
    return found


def internal_error(request: Request, error: Exception) -> JSONResponse:
    """Answer a fault of ours: it is logged once with its trace, and nothing of it is in the answer."""
    log.error("request_fault", method=request.method, path=request.url.path, exc_info=error)
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", INTERNAL)


def install(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Let the application answer every error as a problem."""
    app.state.literal_methods = literal_methods(routers)
    app.add_exception_handler(PhytobatchError, answer_domain_error)
    for kind in (DataError, psycopg.DataError):  # COPY goes past SQLAlchemy.
        app.add_exception_handler(kind, answer_refusal)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(HTTPException, answer_http_error)
