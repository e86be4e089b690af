"""What metrics say of single tenants, and of how many."""

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.metrics.exports import read_exports
from api.metrics.reading import Reading
from api.metrics.tenants import OTHERS, read_tenants
from shared.db.session import Database
from shared.metrics import definitions as metrics
from shared.metrics.definition import Sampled

TENANT = text("INSERT INTO tenants (id, name) VALUES (:id, :name)")
JOB = text(
    """
    INSERT INTO jobs (id, tenant_id, priority, state, total, succeeded, failed, committed_at, queued_at, finished_at)
    VALUES (gen_random_uuid(), :tenant, 'bulk', :state, :total, :succeeded, :failed, now() - interval '10 minutes',
            now() - interval '10 minutes', now() - make_interval(mins => :ended))
    """
)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A transaction that leaves nothing behind."""
    with database.begin() as opened:
        # Of what other tests left nothing shall be seen.
        opened.execute(text("UPDATE jobs SET deleted_at = now(), state = 'completed', finished_at = now()"))
        yield opened
        opened.rollback()


def tenant(session: Session, name: str) -> uuid.UUID:
    made = uuid.uuid4()
    session.execute(TENANT, {"id": made, "name": name})
    return made


def job(
    session: Session,
    of: uuid.UUID,
    state: str = "running",
    *,
    total: int,
    succeeded: int = 0,
    failed: int = 0,
    ended: int | None = None,
) -> None:
    counts = {"total": total, "succeeded": succeeded, "failed": failed}
    session.execute(JOB, {"tenant": of, "state": state, "ended": ended, **counts})


def values(found: Reading, metric: Sampled) -> dict[tuple[str, ...], float]:
    return dict(found[metric])


def test_a_tenant_has_what_waits_and_what_became_of_its_images(session: Session) -> None:
    farm = tenant(session, "north farm")
    job(session, farm, total=100, succeeded=30, failed=10)
    job(session, farm, "completed", total=50, succeeded=45, failed=5, ended=59)
    job(session, farm, "completed", total=1000, succeeded=1000, ended=61)  # An hour ago is long ago.
    found = read_tenants(session, max_tenants=5)
    assert values(found, metrics.TENANT_IMAGES_WAITING) == {("north farm",): 60, (OTHERS,): 0}
    assert values(found, metrics.TENANT_OLDEST_IMAGE)["north farm",] == pytest.approx(600, abs=60)
    assert values(found, metrics.TENANT_IMAGES) == {
        ("north farm", "succeeded"): 75,
        ("north farm", "failed"): 15,
        ("north farm", "rejected"): 0,
        **{(OTHERS, status): 0 for status in ("succeeded", "failed", "rejected")},
    }


def test_those_with_the_most_are_named_and_all_others_are_one(session: Session) -> None:
    for name, waiting in (("small", 1), ("large", 1000), ("middle", 100), ("tiny", 2)):
        job(session, tenant(session, name), total=waiting)
    job(session, tenant(session, "done"), "completed", total=9, succeeded=9, ended=1)
    tenant(session, "idle")
    found = read_tenants(session, max_tenants=2)
    assert values(found, metrics.TENANT_IMAGES_WAITING) == {("large",): 1000, ("middle",): 100, (OTHERS,): 3}
    assert values(found, metrics.TENANT_IMAGES)[OTHERS, "succeeded"] == 9
    assert len(found[metrics.TENANT_IMAGES]) == 3 * 3  # type: ignore[arg-type]


def test_a_tenant_that_is_called_as_the_others_breaks_no_scrape(session: Session) -> None:
    for name in (OTHERS, "a", "b"):
        job(session, tenant(session, name), total=5)
    found = read_tenants(session, max_tenants=2)
    series = [labels for labels, _ in found[metrics.TENANT_IMAGES_WAITING]]
    assert len(series) == len(set(series))
    assert sum(values(found, metrics.TENANT_IMAGES_WAITING).values()) == 15


def test_where_none_are_named_nothing_is_read(session: Session) -> None:
    assert read_tenants(session, max_tenants=0) == {}


def test_exports_that_are_not_made_yet_are_told(session: Session) -> None:
    session.execute(text("DELETE FROM exports"))
    assert values(read_exports(session), metrics.OLDEST_EXPORT_WAITING) == {(): 0}
    farm = tenant(session, "exporter")
    job(session, farm, "completed", total=1, succeeded=1, ended=1)
    session.execute(
        text(
            "INSERT INTO exports (id, tenant_id, job_id, format, state, created_at) "
            "SELECT gen_random_uuid(), tenant_id, id, 'csv', its.state, now() - interval '5 minutes' FROM jobs "
            "CROSS JOIN unnest(ARRAY['queued', 'queued', 'running', 'completed', 'failed']) AS its (state) "
            "WHERE tenant_id = :farm"
        ).bindparams(farm=farm)
    )
    found = read_exports(session)
    assert values(found, metrics.EXPORTS) == {("queued",): 2, ("running",): 1}
    assert values(found, metrics.OLDEST_EXPORT_WAITING)[()] == pytest.approx(300, abs=60)
    session.execute(text("UPDATE jobs SET deleted_at = now() WHERE tenant_id = :farm").bindparams(farm=farm))
    gone = read_exports(session)
    assert values(gone, metrics.EXPORTS) == {("queued",): 0, ("running",): 0}, "nobody waits for those of a deleted job"
    assert values(gone, metrics.OLDEST_EXPORT_WAITING) == {(): 0}
