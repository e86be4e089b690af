"""Links of an API that stands below another address, as ``https://farm.example/phyto``: each begins with its path.

The path is that of ``PHYTOBATCH_PUBLIC_URL``, and no header of a request changes it. A proxy may take it away before it
asks the API, or leave it where it is.
"""

from contextvars import ContextVar

from starlette.types import ASGIApp, Receive, Scope, Send

PREFIX: ContextVar[str] = ContextVar("prefix", default="")


def link(path: str) -> str:
    """Return a path of the API as the client of this request has to write it."""
    return PREFIX.get() + path


class BelowAPath:
    """A middleware that answers below the prefix as at the root, with the prefix in every link."""

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
