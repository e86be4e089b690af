"""Links of an API that stands below another address, as ``https://farm.example/phyto``: each begins with its path.

The path is that of ``PHYTOBATCH_PUBLIC_URL``, and no header of a request changes it. A proxy may take it away before it
asks the API, or leave it where it is.
"""

import re
from contextvars import ContextVar
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import ConfigurationError

PREFIX: ContextVar[str] = ContextVar("prefix", default="")
SEGMENTS = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
# Nobody could tell these from the addresses of the API itself.
OWN = frozenset({"v1", "predict", "docs", "openapi.json", "healthz", "readyz"})


def link(path: str) -> str:
    """Give the path of an address of the API as whoever asks now has to write it."""
    return PREFIX.get() + path


def prefix_of(public_url: str | None) -> str:
    """Give the path of the public address, without a slash at its end; empty where it has none.

    Raises:
        ConfigurationError: its path cannot be one.
    """
    path = urlsplit(public_url or "").path.rstrip("/")
    if not SEGMENTS.fullmatch(path) or {".", ".."} & {*path.split("/")}:
        raise ConfigurationError(
            f"PHYTOBATCH_PUBLIC_URL: the path {path!r} may have letters, digits and . _ ~ - between its slashes"
        )
    if path[1:].partition("/")[0] in OWN:
        raise ConfigurationError(f"PHYTOBATCH_PUBLIC_URL: the path {path!r} is one of the API itself; take another")
    return path


class BelowAPath:
    """Answer below the prefix as at the root, with the prefix in every link."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = PREFIX.set(self._prefix)
        try:
            await self._app(self._without_prefix(scope), receive, send)
        finally:
            PREFIX.reset(token)

    def _without_prefix(self, scope: Scope) -> Scope:
        if not f"{scope['path']}/".startswith(f"{self._prefix}/"):
            return scope
        length = len(self._prefix)
        path, raw = scope["path"][length:], scope.get("raw_path", b"")[length:]
        return {**scope, "path": path or "/", "raw_path": raw or b"/"}
