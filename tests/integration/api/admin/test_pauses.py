"""Pausing and draining by command: what is said, what is shown, and that the job says it too."""

import json
import uuid
from datetime import timedelta

from sqlalchemy import text

from shared.db.session import Database
from shared.jobs import claims
from tests.integration.api.admin.conftest import Admin
from tests.integration.jobs.factory import Jobs


def tenant_of(database: Database, job_id: uuid.UUID) -> str:
    with database.begin() as session:
        owner = text("SELECT t.name FROM tenants t JOIN jobs j ON j.tenant_id = t.id WHERE j.id = :id")
        return str(session.execute(owner, {"id": job_id}).scalar_one())


def test_a_tenant_is_paused_and_goes_on(admin: Admin, jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued()
    tenant = tenant_of(database, job_id)
    assert "`resume-tenant" in admin.say("--as", "mia", "pause-tenant", tenant, "--because", "unpaid bill")
    assert admin("pause-tenant", tenant)[0] == 1
    assert jobs.try_claim() is None
    (row,) = admin.rows("list-pauses")
    assert (row[0], row[1], row[-1]) == ("tenant", tenant, "unpaid bill")
    assert row[-2].startswith("mia@")
    (shown,) = [row for row in admin.rows("list-tenants") if row[0] == tenant]
    assert shown[5][2] == "-", "since when"
    assert "the end of its pause" in admin.say("list-jobs")
    assert admin.say("resume-tenant", tenant) == f"Tenant {tenant} goes on."
    assert jobs.try_claim() is not None
    assert admin("resume-tenant", tenant)[0] == 1
    assert admin.say("list-pauses") == "Nothing is paused."
    assert [row[3] for row in admin.rows("audit", "--action", "pause")] == ["pause.begin", "pause.end"]


def test_a_pool_and_everything_are_paused_and_doctor_says_so(admin: Admin, jobs: Jobs) -> None:
    jobs.queued()
    admin.say("pause-pool", "leaf-test", "1")
    assert jobs.try_claim() is None
    admin.say("pause", "--because", "new disks")
    said = [finding for finding in json.loads(admin("doctor", "--json")[1]) if finding["check"] == "paused"]
    assert [(one["level"], one["said"].split(",")[0]) for one in said] == [
        ("WARN", "classifier leaf-test@1"),
        ("WARN", "everything"),
    ]
    assert "because: new disks" in said[1]["said"]
    admin.say("resume-pool", "leaf-test", "1")
    assert jobs.try_claim() is None
    admin.say("resume")
    assert jobs.try_claim() is not None
    assert admin("pause-pool", "leaf-test", "9")[0] == 1


def test_a_drained_worker_is_waited_for(admin: Admin, jobs: Jobs, database: Database) -> None:
    jobs.queued(images=4, chunk_images=2)
    held = jobs.claim()  # by the worker "test"
    status, _, refused = admin("drain-worker", "test", "--wait", "1s")
    assert (status, "still holds 1 chunks" in refused) == (1, True)
    assert jobs.try_claim() is None
    assert admin.rows("list-workers")[0][-1] == "yes"
    with database.begin() as session:
        claims.renew(session, held, lease_seconds=timedelta(hours=1).total_seconds())
    admin.say("undrain-worker", "test")
    jobs.finish(held)
    said = admin.say("drain-worker", "test", "--wait", "1h")
    assert "holds no chunk" in said
