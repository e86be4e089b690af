"""One request and its repeats. The only file that sends to the API."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import HTTPError

from phytobatch.errors import RATE_LIMITED, ApiError, NetworkError, Problem
from phytobatch.network import network_error
from phytobatch.pools import CONNECT_SECONDS, Pools
from phytobatch.problems import error_of
from phytobatch.resources import JsonObject
from phytobatch.retry import RetryPolicy, parse_retry_after
from phytobatch.streams import Stream
from phytobatch.text import utf8

IDEMPOTENCY_HEADER = "Idempotency-Key"
_IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})

T = TypeVar("T")

OnRetry = Callable[[Exception, float], None]
"""Called before each pause with the error and the seconds."""


def package_version() -> str:
    """Return the version of this package as it is installed."""
    from importlib.metadata import PackageNotFoundError, version  # 30 ms, for a header and `phytobatch version`

    try:
        return version("phytobatch")
    except PackageNotFoundError:
        return "0+unknown"


@dataclass(frozen=True)
class Request:
    """A request to send.

    ``repeatable`` says that a POST without an Idempotency-Key is idempotent by itself, ``wants_location`` that the
    answer is a redirect, which is never followed: the key must not go to another server. ``answers`` are statuses
    besides 2xx whose body is an answer and no problem.
    """

    method: str
    path: str
    query: Mapping[str, str | float | Sequence[str] | None] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    repeatable: bool = False
    wants_location: bool = False
    answers: frozenset[int] = frozenset()

    @property
    def may_repeat(self) -> bool:
        """True if sending it twice does the same as sending it once."""
        return self.repeatable or self.method in _IDEMPOTENT_METHODS or IDEMPOTENCY_HEADER in self.headers

    @property
    def target(self) -> str:
        """Path and query; parameters that are None are left out, a list stands once for each of its values.

        Raises:
            ConfigurationError: a parameter is no text.
        """
        fields = {name: _sendable(value) for name, value in self.query.items() if value is not None}
        return f"{self.path}?{urlencode(fields, doseq=True)}" if fields else self.path


@dataclass(frozen=True)
class Answer:
    """A 2xx or 304 answer, or a redirect that was requested. The names of ``headers`` are read in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> JsonObject:
        """Read the body as a JSON object.

        Raises:
            ApiError: it is none; then the address is that of something else.
        """
        return self.parse(lambda data: data)

    def parse(self, read: Callable[[JsonObject], T]) -> T:
        """Return what ``read`` makes of the body as a JSON object.

        Raises:
            ApiError: the body is none, or lacks what ``read`` needs.
        """
        try:
            data = json.loads(self.body)
            if isinstance(data, dict):
                return read(data)
        except (KeyError, TypeError, ValueError):
            pass
        detail = "The answer is not that of a Phytobatch server; look at PHYTOBATCH_URL or --url."
        raise ApiError(Problem(self.status, "unexpected-answer", "Unexpected answer", detail))

    @property
    def retry_after(self) -> float | None:
        """Seconds after which the server expects the next request."""
        return parse_retry_after(self.headers.get("Retry-After"))

    @property
    def date(self) -> datetime | None:
        """The time at which the server made it, by its own clock (RFC 9110 section 6.6.1)."""
        try:
            return parsedate_to_datetime(self.headers["Date"])
        except (KeyError, TypeError, ValueError):  # Python before 3.10 raises a TypeError for what is no date.
            return None


def _sendable(value: str | float | Sequence[str]) -> float | bytes | list[bytes]:
    if isinstance(value, str):
        return utf8(value)
    return value if isinstance(value, (int, float)) else [utf8(each) for each in value]


class Transport:
    """Sends requests with the key, and again where that is safe. Thread-safe. The key is in no repr and no message."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        pools: Pools,
        policy: RetryPolicy,
        *,
        on_retry: OnRetry | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.base_url = base_url
        self.pools = pools
        self.sleep = sleep
        self._api_key = api_key
        self._policy = policy
        self._on_retry = on_retry

    def __repr__(self) -> str:
        return f"Transport({self.base_url!r})"

    def with_policy(
        self, policy: RetryPolicy, *, on_retry: OnRetry | None = None, sleep: Callable[[float], object] = time.sleep
    ) -> Transport:
        """Return a transport with the same connections and key and another patience."""
        return Transport(self.base_url, self._api_key, self.pools, policy, on_retry=on_retry, sleep=sleep)

    def send(self, request: Request) -> Answer:
        """Send a request, and again while that is safe, may help, and fits into the policy's total time.

        Raises:
            NetworkError: no answer arrived.
            ApiError: the answer is neither 2xx nor 304.
        """
        return self.repeat(lambda: self._once(request), lambda error: request.may_repeat or error.did_nothing)

    def repeat(self, attempt: Callable[[], T], is_safe: Callable[[NetworkError | ApiError], bool]) -> T:
        """Make an attempt, and again while that is safe, may help, and fits into the policy's total time.

        Raises:
            NetworkError, ApiError: the error of the last attempt.
        """
        started = time.monotonic()
        for number in itertools.count():
            try:
                return attempt()
            except (NetworkError, ApiError) as error:
                if not (error.retryable and is_safe(error)):
                    raise
                self.pause(error, number, time.monotonic() - started)
        raise AssertionError  # pragma: no cover  # count() never ends

    def pause(self, error: NetworkError | ApiError, attempt: int, elapsed: float) -> None:
        """Wait before the repeat that follows failed attempt number ``attempt`` (from 0), and tell whoever listens.

        Raises:
            NetworkError, ApiError: the error itself, where the repeat would come too late.
        """
        retry_after = error.problem.retry_after if isinstance(error, ApiError) else None
        limited = isinstance(error, ApiError) and error.code == RATE_LIMITED
        pause = self._policy.pause(attempt, elapsed=elapsed, retry_after=retry_after, rate_limited=limited)
        if pause is None:
            raise error
        if self._on_retry is not None:
            self._on_retry(error, pause)
        self.sleep(pause)

    def open(self, request: Request, *, read_seconds: float) -> Stream:
        """Send a request once, and leave the body of its answer to be read as it comes.

        Raises:
            NetworkError: no answer began within ``read_seconds``.
            ApiError: the answer is not 2xx.
        """
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds)
        response = self._respond(request, preload_content=False, timeout=timeout)
        if not _is_ok(response):
            try:
                body = response.data
            except HTTPError as error:
                raise network_error(self.base_url, error) from error
            raise error_of(response.status, response.headers, body)
        return Stream(response, self.base_url)

    def _once(self, request: Request) -> Answer:
        response = self._respond(request)
        if response.status in request.answers:
            return Answer(response.status, response.headers, response.data)
        if not (_is_ok(response) or response.status == HTTPStatus.NOT_MODIFIED or _is_wanted(request, response)):
            raise error_of(response.status, response.headers, response.data)
        return Answer(response.status, response.headers, response.data)

    def _respond(self, request: Request, **how: Any) -> urllib3.BaseHTTPResponse:  # noqa: ANN401  # urllib3's own
        headers = {
            "X-API-Key": self._api_key,
            "Accept": "application/json",
            "User-Agent": f"phytobatch/{package_version()}",
            **request.headers,
        }
        url = self.base_url + request.target
        try:
            return self.pools.of(url).request(
                request.method, url, body=request.body, headers=headers, redirect=False, **how
            )
        except HTTPError as error:
            raise network_error(self.base_url, error) from error


def _is_wanted(request: Request, response: urllib3.BaseHTTPResponse) -> bool:
    is_redirect = HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST
    return request.wants_location and is_redirect and "Location" in response.headers


def _is_ok(response: urllib3.BaseHTTPResponse) -> bool:
    return HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES
