"""``/v1/webhooks/job-secret``: the secret that signs what goes to the ``webhook_url``s of jobs."""

from datetime import timedelta

from fastapi import Response

from api.answers import answer, problems
from api.deps import Admin, Reader, ServicesDep
from api.routing import Router
from api.webhooks.schemas import JobSecretOut, NewJobSecret, job_secret_out, new_job_secret
from shared import audit
from shared.contracts.audit import Action
from shared.webhooks import secrets

router = Router(prefix="/v1/webhooks/job-secret", tags=["webhooks"])


@router.get(
    "",
    operation_id="get_job_secret",
    summary="Get the state of the job secret",
    response_model=JobSecretOut,
    responses=problems(),
)
def get_job_secret(services: ServicesDep, caller: Reader) -> Response:
    """Say when the secret of `webhook_url`s was made and rotated; the secret itself is not shown."""
    with services.database.begin() as session:
        secret = secrets.job_secret(session, caller.tenant_id)
    return answer(job_secret_out(secret))


@router.post(
    "",
    operation_id="renew_job_secret",
    summary="Create or rotate the job secret",
    response_model=NewJobSecret,
    responses=problems(),
)
def renew_job_secret(services: ServicesDep, caller: Admin) -> Response:
    """Create or rotate the secret that signs deliveries to the `webhook_url`s of jobs.

    The secret is in this answer alone. The one before signs too for some hours.
    """
    overlap = timedelta(hours=services.settings.webhook_secret_overlap_hours)
    with services.database.begin() as session:
        secret, state = secrets.renew_job_secret(session, caller.tenant_id, overlap=overlap)
        audit.record(session, caller.actor, Action.JOB_SECRET_RENEW, caller.tenant_id, tenant_id=caller.tenant_id)
    return answer(new_job_secret(secret, state), headers={"Cache-Control": "no-store"})
