"""Dead letters and webhooks, seen by the operator."""

import json
import uuid

from sqlalchemy import text, update

from shared.contracts.exports import ExportFormat
from shared.contracts.states import ChunkKind, DeliveryState, EventType, ImageErrorCode, ImageStatus
from shared.db.models import WebhookDelivery
from shared.exports import claimed
from shared.jobs import claims
from shared.jobs.results import NewResult
from shared.jobs.sweep import CrashPolicy, sweep
from shared.settings import Settings
from tests.integration.api.admin.conftest import Admin
from tests.integration.jobs.factory import Jobs
from tests.integration.webhooks.factory import Outbox


def end(jobs: Jobs, job_id: uuid.UUID, *codes: ImageErrorCode) -> None:
    """Every image of a job fails, each with its code."""
    held = jobs.claim()
    assert held.job_id == job_id
    letters = [
        NewResult(seq, ImageStatus.FAILED, error_code=code) for seq, code in enumerate(codes, start=held.first_seq)
    ]
    with jobs.database.begin() as session:
        claims.finish(session, held, letters)


def fail(outbox: Outbox, event_id: uuid.UUID) -> uuid.UUID:
    """The delivery of an event has used up its schedule."""
    delivery = outbox.delivery(event_id)
    with outbox.database.begin() as session:
        session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.id == delivery.id)
            .values(state=DeliveryState.FAILED, ended_at=text("now()"), attempts=10, last_status=503)
        )
    return delivery.id


def test_what_no_file_is_to_blame_for_is_listed_exported_and_run_again(
    admin: Admin, jobs: Jobs, outbox: Outbox
) -> None:
    assert admin.say("dead-letters") == "There are no dead letters."
    assert admin.say("dead-letters", "export") == ""
    crashed = jobs.queued(images=2)
    end(jobs, crashed, ImageErrorCode.WORKER_CRASHED, ImageErrorCode.TRUNCATED)
    broken = jobs.queued(images=1)
    end(jobs, broken, ImageErrorCode.TRUNCATED)
    endpoint = outbox.endpoint("https://farm.example.org/hooks")
    delivery = fail(outbox, outbox.event(endpoint))
    rows = admin.rows("dead-letters")
    assert [(row[0], row[3]) for row in rows] == [("image", "worker_crashed"), ("delivery", "status_503")]
    assert [row[0] for row in admin.rows("dead-letters", "--kind", "delivery")] == ["delivery"]
    assert len(admin.rows("dead-letters", "--kind", "image", "--code", "truncated", "worker_crashed")) == 3
    lines = [json.loads(line) for line in admin.say("dead-letters", "export").splitlines()]
    assert [line["job_id"] for line in lines] == [str(crashed), None]
    assert (lines[0]["seq"], lines[0]["name"], lines[1]["delivery_id"]) == (1, "0.jpg", str(delivery))
    said = admin.say("dead-letters", "retry").splitlines()
    assert said == [
        f"job {crashed}: queued, 2 images run again",
        f"delivery {delivery}: due now at https://farm.example.org/hooks",
    ]
    assert admin.say("dead-letters") == "There are no dead letters."
    assert (jobs.get(crashed).state, jobs.get(broken).state) == ("queued", "failed")


def test_a_letter_that_cannot_go_does_not_keep_the_others(admin: Admin, outbox: Outbox) -> None:
    gone, good = outbox.endpoint("https://gone.example.org/"), outbox.endpoint("https://good.example.org/")
    for endpoint in (gone, good):
        fail(outbox, outbox.event(endpoint))
    outbox.change(gone, enabled=False, disabled_reason="gone")
    first, second = admin.say("dead-letters", "retry").splitlines()
    assert "left alone: the webhook" in first
    assert "due now at https://good" in second
    assert admin.say("enable-endpoint", gone).startswith(f"The endpoint {gone} (https://gone.example.org/) is enabled")
    assert "due now" in admin.say("dead-letters", "retry")


def test_jobs_that_failed_as_a_whole_are_letters_too(admin: Admin, jobs: Jobs) -> None:
    job_id = jobs.committed()
    held = jobs.claim_kind(ChunkKind.VALIDATE)
    with jobs.database.begin() as session:
        claims.fail_job(session, held, code="source_unreadable", detail="no such bucket")
    ((kind, _, _, code, job, *_),) = admin.rows("dead-letters")
    assert (kind, code, job) == ("job", "source_unreadable", str(job_id))
    assert admin.say("dead-letters", "retry") == f"job {job_id}: validating, 3 images run again"


def test_an_export_that_lost_its_worker_every_time_is_a_letter_and_is_made_again(
    admin: Admin, jobs: Jobs, admin_settings: Settings
) -> None:
    job_id = jobs.queued(images=1)
    jobs.finish(jobs.claim())
    lost, unfit = jobs.export(job_id, ExportFormat.KML), jobs.export(job_id, ExportFormat.SHAPEFILE)
    for _ in range(admin_settings.export_attempts):
        jobs.try_claim(pool=ChunkKind.EXPORT, lease_seconds=-1)
        sweep(jobs.database, CrashPolicy.of(admin_settings))
    held = jobs.claim_kind(ChunkKind.EXPORT)
    assert held.export_id == unfit
    with jobs.database.begin() as session:
        claimed.begin(session, held)
        claimed.fail(session, held, "a shapefile holds 2 GB at most", keep_hours=1)
    ((kind, _, _, code, job, what, detail),) = admin.rows("dead-letters")
    assert (kind, code, job, what) == ("export", "worker_crashed", str(job_id), "kml")
    assert "lost every time" in detail
    assert "0 images failed in a day for no fault of theirs, and 1 exports lost" in admin("doctor")[1]
    assert admin.say("dead-letters", "retry") == f"export {lost}: queued, kml of job {job_id}"
    again = jobs.claim_kind(ChunkKind.EXPORT)
    assert (again.export_id, again.attempt) == (lost, 1)
    with jobs.database.begin() as session:
        assert claimed.begin(session, again) is not None
    assert admin.say("dead-letters") == "There are no dead letters."
    assert admin("requeue", "--export", lost) == (
        1,
        "",
        f"Export {lost} did not fail; only one that failed is made again.",
    )
    assert admin.say("requeue", "--export", unfit).startswith(f"Export {unfit} is queued")
    assert jobs.claim_kind(ChunkKind.EXPORT).export_id == unfit
    assert "there is no export" in admin("requeue", "--export", uuid.uuid4())[2].lower()


def test_endpoints_are_listed_and_get_what_they_missed(admin: Admin, outbox: Outbox) -> None:
    assert admin.say("list-endpoints") == "There are no endpoints."
    good, bad = outbox.endpoint("https://good.example.org/"), outbox.endpoint("https://bad.example.org/")
    delivery = fail(outbox, outbox.event(bad, type_=EventType.JOB_COMPLETED))
    outbox.change(bad, enabled=False, disabled_reason="failing", consecutive_failures=7)
    rows = admin.rows("list-endpoints")
    assert [(row[0], row[2], row[3], row[5]) for row in rows] == [
        (str(bad), "disabled: failing", "7", "1"),
        (str(good), "enabled", "0", "0"),
    ]
    assert "no tenant 'x'" in admin("list-endpoints", "--tenant", "x")[2]
    assert "enable it first" in admin("redeliver", delivery)[2]
    admin.say("enable-endpoint", bad)
    assert "(job.completed) to https://bad.example.org/ is due now" in admin.say("redeliver", delivery)
    fail(outbox, outbox.delivery(outbox.event(bad)).event_id)
    assert admin.say("redeliver", "--endpoint", bad, "--since", "1h") == f"2 deliveries to {bad} are due now."
    assert "has not come yet" in admin("redeliver", "--endpoint", bad, "--since", "2999-01-01")[2]
    assert "Name a delivery" in admin("redeliver")[2]
    for command in (["redeliver", uuid.uuid4()], ["enable-endpoint", uuid.uuid4()]):
        assert admin(*command)[0] == 1
