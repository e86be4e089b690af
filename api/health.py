"""Health of the process, for operators: it lives, and it can serve."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from api.answers import open_problems
from api.deps import ServicesDep

router = APIRouter(tags=["operation"])

NO_KEY: dict[str, Any] = {"security": []}


class Health(BaseModel):
    """The process lives."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "ok"}]}, json_schema_serialization_defaults_required=True
    )

    status: str = "ok"


class CheckOut(BaseModel):
    """One dependency."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    ok: bool
    required: bool
    milliseconds: float
    detail: str | None = None


class Ready(BaseModel):
    """The state of every dependency; ready when each required one works."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "ready": True,
                    "checks": {
                        "database": {"ok": True, "required": True, "milliseconds": 1.2, "detail": None},
                        "object_store": {"ok": True, "required": True, "milliseconds": 3.4, "detail": None},
                        "redis": {"ok": True, "required": False, "milliseconds": 0.4, "detail": None},
                    },
                }
            ]
        }
    )

    ready: bool
    checks: dict[str, CheckOut]


@router.get(
    "/healthz",
    operation_id="health",
    summary="Check that the process lives",
    responses=open_problems(),
    openapi_extra=NO_KEY,
)
async def health() -> Health:
    """Answer without asking any other server."""
    return Health()


@router.get(
    "/readyz",
    operation_id="ready",
    summary="Check that the process can serve",
    responses={503: {"model": Ready, "description": "A required dependency is not well."}, **open_problems()},
    openapi_extra=NO_KEY,
)
async def ready(services: ServicesDep, response: Response) -> Ready:
    """Ask the database, the object store and Redis, each for two seconds at most.

    503 when one that is required is not well; Redis is not required.
    """
    findings = await services.readiness.check()
    checks = {
        name: CheckOut(ok=c.ok, required=c.required, milliseconds=c.milliseconds, detail=c.detail)
        for name, c in findings.items()
    }
    is_ready = all(c.ok for c in checks.values() if c.required)
    response.status_code = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return Ready(ready=is_ready, checks=checks)
