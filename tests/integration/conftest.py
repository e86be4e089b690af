"""Real servers for every integration test: one set per session, a database per module or test, cloned from a template.

Test modules import the types from here: ``from tests.integration.conftest import Api``.
"""

import json
import os
import secrets
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest
import structlog
import urllib3
import uvicorn
from alembic import command
from sqlalchemy import func, make_url

from api.connection import bounded_http
from api.main import create_app
from api.server import Server
from deploy.local.folder import DataFolder
from deploy.local.servers import LocalServers
from deploy.local.state import StackState
from shared.access import keys
from shared.classifiers import registry
from shared.contracts.manifest import Manifest
from shared.contracts.states import Scope
from shared.db.models import ApiKey, Tenant
from shared.db.schema import alembic_config
from shared.db.session import Database
from shared.settings import Settings
from shared.storage.s3 import S3Store
from tests.integration.security.open_store import OpenServer
from tests.on_postgres import OTHER_POSTGRES
from tests.patience import PATIENCE_SECONDS, wait_for

LABELS = ("healthy", "powdery_mildew", "rust")
MANIFEST = Manifest.model_validate(
    {
        "name": "leaf-test",
        "version": "1",
        "sha256": "ab" * 32,
        "classes": [{"id": label, "names": {"en": label.replace("_", " ")}} for label in LABELS],
        "input_size": [128, 128],
    }
)


class MakeSettings(Protocol):
    """Settings on a new clone of the migrated database, unless told otherwise."""

    def __call__(self, **overrides: Any) -> Settings: ...  # noqa: ANN401  # fields of Settings


class MakeTenant(Protocol):
    """A tenant of its own for a test; returns its id."""

    def __call__(self, **overrides: Any) -> uuid.UUID: ...  # noqa: ANN401  # columns of Tenant


class MakeKey(Protocol):
    """An API key of a tenant (a new one unless told otherwise); returns its text."""

    def __call__(
        self,
        tenant_id: uuid.UUID | None = None,
        *scopes: Scope,
        expires_in: timedelta | None = None,
        revoked: bool = False,
    ) -> str: ...


@dataclass(frozen=True, slots=True)
class Api:
    """A running API, seen over HTTP by one caller."""

    base: str
    key: str | None
    pool: urllib3.PoolManager

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        **how: Any,  # noqa: ANN401  # what urllib3 takes: json, body, fields
    ) -> urllib3.BaseHTTPResponse:
        """One request, without retries."""
        sent = {"X-API-Key": self.key} if self.key is not None else {}
        return self.pool.request(
            method, f"{self.base}{path}", headers={**sent, **(headers or {})}, retries=False, **how
        )

    def get(self, path: str, **how: Any) -> urllib3.BaseHTTPResponse:  # noqa: ANN401  # as above
        """GET."""
        return self.request("GET", path, **how)

    def post(self, path: str, body: object = None, **how: Any) -> urllib3.BaseHTTPResponse:  # noqa: ANN401  # as above
        """POST of JSON, if there is any."""
        if body is not None:
            how["json"] = body
        return self.request("POST", path, **how)

    def with_key(self, key: str | None) -> "Api":
        """The same API for another caller."""
        return replace(self, key=key)

    def new_job(self, **body: Any) -> str:  # noqa: ANN401  # fields of a job
        """A draft; returns its id."""
        answer = self.post("/v1/jobs", body)
        assert answer.status == 201, answer.data
        return str(answer.json()["id"])

    def add(self, job_id: str, *names: str, size: int = 4) -> list[dict[str, Any]]:
        """Name images in a draft."""
        answer = self.post(f"/v1/jobs/{job_id}/images", {"images": [{"name": n, "size": size} for n in names]})
        assert answer.status == 200, answer.data
        return list(answer.json()["images"])

    def commit(self, job_id: str) -> dict[str, Any]:
        """Commit a draft."""
        answer = self.post(f"/v1/jobs/{job_id}/commit")
        assert answer.status == 202, answer.data
        return dict(answer.json())


def assert_problem(answer: urllib3.BaseHTTPResponse, status: int, code: str) -> dict[str, Any]:
    """The answer is a problem of this status and code, in the one shape that all have; returns it."""
    body: dict[str, Any] = json.loads(answer.data)
    assert answer.status == status, body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert body["type"] == f"urn:phytobatch:problem:{code}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert body["instance"].startswith("/")
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return body


@pytest.fixture(scope="session", autouse=True)
def plain_logs() -> Iterator[None]:
    """Traces as text: structlog's default draws boxes around every local variable, which takes seconds."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ]
    )
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def open_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenServer]:
    """A SeaweedFS without the certificate that shuts its ports."""
    folder = DataFolder(tmp_path_factory.mktemp("open") / "data")
    folder.prepare()
    server = OpenServer(folder, StackState(folder.secrets))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def servers() -> Iterator[LocalServers]:
    """Postgres, Valkey and S3, real ones, empty."""
    other = os.environ.get(OTHER_POSTGRES)
    with LocalServers.temporary(postgres_programs=Path(other) if other else None) as running:
        running.objects.create_bucket("phytobatch")
        yield running


@pytest.fixture(scope="session")
def template_database(servers: LocalServers) -> str:
    """Name of a database with every migration and one registered classifier, to be cloned."""
    name = servers.postgres.create_database("template_migrated")
    url = servers.postgres.database_url(name)
    command.upgrade(alembic_config(url), "head")
    database = Database(Settings(**_fields(servers, url)), pool_size=1)
    with database.begin() as session:
        registry.register(session, MANIFEST)
    database.dispose()
    return name


def _fields(servers: LocalServers, database_url: str) -> dict[str, Any]:
    given = {
        name.removeprefix("PHYTOBATCH_").lower(): value
        for name, value in servers.environment.items()
        if name.startswith("PHYTOBATCH_")
    }
    return {**given, "database_url": database_url, "broker_key_prefix": f"{secrets.token_hex(4)}:"}


@pytest.fixture(scope="session")
def make_settings(servers: LocalServers, template_database: str) -> MakeSettings:
    def make(**overrides: Any) -> Settings:  # noqa: ANN401  # fields of Settings
        url = overrides.pop("database_url", None) or servers.postgres.database_url(
            servers.postgres.create_database(template=template_database)
        )
        return Settings(**{**_fields(servers, url), **overrides})

    return make


def name_of(settings: Settings) -> str:
    """The name of its database."""
    return str(make_url(settings.database_url.get_secret_value()).database)


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings, servers: LocalServers) -> Iterator[Settings]:
    """Settings of this module: a database of its own, dropped after it; all of them together would take gigabytes."""
    made = make_settings()
    yield made
    servers.postgres.drop_database(name_of(made))


@pytest.fixture(scope="module")
def database(settings: Settings) -> Iterator[Database]:
    """The database of this module."""
    made = Database(settings)
    yield made
    made.dispose()


@pytest.fixture
def fresh_database(make_settings: MakeSettings, servers: LocalServers) -> Iterator[Database]:
    """A database for one test alone."""
    settings = make_settings()
    made = Database(settings)
    yield made
    made.dispose()
    servers.postgres.drop_database(name_of(settings))


@pytest.fixture(scope="module")
def store(settings: Settings) -> S3Store:
    """The object store; its bucket is shared by all tests, job ids keep them apart."""
    return S3Store(settings)


def insert_tenant(database: Database, **overrides: Any) -> uuid.UUID:  # noqa: ANN401  # columns of Tenant
    """Insert a tenant with a name of its own."""
    with database.begin() as session:
        tenant = Tenant(**{"name": f"tenant-{secrets.token_hex(6)}", **overrides})
        session.add(tenant)
        session.flush()
        return tenant.id


@pytest.fixture
def make_tenant(database: Database) -> MakeTenant:
    def make(**overrides: Any) -> uuid.UUID:  # noqa: ANN401  # columns of Tenant
        return insert_tenant(database, **overrides)

    return make


def insert_key(  # what a key can be
    database: Database,
    tenant_id: uuid.UUID,
    *scopes: Scope,
    expires_in: timedelta | None = None,
    revoked: bool = False,
) -> str:
    """Insert a key with the scopes `submit` and `read`, unless told otherwise."""
    key = keys.generate()
    with database.begin() as session:
        session.add(
            ApiKey(
                tenant_id=tenant_id,
                name="test",
                prefix=key.prefix,
                digest=key.digest,
                scopes=list(scopes or (Scope.SUBMIT, Scope.READ)),
                expires_at=None if expires_in is None else func.now() + expires_in,
                revoked_at=func.now() if revoked else None,
            )
        )
    return key.text


@pytest.fixture
def make_key(database: Database, make_tenant: MakeTenant) -> MakeKey:
    def make(
        tenant_id: uuid.UUID | None = None,
        *scopes: Scope,
        expires_in: timedelta | None = None,
        revoked: bool = False,
    ) -> str:
        return insert_key(database, tenant_id or make_tenant(), *scopes, expires_in=expires_in, revoked=revoked)

    return make


@contextmanager
def serve(settings: Settings) -> Iterator[Api]:
    """An API with these settings on a free port, over real HTTP, in a thread."""
    app = create_app(settings)
    server = Server(
        uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="on", http=bounded_http(settings)),
        end_waiting=app.state.services.hub.close,
    )
    thread = threading.Thread(target=server.run, name="uvicorn")
    thread.start()
    wait_for(lambda: server.started or not thread.is_alive())
    assert server.started, "the API did not start"
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        with urllib3.PoolManager(maxsize=32, timeout=PATIENCE_SECONDS) as pool:
            yield Api(f"http://127.0.0.1:{port}", None, pool)
    finally:  # a test that fails must not leave a thread that keeps pytest from ending
        server.should_exit = True
        thread.join()


Serve = Callable[[Settings], AbstractContextManager[Api]]


@pytest.fixture(scope="session")
def serve_api() -> Serve:
    """To run an API with other settings than the module's."""
    return serve


@pytest.fixture(scope="module")
def anonymous(settings: Settings) -> Iterator[Api]:
    """The API of this module, without a key."""
    with serve(settings) as running:
        yield running


@pytest.fixture
def tenant_id(make_tenant: MakeTenant) -> uuid.UUID:
    """The tenant of ``api``."""
    return make_tenant()


@pytest.fixture
def api(anonymous: Api, make_key: MakeKey, tenant_id: uuid.UUID) -> Api:
    """The API of this module for a new tenant, with the scopes `submit` and `read`."""
    return anonymous.with_key(make_key(tenant_id))
