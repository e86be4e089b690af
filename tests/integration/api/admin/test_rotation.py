"""Keys and passwords change while everything runs: the new one first, then the programs, then away with the old."""

import threading
import uuid
from collections.abc import Iterator
from typing import Self

import pytest
import redis
from sqlalchemy import make_url, text

from deploy.local.servers import LocalServers
from shared.db.session import Database
from shared.queue import Wakeups
from shared.settings import Settings
from tests.integration.api.admin.conftest import Admin
from tests.integration.conftest import Api, Serve
from tests.patience import wait_for

CLIENTS = 4


class Load:
    """Clients that call all the time, each time with the newest key that they were given."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.statuses: list[int] = []
        self._enough = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._enough.is_set():
            self.statuses.append(self.api.get("/v1/jobs").status)

    def goes_on(self) -> None:
        """Wait until every client has called again, and more than once."""
        seen = len(self.statuses)
        wait_for(lambda: len(self.statuses), lambda count: count > seen + 3 * CLIENTS)


def test_an_api_key_is_exchanged_under_load_and_nobody_is_refused(
    admin: Admin, admin_settings: Settings, serve_api: Serve
) -> None:
    admin.say("create-tenant", "farm")
    new_key = ("create-key", "--tenant", "farm", "--scopes", "read", "--name")
    old = admin.say(*new_key, "of spring")
    with serve_api(admin_settings) as served, Load(served.with_key(old)) as load:
        load.goes_on()
        new = admin.say(*new_key, "of summer").splitlines()[-1]
        load.goes_on()
        load.api = served.with_key(new)
        load.goes_on()
        admin.say("revoke-key", old[3:15])
        load.goes_on()
        assert served.with_key(old).get("/v1/jobs").status == 401
    assert set(load.statuses) == {200}


@pytest.fixture
def second_role(admin_settings: Settings) -> Iterator[Settings]:
    """As docs/maintenance.md says: another role that may all that the first may, and makes tables in its name."""
    name = f"role_{uuid.uuid4().hex[:8]}"
    url = make_url(admin_settings.database_url.get_secret_value())
    database = Database(admin_settings, pool_size=1)
    with database.begin() as session:
        for statement in (
            f"CREATE ROLE {name} LOGIN PASSWORD 'a new password' IN ROLE {url.username}",
            f"ALTER ROLE {name} SET role = '{url.username}'",
        ):
            session.execute(text(statement))
    address = url.set(username=name, password="a new password").render_as_string(hide_password=False)  # noqa: S106
    yield Settings(**{**dict(admin_settings), "database_url": address})
    with database.begin() as session:
        session.execute(text(f"DROP ROLE {name}"))
    database.dispose()


def test_the_programs_change_to_another_role_of_the_database_one_by_one(
    admin: Admin, admin_settings: Settings, second_role: Settings, serve_api: Serve
) -> None:
    admin.say("create-tenant", "farm")
    key = admin.say("create-key", "--tenant", "farm", "--scopes", "submit,read", "--name", "n")
    with serve_api(admin_settings) as old, serve_api(second_role) as new:
        job_id = old.with_key(key).new_job(name="by the old role")
        api = new.with_key(key)
        api.add(job_id, "a.jpg")
        assert api.commit(job_id)["state"] == "validating"
    database = Database(second_role)
    with database.begin() as session:
        session.execute(text("CREATE TABLE made_by_a_migration ()"))
        owner = text("SELECT tableowner FROM pg_tables WHERE tablename = 'made_by_a_migration'")
        assert session.execute(owner).scalar_one() == "phytobatch"
    database.dispose()


def test_redis_takes_two_passwords_while_the_programs_change(servers: LocalServers, admin_settings: Settings) -> None:
    old = admin_settings.redis_url.get_secret_value()
    new = old.replace(old.split("@")[0].split(":")[-1], "another-password")
    changed = Settings(**{**dict(admin_settings), "redis_url": new})
    with redis.Redis.from_url(servers.valkey.url) as valkey:
        valkey.execute_command("ACL", "SETUSER", "default", ">another-password")
        try:
            assert all(Wakeups(settings).is_reachable() for settings in (admin_settings, changed))
        finally:
            valkey.execute_command("ACL", "SETUSER", "default", "<another-password")
        assert not Wakeups(changed).is_reachable()
