"""What is kept for how long: of a tenant, of a job, and of drafts that came to nothing."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
import urllib3
from sqlalchemy import func, select

from shared.contracts.states import DeliveryState, EventType
from shared.db.base import new_id
from shared.db.models import Event, Job, WebhookDelivery
from shared.db.session import Database
from shared.retention import objects
from shared.retention.history import forget_history
from shared.storage.s3 import S3Store
from tests.integration.api.conftest import Hands, truncated
from tests.integration.conftest import Api, assert_problem, insert_tenant
from tests.integration.jobs.conftest import at_once
from tests.integration.retention.conftest import BODY, Age
from tests.integration.webhooks.factory import Outbox

__all__ = ["at_once"]

Finished = Callable[..., str]
Sweep = Callable[..., object]
Kept = Callable[[str, dict[str, int], int, dict[str, int]], bool]
Objects = Callable[[str], list[str]]


@pytest.fixture
def kept(api: Api, finished: Finished, sweep: Sweep, of_tenant: Callable[..., None]) -> Kept:
    """Whether a job that ended so long ago is still there after a sweep."""

    def is_purged(ended: str, tenant: dict[str, int], setting: int, job: dict[str, int]) -> bool:
        of_tenant(**tenant)
        job_id = finished(ended, **job)
        sweep(keep_days_results=setting)
        return is_there(api, job_id)

    return is_purged


def is_there(api: Api, job_id: str) -> bool:
    return api.get(f"/v1/jobs/{job_id}").status == 200


def test_without_days_everything_is_kept(api: Api, finished: Finished, sweep: Sweep, objects_of: Objects) -> None:
    job_id = finished("3000 days")
    sweep()
    assert is_there(api, job_id)
    assert len(objects_of(job_id)) == 3


@pytest.mark.parametrize(
    ("tenant", "setting", "job", "days"),
    [
        ({}, 10, {}, 10),
        ({"keep_days_results": 5}, 10, {}, 5),
        ({"keep_days_results": 20}, 10, {}, 20),
        ({}, 10, {"keep_days": 3}, 3),
        ({}, 10, {"keep_days": 30}, 10),
        ({"keep_days_results": 0}, 10, {"keep_days": 4}, 4),
        ({}, 0, {"keep_days": 4}, 4),
        # As many days ago, PostgreSQL has no moment, and the sweep of every tenant would end there.
        ({"keep_days_results": 2**31 - 1}, 0, {}, 36_500),
    ],
)
def test_the_shorter_of_the_days_of_the_tenant_and_of_the_job_holds(
    kept: Kept, tenant: dict[str, int], setting: int, job: dict[str, int], days: int
) -> None:
    assert kept(f"{days} days -1 hours", tenant, setting, job)
    assert not kept(f"{days} days 1 hour", tenant, setting, job)


def test_a_tenant_that_keeps_for_ever_is_not_touched_by_the_setting(
    api: Api, finished: Finished, sweep: Sweep, of_tenant: Callable[..., None]
) -> None:
    of_tenant(keep_days_results=0, keep_days_originals=0)
    job_id = finished("3000 days")
    sweep(keep_days_results=1, keep_days_originals=1)
    assert api.get(f"/v1/jobs/{job_id}").json()["originals_removed_at"] is None


def test_a_job_that_is_kept_long_enough_leaves_a_receipt(api: Api, finished: Finished, sweep: Sweep) -> None:
    job_id = finished("11 days")
    sweep(keep_days_results=10)
    (receipt,) = api.get(f"/v1/receipts?job_id={job_id}").json()["receipts"]
    assert (receipt["what"], receipt["reason"], receipt["requested_by"]) == ("job", "retention", None)


def test_uploads_go_and_results_stay(  # what is looked at
    api: Api, finished: Finished, sweep: Sweep, objects_of: Objects
) -> None:
    job_id = finished("11 days")
    before = api.get(f"/v1/jobs/{job_id}").headers["ETag"]
    sweep(keep_days_originals=10)
    assert objects_of(job_id) == []
    answer = api.get(f"/v1/jobs/{job_id}")
    assert (answer.json()["state"], answer.headers["ETag"] != before) == ("completed", True)
    assert answer.json()["originals_removed_at"] is not None
    assert len(api.get(f"/v1/jobs/{job_id}/results").json()["results"]) == 3
    assert "removed" in assert_problem(api.get(f"/v1/jobs/{job_id}/images/1/file"), 404, "not-found")["detail"]
    (receipt,) = api.get(f"/v1/receipts?job_id={job_id}").json()["receipts"]
    assert (receipt["what"], receipt["reason"]) == ("originals", "retention")
    assert receipt["removed"] == {"objects": 3, "bytes": 3 * len(BODY)}
    assert receipt["completed_at"] is not None


def test_the_days_of_a_job_hold_for_its_uploads_too(
    api: Api, finished: Finished, sweep: Sweep, objects_of: Objects
) -> None:
    job_id, other = finished("3 days", keep_originals_days=2), finished("3 days", keep_originals_days=4)
    assert api.get(f"/v1/jobs/{job_id}").json()["keep_originals_days"] == 2
    sweep()
    assert (objects_of(job_id), len(objects_of(other))) == ([], 3)


def test_what_has_lost_its_uploads_cannot_run_again(
    api: Api, hands: Hands, uploaded: Callable[..., str], age: Age, sweep: Sweep
) -> None:
    job_id = uploaded()
    api.commit(job_id)
    hands.run(job_id, truncated)
    age("jobs", "finished_at", "11 days", of=job_id)
    sweep(keep_days_originals=10)
    assert_problem(api.post(f"/v1/jobs/{job_id}/retry"), 409, "originals-removed")


def test_a_retry_begins_the_days_anew(
    api: Api, hands: Hands, uploaded: Callable[..., str], age: Age, sweep: Sweep, objects_of: Objects
) -> None:
    job_id = uploaded()
    api.commit(job_id)
    hands.run(job_id, truncated)
    age("jobs", "finished_at", "11 days", of=job_id)
    assert api.post(f"/v1/jobs/{job_id}/retry").status == 202
    sweep(keep_days_results=10, keep_days_originals=10)
    hands.run(job_id)
    sweep(keep_days_results=10, keep_days_originals=10)
    assert is_there(api, job_id)
    assert len(objects_of(job_id)) == 3


def test_the_uploads_of_a_draft_that_came_to_nothing_go(
    api: Api, uploaded: Callable[..., str], sweep: Sweep, objects_of: Objects
) -> None:
    job_id = uploaded()
    api.post(f"/v1/jobs/{job_id}/cancel")
    sweep()
    assert objects_of(job_id) == []
    (receipt,) = api.get(f"/v1/receipts?job_id={job_id}").json()["receipts"]
    assert receipt["reason"] == "never_committed"
    assert is_there(api, job_id)


def test_what_was_uploaded_after_the_removal_goes_too(  # a late client, and a clock
    api: Api, http: urllib3.PoolManager, sweep: Sweep, objects_of: Objects, age: Age
) -> None:
    job_id = api.new_job()
    (image,) = api.add(job_id, "late.jpg")
    api.post(f"/v1/jobs/{job_id}/cancel")
    sweep()
    put = image["upload"]
    assert http.request("PUT", put["url"], body=BODY, headers=put["headers"]).status == 200
    (receipt,) = api.get(f"/v1/receipts?job_id={job_id}").json()["receipts"]
    assert (receipt["checked_at"], len(objects_of(job_id))) == (None, 1)
    age("receipts", "requested_at", "2 hours", of=receipt["id"])
    age("receipts", "not_before", "1 hour", of=receipt["id"])
    sweep()
    receipt = api.get(f"/v1/receipts/{receipt['id']}").json()
    assert (receipt["checked_at"] is not None, receipt["removed"]["objects"], objects_of(job_id)) == (True, 1, [])


def test_many_objects_go_in_steps(
    api: Api, finished: Finished, sweep: Sweep, objects_of: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "STEP_OBJECTS", 2)
    monkeypatch.setattr(objects, "STEPS", 1)
    job_id = finished("11 days", keep_originals_days=10)
    left = []
    for _ in range(2):
        sweep()
        left.append(len(objects_of(job_id)))
    assert left == [1, 0]
    (receipt,) = api.get(f"/v1/receipts?job_id={job_id}").json()["receipts"]
    assert (receipt["removed"]["objects"], receipt["completed_at"] is not None) == (3, True)


def test_two_sweeps_at_once_remove_once(
    api: Api, finished: Finished, sweep: Sweep, at_once: Callable[..., list[object]]
) -> None:
    kept, gone = finished("11 days"), finished("31 days")
    done = at_once(*[lambda: sweep(keep_days_results=30, keep_days_originals=10) for _ in range(4)])
    assert not [one for one in done if isinstance(one, Exception)]
    receipts = [api.get(f"/v1/receipts?job_id={job_id}").json()["receipts"] for job_id in (kept, gone)]
    assert [[one["what"] for one in found] for found in receipts[:1]] == [["originals"]]
    assert sorted(one["what"] for one in receipts[1]) in (["job"], ["job", "originals"])


def test_an_upload_that_never_ended_is_removed_once_it_is_old(store: S3Store) -> None:
    key = f"exports/{uuid.uuid4()}/unfinished"
    client, bucket = store._client, store._bucket  # to leave something behind
    begun = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    client.upload_part(Bucket=bucket, Key=key, UploadId=begun, PartNumber=1, Body=b"x" * 1024)

    def is_there() -> bool:
        found = client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        return begun in {one["UploadId"] for one in found}

    assert is_there()
    store.end_unfinished(older_than=timedelta(hours=1))
    assert is_there()
    assert store.end_unfinished(older_than=timedelta(seconds=-60)) >= 1
    assert not is_there()


def id_of(days_ago: int) -> uuid.UUID:
    """An id that was made so long ago: its first 48 bits are milliseconds."""
    return uuid.UUID(int=new_id().int - (days_ago * 86_400_000 << 80))


@pytest.mark.parametrize(
    ("days_ago", "state", "ended_days_ago", "left"),
    [
        (40, DeliveryState.FAILED, 40, 0),
        (40, DeliveryState.DELIVERED, 1, 1),
        (40, DeliveryState.PENDING, None, 1),
        (20, DeliveryState.DELIVERED, 20, 1),
    ],
)
def test_a_delivery_is_forgotten_so_long_after_its_end_and_its_event_with_it(
    fresh_database: Database, days_ago: int, state: DeliveryState, ended_days_ago: int | None, left: int
) -> None:
    outbox = Outbox.of(fresh_database)
    endpoint = outbox.endpoint("https://farm.example.org/hooks")
    event_id = id_of(days_ago)
    with fresh_database.begin() as session:
        session.add(Event(id=event_id, tenant_id=outbox.tenant_id, type=EventType.WEBHOOK_TEST, data={}))
        session.flush()
        session.add(
            WebhookDelivery(
                id=id_of(days_ago),
                tenant_id=outbox.tenant_id,
                endpoint_id=endpoint,
                event_id=event_id,
                event_type=EventType.WEBHOOK_TEST,
                state=state,
                ended_at=None if ended_days_ago is None else func.now() - timedelta(days=ended_days_ago),
            )
        )
    assert forget_history(fresh_database, days=30) == ((1 - left, 1 - left))
    assert len(outbox.deliveries(endpoint)) == left


def test_the_events_of_a_job_stay_as_long_as_it_does_but_for_its_progress(
    fresh_database: Database, tenant_of_fresh: uuid.UUID
) -> None:
    with fresh_database.begin() as session:
        job = Job(tenant_id=tenant_of_fresh)
        session.add(job)
        session.flush()
        for kind in (EventType.JOB_STARTED, EventType.JOB_PROGRESS):
            session.add(Event(id=id_of(40), tenant_id=tenant_of_fresh, job_id=job.id, type=kind, data={}))
    assert forget_history(fresh_database, days=30) == (0, 1)
    with fresh_database.begin() as session:
        assert list(session.scalars(select(Event.type))) == [EventType.JOB_STARTED]


@pytest.fixture
def tenant_of_fresh(fresh_database: Database) -> uuid.UUID:
    return insert_tenant(fresh_database)
