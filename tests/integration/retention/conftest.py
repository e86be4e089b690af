"""Jobs over the real API, a worker's hands, and a clock that is set in the rows."""

import uuid
from collections.abc import Callable, Iterator

import pytest
import urllib3
from sqlalchemy import text

from shared.db.models import Tenant
from shared.db.session import Database
from shared.retention.sweep import sweep_retention
from shared.settings import Settings
from shared.storage.s3 import S3Store
from tests.integration.api.conftest import Hands, hands
from tests.integration.conftest import Api

from tests.integration.exports.conftest import ExportSlot, context, exporter, stopping  # isort: skip

__all__ = ["ExportSlot", "context", "exporter", "hands", "stopping"]

BODY = b"leaf"
Age = Callable[..., None]


@pytest.fixture(scope="module", autouse=True)
def bucket(store: S3Store) -> None:
    store.create_bucket()


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False) as pool:
        yield pool


@pytest.fixture
def age(database: Database) -> Age:
    """Make a moment of a row come so long ago, as time would."""

    def make_older(table: str, column: str, interval: str, *, of: str) -> None:
        with database.begin() as session:
            changed = session.execute(
                text(
                    f"UPDATE {table} SET {column} = now() - CAST(:age AS interval) "  # noqa: S608  # the tests' own
                    "WHERE id = :id RETURNING 1"
                ),
                {"age": interval, "id": uuid.UUID(of)},
            ).all()
        assert changed

    return make_older


@pytest.fixture
def uploaded(api: Api, http: urllib3.PoolManager) -> Callable[..., str]:
    """A draft whose images lie in the object store."""

    def make(*names: str, **body: object) -> str:
        job_id = api.new_job(**body)
        for image in api.add(job_id, *(names or ("a.jpg", "b.jpg", "c.jpg"))):
            put = image["upload"]
            assert http.request("PUT", put["url"], body=BODY, headers=put["headers"]).status == 200
        return job_id

    return make


@pytest.fixture
def finished(api: Api, hands: Hands, uploaded: Callable[..., str], age: Age) -> Callable[..., str]:
    """A job that ended so long ago; its uploads are there."""

    def make(ended: str, **body: object) -> str:
        job_id = uploaded(**body)
        api.commit(job_id)
        hands.run(job_id)
        age("jobs", "finished_at", ended, of=job_id)
        return job_id

    return make


@pytest.fixture
def of_tenant(database: Database, tenant_id: uuid.UUID) -> Callable[..., None]:
    """Give the tenant of ``api`` days of its own."""

    def set_days(**days: int) -> None:
        with database.begin() as session:
            for name, value in days.items():
                setattr(session.get_one(Tenant, tenant_id), name, value)

    return set_days


@pytest.fixture
def objects_of(store: S3Store) -> Callable[[str], list[str]]:
    """Every object in the bucket whose key names a job."""

    def read(job_id: str) -> list[str]:
        return [found.key for found in store.list_objects("") if job_id in found.key]

    return read


@pytest.fixture
def sweep(database: Database, store: S3Store, settings: Settings) -> Callable[..., object]:
    """One round of retention with the settings of this module."""
    return lambda **changed: sweep_retention(database, store, settings.model_copy(update=changed))
