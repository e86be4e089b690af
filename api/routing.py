"""Routers whose routes authenticate before they read a body."""

from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from api.auth import Requires
from api.services import Services


class KeyFirstRoute(APIRoute):
    """A route that admits its caller first, and holds the caller's shares of the process.

    FastAPI reads the body before it asks for anything else. What is a `def` runs in a thread, in its turn; an
    `async def` takes a turn for each of its threads by itself, because it may last long.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Put authentication before the handler of FastAPI."""
        handler = super().get_route_handler()
        requirements = [one.call for one in self.dependant.dependencies if isinstance(one.call, Requires)]
        if not requirements:
            return handler

        is_def = not iscoroutinefunction(self.endpoint)

        async def admit_and_handle(request: Request) -> Response:
            for requirement in requirements:
                await requirement.admit(request)
            services: Services = request.app.state.services
            holder = request.state.caller.holder
            with services.bodies.take(holder, request.state.body_bytes) as request.state.body_place:
                if not is_def:
                    return await handler(request)
                body = await request.body()  # While it comes, nobody's turn is used up.
                request.state.body_place.hold(len(body))
                async with services.turns.one(holder):
                    return await handler(request)

        return admit_and_handle


class Router(APIRouter):
    """A router of such routes."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  # what FastAPI's takes
        super().__init__(route_class=KeyFirstRoute, **options)
