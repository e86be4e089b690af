"""The dependencies of routes: the services, the caller, ids and keys from the request."""

import uuid
from typing import Annotated

from fastapi import Depends, Header, Path, Request

from api.auth import Caller, Requires
from api.services import Services
from shared.contracts.states import Scope


async def services_of(request: Request) -> Services:
    """Return the services of this process. `async def`: FastAPI runs a plain function in a thread for each request."""
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(services_of)]
Submitter = Annotated[Caller, Depends(Requires(Scope.SUBMIT))]
Reader = Annotated[Caller, Depends(Requires(Scope.READ))]
Admin = Annotated[Caller, Depends(Requires(Scope.ADMIN))]

JobId = Annotated[uuid.UUID, Path(description="Id of the job.", examples=["01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10"])]
EndpointId = Annotated[uuid.UUID, Path(description="Id of the webhook.")]
DeliveryId = Annotated[uuid.UUID, Path(description="Id of the delivery.")]
IdempotencyKeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
        description="The same key and body again gets the stored answer; nothing is created twice.",
        examples=["flight-2026-06-01-north"],
    ),
]
