"""Routers whose routes know who asks before they read a body."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from api.auth import Requires


class KeyFirstRoute(APIRoute):
    """A route that admits its caller first. FastAPI reads the body before it asks for anything else."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of FastAPI, behind the door."""
        handler = super().get_route_handler()
        doors = [one.call for one in self.dependant.dependencies if isinstance(one.call, Requires)]
        if not doors:
            return handler

        async def admit_and_handle(request: Request) -> Response:
            for door in doors:
                await door.admit(request)
            return await handler(request)

        return admit_and_handle


class Router(APIRouter):
    """A router of such routes."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401  # what FastAPI's takes
        super().__init__(route_class=KeyFirstRoute, **given)
