"""The size of a request apart from its body: address, query, header fields, depth of its JSON."""

from collections.abc import Iterable
from http import HTTPStatus

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import OverLimit, answer_http_error, too_deep
from api.limits.rate import Standing
from shared.settings import ENV_PREFIX, Settings


class RequestLimits:
    """A middleware that refuses long addresses and heads, and says on every answer what the key has left."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            standing = scope["state"].get("rate")
            if message["type"] == "http.response.start" and isinstance(standing, Standing):
                MutableHeaders(scope=message).update(standing.headers())
            await send(message)

        too_long = _fault(scope, self._settings)
        if too_long is not None:
            await answer_http_error(Request(scope), too_long)(scope, receive, send)
            return
        await self._app(scope, receive, send_with_headers)


def _fault(scope: Scope, settings: Settings) -> OverLimit | None:
    query = len(scope["query_string"])
    address = len(scope.get("raw_path") or b"") + query + bool(query)
    fields = sum(len(name) + len(value) for name, value in scope["headers"])
    if address > settings.max_url_bytes:
        return _too_long(HTTPStatus.REQUEST_URI_TOO_LONG, "the address", settings.max_url_bytes, "max_url_bytes")
    if query > settings.max_query_bytes:
        return _too_long(HTTPStatus.REQUEST_URI_TOO_LONG, "the query", settings.max_query_bytes, "max_query_bytes")
    if fields > settings.max_header_bytes:
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        return _too_long(status, "the header fields", settings.max_header_bytes, "max_header_bytes")
    return None


def _too_long(status: HTTPStatus, what: str, limit: int, name: str) -> OverLimit:
    detail = f"{what} of this request may have {limit} bytes; send less"
    return OverLimit(status, detail, setting=f"{ENV_PREFIX}{name.upper()}")


async def check_json_depth(request: Request) -> None:
    """Return if the JSON body is not nested too deep. FastAPI has parsed it already, and keeps it.

    Raises:
        LimitExceeded: it is nested too deep.
    """
    route = request.scope.get("route")
    if getattr(route, "body_field", None) is None or "json" not in request.headers.get("content-type", ""):
        return
    limit: int = request.app.state.services.settings.max_json_depth
    try:
        is_deep = depth_exceeds(await request.json(), limit)
    except ValueError:  # No JSON at all.
        return
    if is_deep:
        raise too_deep(limit)


def depth_exceeds(value: object, limit: int) -> bool:
    """Return whether lists and objects are nested deeper than ``limit``; without recursion."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(limit):
        level = [inner for one in level for inner in _inside(one) if isinstance(inner, (dict, list))]
    return bool(level)


def _inside(one: dict[str, object] | list[object]) -> Iterable[object]:
    return one.values() if isinstance(one, dict) else one
