"""The doctor, in front of installations that are well and of some that are not."""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from io import BytesIO

import pytest
import redis
from sqlalchemy import text

from api.admin.classifiers import shipped_folders
from deploy.local.ports import free_port
from deploy.local.servers import LocalServers
from shared.classifiers import registry
from shared.classifiers.bundle import read_folder
from shared.db.session import Database
from shared.programs import Heartbeat, ProgramKind
from shared.settings import Settings, get_settings
from shared.storage.keys import model_key
from shared.storage.s3 import S3Store, open_client
from tests.integration.api.admin.conftest import Admin, set_environment
from tests.integration.conftest import MANIFEST
from tests.integration.jobs.factory import Jobs
from tests.integration.security.open_store import OpenServer
from tests.integration.webhooks.factory import Outbox

Examine = Callable[[], dict[str, dict[str, str]]]
HEALTHY = (
    "secrets",
    "database",
    "migrations",
    "redis",
    "redis persistence",
    "bucket",
    "objects",
    "uploads",
    "privacy",
    "store ports",
)


@pytest.fixture
def examine(admin: Admin) -> Examine:
    """The findings by the name of their check; the exit status is what they say."""

    def run() -> dict[str, dict[str, str]]:
        status, said, _ = admin("doctor", "--json")
        found = json.loads(said)
        assert status == any(one["level"] == "FAIL" for one in found)
        assert all(one["do"] for one in found if one["level"] != "OK")
        return {one["check"]: one for one in found}

    return run


@pytest.fixture
def change(admin_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Run the commands with other settings."""

    def make(**overrides: object) -> Settings:
        settings = Settings(**{**{name: value for name, value in admin_settings if value is not None}, **overrides})
        set_environment(settings, monkeypatch)
        return settings

    return make


def test_an_installation_that_is_well_has_nothing_to_do_but_what_tests_leave_out(
    examine: Examine, admin: Admin, admin_settings: Settings
) -> None:
    bucket = open_client(admin_settings, admin_settings.s3_endpoint_url, 1)
    bucket.delete_bucket_cors(Bucket=admin_settings.s3_bucket)  # other tests may have set it
    found = examine()
    assert {found[name]["level"] for name in HEALTHY} == {"OK"}
    assert {name for name, one in found.items() if one["level"] != "OK"} == {
        "PHYTOBATCH_PUBLIC_URL",
        "durability",  # the servers of tests do not wait for the disk
        "browsers",
        "classifier files",  # the shipped classifier is not registered in their template
    }
    said = admin.say("doctor")
    assert said.splitlines()[-1].endswith("4 WARN, 0 FAIL")
    assert "-> turn it on" in said


def test_settings_that_are_missing_are_the_one_thing_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "S3_BUCKET"):
        monkeypatch.delenv(f"PHYTOBATCH_{name}", raising=False)
    get_settings.cache_clear()
    status, said, _ = Admin(capsys)("doctor")
    assert status == 1
    assert said.startswith("FAIL  settings")
    assert "PHYTOBATCH_DATABASE_URL" in said


def test_servers_that_are_away_are_each_said_once(examine: Examine, change: Callable[..., Settings]) -> None:
    port = free_port()
    change(
        database_url=f"postgresql+psycopg://p:{'x' * 20}@127.0.0.1:{port}/p",
        redis_url=f"redis://:{'x' * 20}@127.0.0.1:{port}/0",
        s3_endpoint_url=f"http://127.0.0.1:{port}",
    )
    found = examine()
    assert found["database"]["said"].startswith("cannot be reached")
    assert "does not answer" in found["redis"]["said"]
    assert "cannot be reached" in found["bucket"]["said"]
    assert {"migrations", "redis memory", "objects"}.isdisjoint(found)


def test_tables_that_are_missing_or_of_another_version_are_noticed(
    examine: Examine, change: Callable[..., Settings], servers: LocalServers, admin_settings: Settings
) -> None:
    database = Database(admin_settings, pool_size=1)
    with database.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'of tomorrow'"))
    database.dispose()
    assert "a newer version has migrated" in examine()["migrations"]["said"]
    change(database_url=servers.postgres.database_url(servers.postgres.create_database()))
    found = examine()
    assert (found["database"]["level"], found["migrations"]["level"]) == ("OK", "FAIL")
    assert "migrate" in found["migrations"]["do"]


def test_a_redis_that_may_forget_is_noticed(examine: Examine, servers: LocalServers) -> None:
    with redis.Redis.from_url(servers.valkey.url) as valkey:
        valkey.config_set("maxmemory-policy", "allkeys-lru")
        valkey.config_set("appendonly", "no")
        try:
            found = examine()
        finally:
            valkey.config_set("maxmemory-policy", "noeviction")
            valkey.config_set("appendonly", "yes")
    assert "allkeys-lru" in found["redis memory"]["said"]
    assert found["redis persistence"]["level"] == "WARN"


def test_a_bucket_that_anybody_can_read_or_nobody_can_reach_is_noticed(
    examine: Examine, change: Callable[..., Settings], servers: LocalServers
) -> None:
    change(s3_bucket="not-there")
    assert "create-bucket" in examine()["bucket"]["do"]
    change(s3_public_endpoint_url=f"http://127.0.0.1:{servers.objects.port + 1}")  # its master speaks HTTP, but no S3
    assert "to an upload" in examine()["uploads"]["said"]
    change(s3_bucket="public", s3_public_endpoint_url=f"http://127.0.0.1:{free_port()}")
    with closing(servers.objects.client()) as s3:
        s3.create_bucket(Bucket="public")
        everybody = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"]}
        resource = ["arn:aws:s3:::public", "arn:aws:s3:::public/*"]
        policy = {"Version": "2012-10-17", "Statement": [{**everybody, "Resource": resource}]}
        s3.put_bucket_policy(Bucket="public", Policy=json.dumps(policy))
        s3.create_multipart_upload(Bucket="public", Key="never-finished")
        found = examine()
        assert s3.list_objects_v2(Bucket="public").get("KeyCount") == 0, "no probe is left"
    assert found["privacy"]["level"] == "FAIL"
    assert "cannot be reached from here" in found["uploads"]["said"]
    assert found["leftovers"]["level"] == "WARN"


def test_a_store_whose_other_ports_ask_for_no_key_is_noticed(
    examine: Examine, admin: Admin, change: Callable[..., Settings], open_store: OpenServer
) -> None:
    assert examine()["store ports"]["level"] == "OK"
    change(s3_endpoint_url=open_store.url)
    said = admin("doctor")[1]
    for part in ("the master", "the volume server", "the filer", "measurements", "gRPC without TLS"):
        assert part in said
    # The ports of a cloud are not ours to look at.
    change(s3_endpoint_url="https://93.184.215.14")
    assert "not looked at" in examine()["store ports"]["said"]


def test_uploads_to_localhost_are_judged_at_the_store_where_localhost_is_another_machine(
    examine: Examine, change: Callable[..., Settings], servers: LocalServers
) -> None:
    """As in a container: clients on the host reach a proxy there, which no container can."""
    elsewhere = servers.objects.url.replace("127.0.0.1", "127.1")  # stands for the name of another machine
    nobody = f"https://localhost:{free_port()}"
    change(s3_endpoint_url=elsewhere, s3_public_endpoint_url=nobody)
    assert (examine()["uploads"]["level"], nobody in examine()["uploads"]["said"]) == ("OK", True)
    change(s3_endpoint_url=elsewhere, s3_public_endpoint_url=nobody.replace("localhost", "photos.invalid"))
    assert examine()["uploads"]["level"] == "WARN"


def test_classifiers_that_are_not_what_the_register_says_are_noticed(
    examine: Examine, change: Callable[..., Settings], database: Database
) -> None:
    (folder,) = shipped_folders()
    shipped = read_folder(folder)
    with database.begin() as session:
        registry.register(session, shipped.model_copy(update={"sha256": "f" * 64, "onnx_sha256": None}))
    title = f"{MANIFEST.name}@{MANIFEST.version}"
    settings = change(classifiers=title)
    found = examine()
    assert found["classifier files"]["level"] == "FAIL"
    assert found["published files"]["said"].startswith(f"workers are to serve {title}")
    key = model_key(MANIFEST.name, MANIFEST.version, "model.keras")
    S3Store(settings).put(key, BytesIO(b"other weights"), size=13)
    assert "registered is abababababab" in examine()["published files"]["said"]
    S3Store(settings).delete([key])


def test_work_that_nobody_does_is_noticed(examine: Examine, jobs: Jobs, outbox: Outbox) -> None:
    jobs.queued()
    held = jobs.claim()
    outbox.endpoint("https://farm.example.org/", enabled=False, disabled_reason="failing")
    with jobs.database.begin() as session:
        session.execute(text("UPDATE chunks SET lease_until = now() - :late, not_before = now() - :late"), LATE)
        session.execute(
            text("UPDATE jobs SET queued_at = now() - :late, started_at = now() - :late, committed_at = now() - :late"),
            LATE,
        )
    found = examine()
    assert found["sweep"]["said"].startswith("1 leases ran out")
    assert "no worker is at work" in found["workers"]["said"]
    assert "no deliverer is at work" in found["deliverer"]["said"]
    assert "failed or are gone" in found["endpoints"]["said"]
    with jobs.database.begin() as session:
        session.execute(text("UPDATE chunks SET state = 'ready' WHERE no = :no"), {"no": held.no})
    assert found["default served"]["level"] == "OK"
    assert "no worker takes them" in examine()["default served"]["said"]
    with jobs.database.begin() as session:
        Heartbeat(ProgramKind.WORKER, "host:1").write(session)
    assert "have had no news for 15m" in examine()["jobs"]["said"]


LATE = {"late": timedelta(hours=1)}
