"""Background exports: leases, fences, outages, retries, expiry; on real servers."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from shared.contracts.exports import ExportErrorCode, ExportFormat, ExportOutcome
from shared.contracts.states import ChunkKind, JobState, Priority
from shared.db.models import Export
from shared.db.session import Database
from shared.errors import Conflict, LeaseLost, StoreUnavailable
from shared.exports import claimed as exports
from shared.exports.formats import FORMATS
from shared.exports.rows import Page
from shared.exports.sheet import Sheet
from shared.exports.sweep import remove_expired
from shared.jobs import claims, lifecycle
from shared.jobs.claims import Claim, Offer
from shared.jobs.purge import remove_job
from shared.jobs.sweep import CrashPolicy, sweep
from shared.metrics.definitions import EXPORTS_ENDED
from shared.settings import Settings
from shared.storage.keys import export_key, exports_prefix
from shared.storage.s3 import S3Store
from tests.integration.api.conftest import Hands
from tests.integration.conftest import Api, MakeKey, MakeSettings, assert_problem
from tests.integration.exports.conftest import ExportSlot
from worker.context import Context
from worker.jobs import export as runner
from worker.jobs.export import Made, make
from worker.leasing.leases import Lease

POLICY = CrashPolicy(isolate_after=2, fail_after=5, fail_export_after=3, keep_export_hours=1)
OFFERS = (Offer(ChunkKind.EXPORT, Priority.BULK),)


@pytest.fixture(autouse=True)
def _nothing_waits(database: Database) -> None:
    """A claim takes whatever waits, so each test begins without."""
    with database.begin() as session:
        session.execute(text("DELETE FROM exports"))


@pytest.fixture
def done(hands: Hands, committed: str) -> str:
    """A job of five images that is over."""
    hands.run(committed)
    return committed


def ask(api: Api, job_id: str, name: str = "csv", **how: Any) -> str:  # noqa: ANN401  # headers
    answer = api.post(f"/v1/jobs/{job_id}/exports", {"format": name}, **how)
    assert answer.status == 202, answer.data
    assert answer.headers["Location"] == f"/v1/exports/{answer.json()['id']}"
    return str(answer.json()["id"])


def seen(api: Api, export_id: str) -> dict[str, Any]:
    answer = api.get(f"/v1/exports/{export_id}")
    assert answer.status == 200, answer.data
    return dict(answer.json())


def claimed(database: Database, *, lease_seconds: float = 60) -> Claim:
    with database.begin() as session:
        found = claims.claim(session, OFFERS, worker="test", lease_seconds=lease_seconds)
    assert found is not None
    return found


def begun(context: Context, claim: Claim) -> exports.Begun:
    with context.database.begin() as session:
        found = exports.begin(session, claim)
    assert found is not None
    return found


def made(context: Context, claim: Claim) -> Made:
    return make(context, Lease(claim, context.database, threading.Event()), begun(context, claim))


def error_code(database: Database, export_id: str) -> str | None:
    with database.begin() as session:
        return session.get_one(Export, uuid.UUID(export_id)).error_code


@contextmanager
def counted(name: ExportFormat, outcome: ExportOutcome) -> Iterator[None]:
    """One export of this format ends so in the block, and no other ends at all."""

    def ended() -> dict[tuple[str, ...], float]:
        return {
            tuple(sample.labels.values()): sample.value
            for family in EXPORTS_ENDED.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        }

    before = ended()
    yield
    grown = {labels: value - before.get(labels, 0) for labels, value in ended().items()}
    assert {labels: by for labels, by in grown.items() if by} == {(name, outcome): 1}


@pytest.mark.parametrize("name", list(ExportFormat))
def test_what_is_made_beside_is_what_is_sent_directly(
    api: Api, exporter: ExportSlot, done: str, name: ExportFormat
) -> None:
    export_id = ask(api, done, name)
    assert (seen(api, export_id)["state"], seen(api, export_id)["download"]) == ("queued", None)
    with counted(name, ExportOutcome.MADE):
        assert exporter.work_once()
    export = seen(api, export_id)
    assert (export["state"], export["rows"], export["error"]) == ("completed", 5, None)
    file = api.pool.request("GET", export["download"]["url"])
    assert (file.status, len(file.data)) == (200, export["bytes"])
    assert file.headers["Content-Type"] == FORMATS[name].media_type
    assert export["download"]["file_name"] in file.headers["Content-Disposition"]
    direct = api.get(f"/v1/jobs/{done}/export?format={name}")
    if name is not ExportFormat.SHAPEFILE:  # whose archive has the time in it
        assert file.data == direct.data


def test_an_export_that_is_not_there_yet_says_when_to_ask_again(api: Api, done: str, exporter: ExportSlot) -> None:
    export_id = ask(api, done)
    assert api.get(f"/v1/exports/{export_id}").headers["Retry-After"]
    exporter.work_once()
    assert "Retry-After" not in api.get(f"/v1/exports/{export_id}").headers


def test_the_same_idempotency_key_makes_one_export(api: Api, done: str) -> None:
    key = {"Idempotency-Key": "export-once"}
    assert ask(api, done, headers=key) == ask(api, done, headers=key)
    assert_problem(api.post(f"/v1/jobs/{done}/exports", {"format": "kml"}, headers=key), 422, "idempotency-key-reused")
    page = api.get(f"/v1/jobs/{done}/exports").json()
    assert (len(page["exports"]), page["has_more"]) == (1, False)


def test_filters_are_kept(api: Api, done: str, exporter: ExportSlot) -> None:
    answer = api.post(f"/v1/jobs/{done}/exports", {"format": "ndjson", "filters": {"status": "failed"}})
    exporter.work_once()
    export = seen(api, answer.json()["id"])
    assert (export["filters"], export["rows"]) == ({"status": "failed", "label": None, "place": None}, 0)
    assert_problem(api.post(f"/v1/jobs/{done}/exports", {"format": "csv", "filters": {"x": 1}}), 422, "invalid-request")


def test_exports_belong_to_their_tenant(anonymous: Api, make_key: MakeKey, api: Api, done: str) -> None:
    export_id = ask(api, done)
    other = anonymous.with_key(make_key())
    assert_problem(other.get(f"/v1/exports/{export_id}"), 404, "not-found")
    assert_problem(other.request("DELETE", f"/v1/exports/{export_id}"), 404, "not-found")
    assert_problem(other.get(f"/v1/jobs/{done}/exports"), 404, "not-found")


def test_a_deleted_export_leaves_nothing(api: Api, done: str, exporter: ExportSlot, store: S3Store) -> None:
    export_id = ask(api, done)
    exporter.work_once()
    prefix = exports_prefix(uuid.UUID(done))
    assert len(list(store.list_objects(prefix))) == 1
    assert api.request("DELETE", f"/v1/exports/{export_id}").status == 204
    assert list(store.list_objects(prefix)) == []
    assert_problem(api.get(f"/v1/exports/{export_id}"), 404, "not-found")


def test_a_job_keeps_so_many_exports(api: Api, done: str, settings: Settings) -> None:
    for _ in range(settings.max_exports_per_job):
        ask(api, done)
    problem = assert_problem(api.post(f"/v1/jobs/{done}/exports", {"format": "csv"}), 422, "limit-exceeded")
    assert problem["setting"] == "PHYTOBATCH_MAX_EXPORTS_PER_JOB"


class Paused:
    """A worker that stops between two pages; the rest of its work is done when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, hook: Any) -> None:  # noqa: ANN401  # a function
        original = Sheet.pages

        def pages(sheet: Sheet, database: Database) -> Iterator[Page]:
            for page in original(sheet, database):
                hook()
                yield page

        monkeypatch.setattr(Sheet, "pages", pages)


def test_a_worker_that_was_overtaken_leaves_no_file_and_changes_nothing(
    api: Api, done: str, context: Context, store: S3Store
) -> None:
    export_id = ask(api, done)
    slow = claimed(context.database, lease_seconds=-1)
    late = begun(context, slow)
    assert sweep(context.database, POLICY).leases == 1
    assert seen(api, export_id)["state"] == "queued"
    fast = claimed(context.database)
    assert (fast.export_id, fast.attempt) == (slow.export_id, 2)
    finished = made(context, fast)
    with pytest.raises(LeaseLost):
        make(context, Lease(slow, context.database, threading.Event()), late)
    with pytest.raises(LeaseLost):
        begun(context, slow)
    export = seen(api, export_id)
    assert (export["state"], export["rows"]) == ("completed", finished.rows)
    assert len(list(store.list_objects(exports_prefix(fast.job_id)))) == 1
    assert api.pool.request("GET", export["download"]["url"]).status == 200


def test_a_lost_lease_is_noticed_in_the_middle(
    api: Api, done: str, context: Context, exporter: ExportSlot, store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id = ask(api, done)

    def take_over() -> None:
        with context.database.begin() as session:
            session.execute(text("UPDATE chunks SET lease_token = lease_token + 1 WHERE kind = 'export'"))

    Paused(monkeypatch, take_over)
    monkeypatch.setattr("worker.leasing.leases.PROBE_SECONDS", 0.0)
    with counted(ExportFormat.CSV, ExportOutcome.LEASE_LOST):
        assert exporter.work_once()
    assert list(store.list_objects(exports_prefix(uuid.UUID(done)))) == []
    assert seen(api, export_id)["state"] == "running"


def test_an_export_that_loses_its_worker_every_time_fails_with_a_reason(
    api: Api, done: str, context: Context, database: Database
) -> None:
    export_id = ask(api, done)
    for attempt in (1, 2, 3):
        claim = claimed(context.database, lease_seconds=-1)
        assert claim.attempt == attempt
        begun(context, claim)
        if attempt == 3:
            with counted(ExportFormat.CSV, ExportOutcome.GIVEN_UP):
                assert sweep(context.database, POLICY).leases == 1
        else:
            assert sweep(context.database, POLICY).leases == 1
    export = seen(api, export_id)
    assert (export["state"], export["download"]) == ("failed", None)
    assert "lost every time" in export["error"]
    assert export["expires_at"] is not None
    assert error_code(database, export_id) == ExportErrorCode.WORKER_CRASHED
    assert sweep(context.database, POLICY).exports == 0, "what failed gets no further chunk"


def test_a_job_neither_waits_for_its_exports_nor_ends_them(
    api: Api, committed: str, database: Database, exporter: ExportSlot
) -> None:
    export_id = ask(api, committed)
    with database.begin() as session:
        assert lifecycle.lock_job(session, uuid.UUID(committed)).open_chunks == 1, "its validation alone"
        lifecycle.cancel(session, uuid.UUID(committed))
    assert api.get(f"/v1/jobs/{committed}").json()["state"] == JobState.CANCELED
    assert seen(api, export_id)["state"] == "queued"
    assert exporter.work_once()
    export = seen(api, export_id)
    assert (export["state"], export["rows"]) == ("completed", 5), "five images that were canceled"


def test_an_export_does_not_start_its_job(api: Api, hands: Hands, committed: str, exporter: ExportSlot) -> None:
    hands.step(committed)
    export_id = ask(api, committed)
    assert exporter.work_once()
    job = api.get(f"/v1/jobs/{committed}").json()
    assert (job["state"], job["started_at"]) == (JobState.QUEUED, None)
    assert (seen(api, export_id)["state"], seen(api, export_id)["rows"]) == ("completed", 0)
    hands.run(committed)
    assert api.get(f"/v1/jobs/{committed}").json()["state"] == JobState.COMPLETED


def test_deleting_the_job_ends_its_exports_that_wait_and_the_one_that_is_made(
    api: Api, done: str, context: Context, exporter: ExportSlot, monkeypatch: pytest.MonkeyPatch, store: S3Store
) -> None:
    ask(api, done)
    ask(api, done, "kml")
    deleted: list[int] = []

    def delete() -> None:
        if not deleted:
            deleted.append(api.request("DELETE", f"/v1/jobs/{done}").status)

    Paused(monkeypatch, delete)
    monkeypatch.setattr("worker.leasing.leases.PROBE_SECONDS", 0.0)
    with counted(ExportFormat.CSV, ExportOutcome.LEASE_LOST):
        assert exporter.work_once()
    assert deleted == [202]
    assert not exporter.work_once(), "the other one is no longer to be made"
    assert list(store.list_objects(exports_prefix(uuid.UUID(done)))) == []
    with context.database.begin() as session:
        session.execute(text("UPDATE chunks SET lease_until = now() WHERE kind = 'export'"))
    swept = sweep(context.database, POLICY)
    assert (swept.leases, swept.exports) == (1, 0)
    assert not exporter.work_once()


def test_deleting_an_export_ends_the_worker_that_makes_it(
    api: Api, done: str, exporter: ExportSlot, monkeypatch: pytest.MonkeyPatch, store: S3Store
) -> None:
    export_id = ask(api, done)
    Paused(monkeypatch, lambda: api.request("DELETE", f"/v1/exports/{export_id}"))
    monkeypatch.setattr("worker.leasing.leases.PROBE_SECONDS", 0.0)
    with counted(ExportFormat.CSV, ExportOutcome.LEASE_LOST):
        assert exporter.work_once()
    assert list(store.list_objects(exports_prefix(uuid.UUID(done)))) == []
    assert_problem(api.get(f"/v1/exports/{export_id}"), 404, "not-found")


@pytest.mark.parametrize("path", ["jobs/{job}", "exports/{export}"])
def test_what_is_deleted_just_when_the_file_is_there_leaves_no_file(
    api: Api, done: str, exporter: ExportSlot, monkeypatch: pytest.MonkeyPatch, store: S3Store, path: str
) -> None:
    """The lease still holds, and whoever removes the files has listed them already."""
    export_id = ask(api, done)
    write = runner._write

    def write_and_delete(*what: Any) -> int:  # noqa: ANN401  # as they come
        size = write(*what)
        assert api.request("DELETE", f"/v1/{path.format(job=done, export=export_id)}").status in {202, 204}
        return size

    monkeypatch.setattr(runner, "_write", write_and_delete)
    with counted(ExportFormat.CSV, ExportOutcome.LEASE_LOST):
        assert exporter.work_once()
    assert list(store.list_objects(exports_prefix(uuid.UUID(done)))) == []


def test_a_file_that_is_completed_while_its_export_is_deleted_goes_with_it(
    api: Api, done: str, exporter: ExportSlot, monkeypatch: pytest.MonkeyPatch, store: S3Store
) -> None:
    export_id = ask(api, done)
    discard = S3Store.discard
    finished: list[bool] = []

    def discard_and_finish(used: S3Store, prefix: str, **only: Any) -> None:  # noqa: ANN401  # as they come
        discard(used, prefix, **only)
        if not finished:
            finished.append(True)
            assert exporter.work_once()
            assert seen(api, export_id)["state"] == "completed"

    monkeypatch.setattr(S3Store, "discard", discard_and_finish)
    assert api.request("DELETE", f"/v1/exports/{export_id}").status == 204
    assert finished
    assert list(store.list_objects(exports_prefix(uuid.UUID(done)))) == []


def test_an_object_store_that_is_away_costs_no_attempt(
    api: Api, done: str, context: Context, exporter: ExportSlot, make_settings: MakeSettings
) -> None:
    export_id = ask(api, done)
    away = S3Store(
        make_settings(database_url="postgresql+psycopg://x@127.0.0.1:1/x", s3_endpoint_url="http://127.0.0.1:1")
    )
    broken = Context(
        settings=context.settings,
        database=context.database,
        store=away,
        wakeups=context.wakeups,
        pipelines={},
        name="test",
    )
    assert ExportSlot(broken, threading.Event()).work_once()
    with context.database.begin() as session:
        waits = session.execute(
            text("SELECT state, attempt, not_before > now() AS later FROM chunks WHERE export_id = :id"),
            {"id": export_id},
        ).one()
        assert tuple(waits) == ("ready", 0, True)
        session.execute(text("UPDATE chunks SET not_before = now() WHERE export_id = :id"), {"id": export_id})
    assert seen(api, export_id)["state"] == "queued"
    assert exporter.work_once()
    assert seen(api, export_id)["state"] == "completed"


def test_a_worker_that_is_told_to_stop_hands_its_export_back(
    api: Api, done: str, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id = ask(api, done)
    stopping = threading.Event()
    Paused(monkeypatch, stopping.set)
    with counted(ExportFormat.CSV, ExportOutcome.HANDED_BACK):
        assert ExportSlot(context, stopping).work_once()
    assert seen(api, export_id)["state"] == "queued"
    assert claimed(context.database).attempt == 1


def test_what_a_format_cannot_hold_fails_with_its_sentence(
    api: Api, done: str, database: Database, exporter: ExportSlot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.exports.formats.shapefile.MAX_BYTES", 10)
    export_id = ask(api, done, "shapefile")
    with counted(ExportFormat.SHAPEFILE, ExportOutcome.FAILED):
        exporter.work_once()
    export = seen(api, export_id)
    assert (export["state"], export["rows"]) == ("failed", None)
    assert "2 GB" in export["error"]
    assert error_code(database, export_id) == ExportErrorCode.NOT_REPRESENTABLE


def test_a_job_that_is_retried_meanwhile_is_exported_again(
    api: Api, done: str, context: Context, exporter: ExportSlot, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id = ask(api, done)

    def outdated(*_: object) -> None:
        raise Conflict("changed", code="job-changed")

    with monkeypatch.context() as patched:
        patched.setattr(runner, "_write", outdated)
        with counted(ExportFormat.CSV, ExportOutcome.OUTDATED):
            assert exporter.work_once()
    assert sweep(context.database, POLICY).leases == 1
    assert exporter.work_once()
    assert seen(api, export_id)["state"] == "completed"


def test_what_has_expired_is_removed_the_file_before_the_row(
    api: Api, done: str, context: Context, exporter: ExportSlot, store: S3Store, make_settings: MakeSettings
) -> None:
    export_id = ask(api, done)
    exporter.work_once()
    with context.database.begin() as session:
        session.execute(
            text("UPDATE exports SET expires_at = now() - interval '1 s' WHERE id = :id"), {"id": export_id}
        )
    away = S3Store(
        make_settings(database_url="postgresql+psycopg://x@127.0.0.1:1/x", s3_endpoint_url="http://127.0.0.1:1")
    )
    with pytest.raises(StoreUnavailable):
        remove_expired(context.database, away)
    assert seen(api, export_id)["state"] == "completed"
    assert remove_expired(context.database, store) == 1
    assert list(store.list_objects(exports_prefix(uuid.UUID(done)))) == []
    assert_problem(api.get(f"/v1/exports/{export_id}"), 404, "not-found")


def test_the_exports_of_a_deleted_job_go_with_it(
    api: Api, done: str, exporter: ExportSlot, store: S3Store, database: Database
) -> None:
    ask(api, done)
    exporter.work_once()
    assert api.request("DELETE", f"/v1/jobs/{done}").status == 202
    offers = [Offer(ChunkKind.PURGE, priority) for priority in Priority]
    for _ in range(20):
        with database.begin() as session:
            purge = claims.claim(session, offers, worker="test", lease_seconds=60)
        if purge is None:
            break
        remove_job(database, store, purge, beat=lambda: None)
    assert list(store.list_objects(exports_prefix(uuid.UUID(done)))) == []
    with database.begin() as session:
        assert session.execute(text("SELECT count(*) FROM exports WHERE job_id = :job"), {"job": done}).scalar() == 0


def test_a_key_of_an_attempt_names_its_token() -> None:
    job, export = uuid.uuid4(), uuid.uuid4()
    assert export_key(job, export, 7) != export_key(job, export, 8)
    assert export_key(job, export, 7).startswith(exports_prefix(job))
