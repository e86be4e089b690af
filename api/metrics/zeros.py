"""The series that an API process shows from its start."""

from collections.abc import Iterable

from fastapi import APIRouter
from fastapi.routing import APIRoute

from api.metrics.requests import CLIENT_LEFT, METHODS, OTHER, WAITING_BY_QUERY, WAITING_ROUTES
from shared.metrics.definitions import HTTP_REQUESTS, HTTP_SECONDS, HTTP_WAIT_SECONDS
from shared.metrics.exposition import Zeros
from shared.storage.s3_call import STORE_ZEROS

# What no route announces and any may answer: a fault of ours, and nobody left to answer.
ANY_ROUTE = (500, CLIENT_LEFT)
UNKNOWN_ROUTE = [(method, OTHER) for method in sorted(METHODS | {OTHER})]


def api_zeros(routers: Iterable[APIRouter]) -> Zeros:
    """Return the series of every route: each status that it announces, and each method that it has."""
    calls = [
        (method, route.path, {str(status) for status in (route.status_code or 200, *route.responses, *ANY_ROUTE)})
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    ]
    named = [(method, path) for method, path, _ in calls]
    return {
        HTTP_REQUESTS: [
            *((method, path, status) for method, path, known in calls for status in known),
            *((method, route, "404") for method, route in UNKNOWN_ROUTE),
        ],
        HTTP_SECONDS: [call for call in named if call[1] not in WAITING_ROUTES] + UNKNOWN_ROUTE,
        HTTP_WAIT_SECONDS: [
            (method, path)
            for method, path in named
            if path in WAITING_ROUTES or (path in WAITING_BY_QUERY and method == "GET")
        ],
        **STORE_ZEROS,
    }
