"""The audit log: every change, by whom and from where, stored with the change and kept as it was written."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import structlog
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from shared.audit import Actor, queries, record
from shared.contracts.audit import Action, ActorKind
from shared.contracts.states import Scope
from shared.db.models import AuditEntry
from shared.db.session import Database
from tests.integration.conftest import Api, MakeKey, MakeTenant, assert_problem

KEY = Actor(ActorKind.KEY, "abcdefghijkl", "192.0.2.7")
HAND = Actor(ActorKind.OPERATOR, "somebody@test")


@pytest.fixture
def admin(api: Api, make_key: MakeKey, tenant_id: uuid.UUID) -> Api:
    return api.with_key(make_key(tenant_id, Scope.ADMIN))


@pytest.fixture
def entries(database: Database, tenant_id: uuid.UUID) -> Callable[[], list[AuditEntry]]:
    def read() -> list[AuditEntry]:
        with database.begin() as session:
            return [entry for entry, *_ in queries.find(session, queries.AuditFilter(tenant_id=tenant_id))]

    return read


def old_entry(database: Database, days: int) -> uuid.UUID:
    """An entry that was written so many days ago; its time is given with the row, because no row can be changed."""
    with database.begin() as session:
        found: uuid.UUID = session.execute(
            text(
                "INSERT INTO audit_log (id, at, actor_kind, actor, action, subject) VALUES "
                "(gen_random_uuid(), now() - make_interval(days => :days), 'operator', 'test', 'key.create', 'old') "
                "RETURNING id"
            ),
            {"days": days},
        ).scalar_one()
    return found


def test_the_life_of_a_job_is_told_with_key_address_and_request(
    api: Api, entries: Callable[[], list[AuditEntry]]
) -> None:
    job = api.new_job(name="north")
    api.add(job, "a.jpg")
    asked = {"X-Request-Id": "flight-7"}
    assert api.post(f"/v1/jobs/{job}/commit", headers=asked).status == 202
    assert api.post(f"/v1/jobs/{job}/commit").status == 202  # A repetition changes nothing, so it is not told.
    assert api.post(f"/v1/jobs/{job}/cancel").status in {200, 202}
    told = entries()
    assert [(entry.action, entry.subject) for entry in told] == [
        ("job.create", job),
        ("job.commit", job),
        ("job.cancel", job),
    ]
    assert {(entry.actor_kind, entry.actor, entry.address) for entry in told} == {
        ("key", str(api.key)[3:15], "127.0.0.1")
    }
    assert told[1].request_id == "flight-7"
    assert told[1].details == {"images": 1}


def test_webhooks_and_secrets_are_told_without_any_secret(
    admin: Api, entries: Callable[[], list[AuditEntry]], database: Database
) -> None:
    made = admin.post("/v1/webhooks", {"url": "https://farm.example.org/hooks?token=inmost"}).json()
    at = f"/v1/webhooks/{made['id']}"
    assert admin.request("PATCH", at, json={"description": "barn"}).status == 200
    rotated = admin.post(f"{at}/rotate").json()
    for last in ("disable", "enable", "test"):
        assert admin.post(f"{at}/{last}").status in {200, 202}
    job_secret = admin.post("/v1/webhooks/job-secret").json()
    assert admin.request("DELETE", at).status == 204
    assert [entry.action for entry in entries()] == [
        "webhook.create",
        "webhook.change",
        "webhook.rotate",
        "webhook.disable",
        "webhook.enable",
        "webhook.test",
        "job_secret.renew",
        "webhook.delete",
    ]
    with database.begin() as session:
        whole = " ".join(session.scalars(text("SELECT CAST(a AS text) FROM audit_log a")).all())
    for secret in (made["secret"], rotated["secret"], job_secret["secret"], "inmost", str(admin.key)[16:]):
        assert secret not in whole


def test_what_is_refused_or_rolled_back_leaves_no_entry(
    api: Api, entries: Callable[[], list[AuditEntry]], database: Database, tenant_id: uuid.UUID
) -> None:
    assert_problem(api.post(f"/v1/jobs/{uuid.uuid4()}/cancel"), 404, "not-found")
    assert_problem(api.post("/v1/webhooks", {"url": "https://farm.example.org/hooks"}), 403, "forbidden")
    with structlog.testing.capture_logs() as lines:
        with pytest.raises(ZeroDivisionError):
            _give_up(database, tenant_id)
        with database.begin() as session:
            record(session, KEY, Action.JOB_RETRY, "x", tenant_id=tenant_id)
    assert [entry.action for entry in entries()] == ["job.retry"]
    assert [line["action"] for line in lines if line["event"] == "audit"] == ["job.retry"]


def _give_up(database: Database, tenant_id: uuid.UUID) -> None:
    with database.begin() as session:
        record(session, KEY, Action.JOB_DELETE, "x", tenant_id=tenant_id)
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'nobody'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "SELECT set_config('phytobatch.audit_retention', 'on', true); DELETE FROM audit_log",
    ],
)
def test_the_database_refuses_to_change_or_remove_what_is_young(database: Database, statement: str) -> None:
    with database.begin() as session:
        record(session, HAND, Action.KEY_CREATE, "kept")
    with pytest.raises(DBAPIError, match="only grows"), database.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    with database.begin() as session:
        assert session.scalars(select(AuditEntry.actor).where(AuditEntry.subject == "kept")).first() == HAND.name


def test_what_is_old_goes_only_on_purpose(fresh_database: Database) -> None:
    old, young = old_entry(fresh_database, 400), old_entry(fresh_database, 31)
    with pytest.raises(DBAPIError, match="only grows"), fresh_database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM audit_log")
    with fresh_database.begin() as session:
        gone = queries.forget(session, older_than=timedelta(days=365))
    with fresh_database.begin() as session:
        assert gone == 1
        left: list[Any] = list(session.scalars(select(AuditEntry.id)))
        assert (old in left, young in left) == (False, True)


def test_an_entry_outlives_its_tenant(database: Database, make_tenant: MakeTenant) -> None:
    tenant = make_tenant()
    with database.begin() as session:
        record(session, HAND, Action.TENANT_CREATE, "gone", tenant_id=tenant)
        session.execute(text("DELETE FROM tenants WHERE id = :id"), {"id": tenant})
    with database.begin() as session:
        ((entry, name, _),) = queries.find(session, queries.AuditFilter(tenant_id=tenant))
        assert (entry.subject, name) == ("gone", None)
