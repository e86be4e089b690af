"""The OpenAPI document: FastAPI's, with the schema of the problems."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api.classifiers.schemas import ClassifierList, ModelList
from api.corrections.schemas import CorrectionOut, CorrectionPage
from api.errors import Problem
from api.exports.schemas import ExportOut, ExportPage
from api.health import Ready
from api.predict.schemas import Prediction
from api.receipts.schemas import ReceiptOut, ReceiptPage
from api.results.schemas import ResultPage
from api.summaries.schemas import GridOut, SummaryOut
from api.webhooks.delivery_schemas import DeliveryOut, DeliveryPage, DeliveryWithAttempts
from api.webhooks.schemas import EndpointOut, EndpointPage, EndpointWithSecret, JobSecretOut, NewJobSecret
from api.wire.jobs import JobOut, JobPage

DESCRIPTION = """Asynchronous batch classification of plant photographs.

Create a job, name its images, upload them to the URLs that you get, commit; then poll the job and read its results,
also while it runs. Errors are `application/problem+json` (RFC 9457); their `type` is stable."""

TAGS = [
    {"name": "jobs", "description": "Sets of images."},
    {"name": "geography", "description": "Where the images were taken."},
    {"name": "results", "description": "What became of each image."},
    {"name": "summaries", "description": "What a whole job says."},
    {"name": "exports", "description": "Results as files."},
    {"name": "corrections", "description": "What people say of images, beside what the classifier says."},
    {"name": "images", "description": "The images themselves."},
    {"name": "receipts", "description": "What was removed, when and why."},
    {"name": "classifiers", "description": "The classifiers that jobs can ask for."},
    {"name": "predict", "description": "One image, answered at once."},
    {"name": "webhooks", "description": "Who is told of what happens to jobs."},
    {"name": "deliveries", "description": "What is under way to webhooks, what arrived, and every attempt."},
    {"name": "operation", "description": "For whoever runs the service."},
]
WITH_NULLS: tuple[type[BaseModel], ...] = (
    JobOut,
    JobPage,
    ResultPage,
    SummaryOut,
    GridOut,
    ExportOut,
    ExportPage,
    CorrectionOut,
    CorrectionPage,
    ReceiptOut,
    ReceiptPage,
    Prediction,
    ClassifierList,
    ModelList,
    Ready,
    EndpointOut,
    EndpointWithSecret,
    EndpointPage,
    JobSecretOut,
    NewJobSecret,
    DeliveryOut,
    DeliveryWithAttempts,
    DeliveryPage,
)
REFERENCE = "#/components/schemas/{model}"


LICENSE = {"name": "Apache 2.0", "identifier": "Apache-2.0"}


def install(app: FastAPI, prefix: str) -> None:
    """Let the application, which stands below ``prefix``, describe itself."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, [{"url": prefix or "/"}])
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]  # FastAPI's documented way to change the document


def _document(app: FastAPI, servers: list[dict[str, Any]]) -> dict[str, Any]:
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
    for model in WITH_NULLS:
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
