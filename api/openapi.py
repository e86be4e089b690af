"""The OpenAPI document: FastAPI's, with the schema of the problems."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

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
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    answers = [(route.response_model, *(one.get("model") for one in route.responses.values())) for route in routes]
    for model in dict.fromkeys(model for models in answers for model in models):
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield model


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
    for operation in (one for methods in document["paths"].values() for one in methods.values()):
        for parameter in operation.get("parameters", ()):
            parameter["schema"] = _without_null(parameter["schema"])
    problem = Problem.model_json_schema(ref_template=REFERENCE)
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    return document


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter as it can be sent: an address or a header has no null, it is left out."""
    match schema.pop("anyOf", None):
        case None:
            return schema
        case [one, {"type": "null"}]:
            return {**one, **schema}
        case several:
            return {"anyOf": several, **schema}
