"""Counts and times of requests. Plain ASGI, so that bodies and answers stream through."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.metrics.definitions import HTTP_REQUESTS, HTTP_SECONDS, HTTP_WAIT_SECONDS

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Whatever a client makes up is one series.
OTHER = "other"
# What nginx calls a client that left before the answer.
CLIENT_LEFT = 499
# These wait on purpose; their seconds say how long somebody waited, not how slow the API is.
WAITING_ROUTES = frozenset({"/v1/jobs/{job_id}/events", "/predict"})
# These do where the query says so; a parameter that somebody made up makes no other route wait.
WAITING_BY_QUERY = frozenset({"/v1/jobs/{job_id}"})


class RequestMetrics:
    """The outermost middleware but one, so that it sees the status that the client gets."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = CLIENT_LEFT

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noting_status)
        finally:
            _count(scope, status, time.perf_counter() - began)


def _count(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in METHODS else OTHER
    route = route_of(scope)
    HTTP_REQUESTS.labels(method, route, str(int(status))).inc()
    histogram = HTTP_WAIT_SECONDS if waits(scope, route) else HTTP_SECONDS
    histogram.labels(method, route).observe(seconds)


def route_of(scope: Scope) -> str:
    """Return the template of the route that the router found, as ``/v1/jobs/{job_id}``."""
    return str(getattr(scope.get("route"), "path", OTHER))


def waits(scope: Scope, route: str) -> bool:
    """Return whether the answer to a request is held back until there is something new."""
    return route in WAITING_ROUTES or (route in WAITING_BY_QUERY and b"wait=" in scope["query_string"])
