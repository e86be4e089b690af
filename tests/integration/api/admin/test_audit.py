"""``audit`` and ``audit-forget``; and that every command that changes something says so."""

import getpass
import socket

import pytest
from sqlalchemy import text

from shared.audit import Actor, record
from shared.contracts.audit import Action, ActorKind
from shared.db.session import Database
from shared.settings import get_settings
from tests.integration.api.admin.conftest import Admin
from tests.integration.audit.test_audit import old_entry
from tests.integration.jobs.factory import Jobs


def actions(admin: Admin, *arguments: object) -> list[str]:
    return [row[3] for row in admin.rows("audit", *arguments)]


def test_what_operators_do_is_listed_and_found(admin: Admin) -> None:
    assert admin.say("audit") == "There are no such entries."
    admin.say("create-tenant", "farm", "--weight", "2")
    admin.say("set-weight", "farm", "3")
    admin.say("allow-s3", "farm", "s3://b/north")
    admin.say("deny-s3", "farm", "s3://b/north/")
    admin.say("set-limits", "farm", "--max-open-jobs", "7")
    key = admin.say("create-key", "--tenant", "farm", "--name", "n", "--scopes", "read")
    admin.say("revoke-key", key[3:15])
    admin.say("default-classifier", "leaf-test", "1")
    assert actions(admin) == [
        "tenant.create",
        *["tenant.change"] * 4,
        "key.create",
        "key.revoke",
        "classifier.default",
    ]
    assert actions(admin, "--action", "key") == ["key.create", "key.revoke"]
    assert actions(admin, "--on", key[3:15], "--action", "key.revoke") == ["key.revoke"]
    assert actions(admin, "--tenant", "farm", "--limit", "1") == ["key.revoke"]
    assert admin.say("audit", "--by", "nobody") == "There are no such entries."
    said = admin.say("audit", "--since", "1h")
    assert "operator " in said
    assert "max_open_jobs=7" in said
    assert key not in said
    assert key[16:] not in said


def test_an_entry_names_the_person_and_not_the_container(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    admin.say("create-tenant", "one")
    admin.say("--as", "María Field", "create-tenant", "two")
    admin.say("create-tenant", "three", "--as", "mia")
    monkeypatch.setenv("PHYTOBATCH_OPERATOR", "night shift")
    get_settings.cache_clear()
    admin.say("create-tenant", "four")
    admin.say("create-tenant", "five", "--as", "mia")
    people = [getpass.getuser(), "María Field", "mia", "night shift", "mia"]
    assert [row[1] for row in admin.rows("audit")] == [f"operator {each}@{socket.gethostname()}" for each in people]
    assert len(admin.rows("audit", "--by", f"mia@{socket.gethostname()}")) == 2


@pytest.mark.parametrize(("name", "said"), [("", "a name"), (" ", "a name"), ("\udcff", "in UTF-8")])
def test_a_person_without_a_name_changes_nothing(admin: Admin, name: str, said: str) -> None:
    status, _, refused = admin("--as", name, "create-tenant", "farm")
    assert status == 1
    assert said in refused
    assert admin.say("list-tenants").startswith("There are no tenants")


def test_what_a_key_did_is_listed_with_its_name(admin: Admin, database: Database) -> None:
    admin.say("create-tenant", "farm")
    key = admin.say("create-key", "--tenant", "farm", "--name", "field office", "--scopes", "read")
    with database.begin() as session:
        record(session, Actor(ActorKind.KEY, key[3:15]), Action.JOB_CREATE, "a job")
    assert admin.rows("audit", "--action", "job")[0][1] == f"key {key[3:15]} (field office)"


def test_a_refused_command_is_no_entry(admin: Admin) -> None:
    assert admin("revoke-key", "nothing")[0] == 1
    assert admin("create-tenant", "t", "--weight", "0")[0] == 1
    assert admin.say("audit") == "There are no such entries."


def test_jobs_that_operators_touch_are_told_with_their_tenant(admin: Admin, jobs: Jobs, database: Database) -> None:
    job_id = jobs.queued()
    admin.say("requeue", "--job", job_id)
    admin.say("cancel-job", job_id)
    admin.say("purge", job_id)
    assert actions(admin, "--on", job_id) == ["chunk.requeue", "job.cancel", "job.delete"]
    with database.begin() as session:
        owned = session.execute(text("SELECT count(*) FROM audit_log WHERE tenant_id IS NOT NULL")).scalar_one()
    assert owned == 2


def test_old_entries_go_on_demand_and_that_is_an_entry(admin: Admin, database: Database) -> None:
    old_entry(database, 500)
    status, _, refused = admin("audit-forget", "29d")
    assert (status, refused) == (1, "Entries stay for 30d at least; got 29d.")
    assert admin.say("audit-forget", "400d") == "1 entries older than 400d are removed."
    ((*_, action, subject, _tenant, details, _request),) = admin.rows("audit")
    assert (action, subject, details) == ("audit.forget", "400d", "entries=1")


@pytest.mark.parametrize("given", ["soon", "-1d"])
def test_a_span_that_is_none_is_usage(admin: Admin, given: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        admin("audit-forget", given)
