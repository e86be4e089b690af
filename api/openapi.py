"""The OpenAPI document: FastAPI's, with the schema of the problems."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from api.auth import Requires
from api.errors import Problem

DESCRIPTION = """Asynchronous batch classification of plant photographs.

Create a job, name its images, upload them to the URLs that you get, commit; then poll the job and read its results,
also while it runs. Errors are `application/problem+json` (RFC 9457); their `type` is stable."""

TAGS = [
    {"name": "jobs", "description": "Sets of images."},
    {"name": "geography", "description": "Positions of the images."},
    {"name": "results", "description": "The result of each image."},
    {"name": "summaries", "description": "Results of a job as a whole."},
    {"name": "exports", "description": "Results as files."},
    {"name": "corrections", "description": "Labels that people give to images, beside the predictions."},
    {"name": "images", "description": "The images themselves."},
    {"name": "receipts", "description": "Removals, with their moment and reason."},
    {"name": "classifiers", "description": "The classifiers that jobs can ask for."},
    {"name": "predict", "description": "One image, answered at once."},
    {"name": "webhooks", "description": "Endpoints that receive the events of jobs."},
    {"name": "deliveries", "description": "Events on their way to webhooks, delivered ones, and every attempt."},
    {"name": "operation", "description": "For operators of the service."},
]
REFERENCE = "#/components/schemas/{model}"


LICENSE = {"name": "Apache 2.0", "identifier": "Apache-2.0"}


def install(app: FastAPI, prefix: str, routers: Sequence[APIRouter]) -> None:
    """Let the application, which stands below ``prefix``, describe itself."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, [{"url": prefix or "/"}], routers)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # FastAPI's documented way to change the document


def response_models(routers: Iterable[APIRouter]) -> Iterator[type[BaseModel]]:
    """Yield the models that routes answer with, each once."""
    answers = [
        (route.response_model, *(one.get("model") for one in route.responses.values())) for route in _routes(routers)
    ]
    for model in dict.fromkeys(model for models in answers for model in models):
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield model


def _routes(routers: Iterable[APIRouter]) -> list[APIRoute]:
    return [route for router in routers for route in router.routes if isinstance(route, APIRoute)]


def _scope(route: APIRoute) -> str:
    """Return the scope that a key needs for a route; empty where none is asked for."""
    needed = [one.call.scope for one in route.dependant.dependencies if isinstance(one.call, Requires)]
    return str(needed[0]) if needed else ""


def _document(app: FastAPI, servers: list[dict[str, Any]], routers: Iterable[APIRouter]) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=TAGS,
        servers=servers,
        license_info=LICENSE,
    )
    schemas: dict[str, Any] = document["components"]["schemas"]
    for model in response_models(routers):
        # FastAPI leaves every null out of the document; in an example it is a field that would be missing.
        schemas[model.__name__]["examples"] = model.model_json_schema()["examples"]
    scopes = {route.operation_id: _scope(route) for route in _routes(routers)}
    for operation in (one for methods in document["paths"].values() for one in methods.values()):
        for parameter in operation.get("parameters", ()):
            parameter["schema"] = _without_null(parameter["schema"])
        for scheme in operation.get("security", ()):
            # OpenAPI 3.1: a scheme that is not OAuth may name the roles that a caller needs.
            scheme.update({name: [scopes[operation["operationId"]]] for name in scheme})
    problem = Problem.model_json_schema(ref_template=REFERENCE)
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    return _renamed(document)


def _renamed(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with the names that generated clients shall have: ``Job``, where we write ``JobOut``."""
    schemas = document["components"]["schemas"]
    plain_names = {name: name.removesuffix("Out") for name in schemas}
    names = {name: plain if plain not in schemas else name for name, plain in plain_names.items()}
    text = json.dumps(document)
    for name, plain in names.items():
        if name != plain:
            text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{plain}"')
    renamed: dict[str, Any] = json.loads(text)
    renamed["components"]["schemas"] = {
        names[name]: {**schema, "title": names[name]} for name, schema in renamed["components"]["schemas"].items()
    }
    return renamed


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter as it can be sent: an address or a header has no null, it is left out."""
    match schema.pop("anyOf", None):
        case None:
            return schema
        case [one, {"type": "null"}]:
            return {**one, **schema}
        case several:
            return {"anyOf": several, **schema}
