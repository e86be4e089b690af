"""One request and its repeats. The only file that sends to the API."""

import itertools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError, SSLError
from urllib3.exceptions import TimeoutError as TookTooLong

from client.errors import ApiError, NetworkError, Problem
from client.pools import Pools
from client.problems import error_of
from client.resources import JsonObject
from client.retry import RetryPolicy, parse_retry_after

IDEMPOTENCY_HEADER = "Idempotency-Key"
_IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})

T = TypeVar("T")

OnRetry = Callable[[Exception, float], None]
"""Called before each pause with the error and the seconds."""


def package_version() -> str:
    """The version of this package as it is installed."""
    try:
        return version("phytobatch")
    except PackageNotFoundError:
        return "0+unknown"


@dataclass(frozen=True, slots=True)
class Request:
    """What to send. ``repeatable`` says that a POST without an Idempotency-Key is idempotent by itself."""

    method: str
    path: str
    query: Mapping[str, str | int | None] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    repeatable: bool = False

    @property
    def may_repeat(self) -> bool:
        """Whether sending it twice does the same as sending it once."""
        return self.repeatable or self.method in _IDEMPOTENT_METHODS or IDEMPOTENCY_HEADER in self.headers

    @property
    def target(self) -> str:
        """Path and query; parameters that are None are left out."""
        given = {name: value for name, value in self.query.items() if value is not None}
        return f"{self.path}?{urlencode(given)}" if given else self.path


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx or 304 answer. ``headers`` are looked up without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def json(self) -> JsonObject:
        """The body as a JSON object.

        Raises:
            ApiError: it is none; then the address is that of something else.
        """
        return self.parse(lambda data: data)

    def parse(self, read: Callable[[JsonObject], T]) -> T:
        """What ``read`` makes of the body as a JSON object.

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
        """Seconds after which the server wants to be asked again."""
        return parse_retry_after(self.headers.get("Retry-After"))


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
        self._api_key = api_key
        self._policy = policy
        self._on_retry = on_retry
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"Transport({self.base_url!r})"

    def with_policy(
        self, policy: RetryPolicy, *, on_retry: OnRetry | None, sleep: Callable[[float], object]
    ) -> "Transport":
        """The same connections and key with another patience."""
        return Transport(self.base_url, self._api_key, self.pools, policy, on_retry=on_retry, sleep=sleep)

    def send(self, request: Request) -> Answer:
        """Send a request, and again while that is safe, may help, and fits into the policy's total time.

        Raises:
            NetworkError: no answer arrived.
            ApiError: the answer is neither 2xx nor 304.
        """
        started = time.monotonic()
        for attempt in itertools.count():
            try:
                return self._once(request)
            except (NetworkError, ApiError) as error:
                pause = self._pause(request, error, attempt, time.monotonic() - started)
                if pause is None:
                    raise
                if self._on_retry is not None:
                    self._on_retry(error, pause)
                self._sleep(pause)
        raise AssertionError  # pragma: no cover  # count() never ends

    def _pause(self, request: Request, error: NetworkError | ApiError, attempt: int, elapsed: float) -> float | None:
        if not (error.retryable and request.may_repeat):
            return None
        asked = error.problem.retry_after if isinstance(error, ApiError) else None
        return self._policy.pause(attempt, elapsed=elapsed, retry_after=asked)

    def _once(self, request: Request) -> Answer:
        headers = {
            "X-API-Key": self._api_key,
            "Accept": "application/json",
            "User-Agent": f"phytobatch/{package_version()}",
            **request.headers,
        }
        url = self.base_url + request.target
        try:
            response = self.pools.of(url).request(
                request.method, url, body=request.body, headers=headers, redirect=False
            )
        except HTTPError as error:
            raise network_error(self.base_url, error) from error
        return _answer(response)


def network_error(where: str, error: HTTPError) -> NetworkError:
    """The typed error for what urllib3 raised. The reason is in words; the address has no query in it."""
    if isinstance(error, SSLError):
        message = f"The certificate of {where} cannot be trusted, or TLS failed: {error}. Nothing was sent."
        return NetworkError(message, retryable="CERTIFICATE_VERIFY_FAILED" not in str(error))
    return NetworkError(f"No answer from {where}: {_reason(error)}.")


def _reason(error: HTTPError) -> str:
    # The cause that the operating system gave reads best: "Connection refused" instead of an object's repr.
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    for kind, words in _REASONS:
        if isinstance(error, kind):
            return words
    return type(error).__name__


_REASONS: tuple[tuple[type[HTTPError], str], ...] = (
    (TookTooLong, "it took too long"),
    (ProtocolError, "the connection broke"),
)


def _answer(response: urllib3.BaseHTTPResponse) -> Answer:
    ok = HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES
    if not ok and response.status != HTTPStatus.NOT_MODIFIED:
        raise error_of(response.status, response.headers, response.data)
    return Answer(response.status, response.headers, response.data)
