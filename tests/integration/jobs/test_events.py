"""Events and their deliveries are written in the transaction that changes the state."""

import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError

from shared.contracts.job_request import JobRequest
from shared.contracts.states import DEFAULT_EVENTS, EventType, ImageStatus, JobState
from shared.db.models import SigningSecret, WebhookEndpoint
from shared.db.session import Database
from shared.jobs import lifecycle
from tests.integration.jobs.factory import Jobs


def endpoint(database: Database, tenant: uuid.UUID, *events: str, **columns: object) -> uuid.UUID:
    with database.begin() as session:
        secret = SigningSecret(tenant_id=tenant, secret="whsec_AAAA")  # noqa: S106  # nobody verifies it here
        session.add(secret)
        session.flush()
        made = WebhookEndpoint(
            tenant_id=tenant,
            secret_id=secret.id,
            url=f"https://farm.example.org/{secret.id}",
            events=list(events or DEFAULT_EVENTS),
            **columns,
        )
        session.add(made)
        session.flush()
        return made.id


def deliveries(database: Database, endpoint_id: uuid.UUID) -> list[str]:
    with database.begin() as session:
        return list(
            session.scalars(
                text("SELECT event_type FROM webhook_deliveries WHERE endpoint_id = :id ORDER BY id"),
                {"id": endpoint_id},
            )
        )


def test_each_change_of_state_is_delivered_once_to_those_who_asked_for_it(jobs: Jobs, database: Database) -> None:
    tenant = jobs.tenant()
    everything = endpoint(database, tenant)
    ends = endpoint(database, tenant, EventType.JOB_COMPLETED)
    off = endpoint(database, tenant, enabled=False, disabled_reason="by_request")
    other = endpoint(database, jobs.tenant())
    jobs.queued(images=2, chunk_images=1, tenant=tenant)
    jobs.finish(jobs.claim())
    jobs.finish(jobs.claim())
    assert deliveries(database, everything) == ["job.validated", "job.started", "job.completed"]
    assert deliveries(database, ends) == ["job.completed"]
    assert deliveries(database, off) == []
    assert deliveries(database, other) == []


def test_what_is_rolled_back_is_delivered_to_nobody(jobs: Jobs, database: Database) -> None:
    tenant = jobs.tenant()
    told = endpoint(database, tenant)
    job_id = jobs.draft(tenant=tenant)

    def cancel_and_break() -> None:
        with database.begin() as session:
            lifecycle.cancel(session, job_id)
            session.execute(text("SELECT 1 / 0"))

    with pytest.raises(DataError):
        cancel_and_break()
    assert jobs.get(job_id).state == JobState.DRAFT
    assert deliveries(database, told) == []
    with database.begin() as session:
        lifecycle.cancel(session, job_id)
    assert deliveries(database, told) == ["job.canceled"]


def test_the_address_of_a_job_is_told_of_that_job_alone(jobs: Jobs, database: Database) -> None:
    tenant = jobs.tenant()
    own = endpoint(database, tenant, per_job=True)
    other = jobs.draft(tenant=tenant)
    with database.begin() as session:
        mine = lifecycle.create_draft(session, tenant, JobRequest(), draft_hours=1, webhook_endpoint_id=own).id
    with database.begin() as session:
        lifecycle.cancel(session, mine)
        lifecycle.cancel(session, other)
    assert deliveries(database, own) == ["job.canceled"]


def age(database: Database, job_id: uuid.UUID, seconds: int) -> None:
    with database.begin() as session:
        session.execute(
            text(
                "UPDATE jobs SET started_at = started_at - make_interval(secs => :s), "
                "progress_event_at = progress_event_at - make_interval(secs => :s) WHERE id = :id"
            ),
            {"s": seconds, "id": job_id},
        )


def test_progress_is_told_every_ten_seconds_at_most_and_only_to_those_who_asked(jobs: Jobs, database: Database) -> None:
    tenant = jobs.tenant()
    asked = endpoint(database, tenant, EventType.JOB_PROGRESS)
    default = endpoint(database, tenant)
    job_id = jobs.queued(images=6, chunk_images=1, tenant=tenant)
    jobs.finish(jobs.claim())
    assert deliveries(database, asked) == []
    age(database, job_id, 11)
    jobs.finish(jobs.claim())
    jobs.finish(jobs.claim())
    assert deliveries(database, asked) == ["job.progress"]
    age(database, job_id, 9)
    jobs.finish(jobs.claim())
    assert deliveries(database, asked) == ["job.progress"]
    age(database, job_id, 2)
    jobs.finish(jobs.claim())
    assert deliveries(database, asked) == ["job.progress"] * 2
    assert "job.progress" not in deliveries(database, default)


def test_an_event_says_how_the_job_stood(jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued(images=2, chunk_images=1)
    jobs.finish(jobs.claim(), status=ImageStatus.FAILED)
    jobs.finish(jobs.claim())
    with database.begin() as session:
        rows = session.execute(text("SELECT type, revision, data FROM events ORDER BY revision")).all()
    last = rows[-1]
    assert last.type == "job.completed_with_errors"
    assert last.data["job_id"] == str(job_id)
    assert last.data["revision"] == last.revision == jobs.get(job_id).revision
    assert last.data["counts"] == {
        "total": 2,
        "pending": 0,
        "succeeded": 1,
        "failed": 1,
        "rejected": 0,
        "canceled": 0,
    }
    assert [r.revision for r in rows] == sorted({r.revision for r in rows}), "each event has a revision of its own"
