"""What PostgreSQL is told not to do can be left out, in every plan: a step that it takes all the same costs 10**10.

Beside such a cost every other difference is nothing, and the plan counts as dear enough to be compiled (JIT).
"""

import uuid
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from api.metrics.reading import read
from shared.contracts.geography import PlaceFilter
from shared.contracts.manifest import ReviewReason
from shared.contracts.states import ImageStatus
from shared.corrections.reading import Cursor, read_corrections
from shared.db.models import Job
from shared.db.session import Database
from shared.exports.sheet import plan, plan_tiles
from shared.jobs.results import ResultFilter, read_results
from shared.summaries import shares
from shared.summaries.counting import Counting
from shared.summaries.grid import grid
from shared.summaries.positions import positions
from shared.summaries.uncertain import least_certain
from shared.tiles.codec import encode
from shared.tiles.grid import lay_grid
from shared.tiles.tile_map import Tile, TileMap
from tests.integration.conftest import MakeSettings, insert_tenant
from tests.integration.statements import Statement, explain, statements

pytestmark = pytest.mark.plans

FILL = text(
    """
    WITH job AS (
        INSERT INTO jobs (id, tenant_id, priority, state, total, succeeded, last_position, tiling,
                          classifier_id)
        VALUES (:job, :tenant, 'bulk', 'running', 300, 300, 300, '"auto"', (SELECT id FROM classifiers)) RETURNING id),
    named AS (
        INSERT INTO images (job_id, seq, name, size, object_key, metadata, latitude, longitude)
        SELECT job.id, n, 'flight/' || n || '.jpg', 4, n::text, jsonb_build_object('row', n % 3), 47.9, 7.8
        FROM job, generate_series(1, 300) AS n RETURNING job_id, seq),
    corrected AS (
        INSERT INTO correction_entries (job_id, seq, label) SELECT job_id, seq, 'rust' FROM named WHERE seq < 9),
    of_tiles AS (
        INSERT INTO correction_entries (job_id, seq, tile, label)
        SELECT job_id, seq, 1, 'rust' FROM named WHERE seq < 9)
    INSERT INTO results (job_id, seq, position, status, label, confidence, tile_sums)
    SELECT job_id, seq, seq, 'succeeded', 'rust', 0.9,
           '{"labels": {"healthy": 3, "rust": 1}, "review": {"blurred": 1}, "skipped": {}}' FROM named
    """
)
FILL_MAPS = text("INSERT INTO tile_maps (job_id, seq, map) SELECT job_id, seq, :map FROM results WHERE job_id = :job")
MAP = TileMap.of(lay_grid(500, 100, 100), [Tile(0, 0.9)] * 3 + [Tile(1, 0.8), Tile(1, 0.4, ReviewReason.BLURRED)])
Ask = Callable[[Database, uuid.UUID], object]


@pytest.fixture(scope="module")
def filled(make_settings: MakeSettings) -> Iterator[tuple[Database, uuid.UUID]]:
    """A job with answers, and its database."""
    database, job_id = Database(make_settings()), uuid.uuid4()
    with database.begin() as session:
        session.execute(FILL, {"job": job_id, "tenant": insert_tenant(database)})
        session.execute(FILL_MAPS, {"job": job_id, "map": encode(MAP)})
    yield database, job_id
    database.dispose()


def page(**only: object) -> Ask:
    """A page of results."""

    def ask(database: Database, job_id: uuid.UUID) -> object:
        with database.begin() as session:
            return read_results(session, job_id, after=5, limit=10, only=ResultFilter(**only))  # type: ignore[arg-type]

    return ask


def export(**only: object) -> Ask:
    """The facts of an export, and its pages."""

    def ask(database: Database, job_id: uuid.UUID) -> object:
        with database.begin() as session:
            sheet = plan(session, session.get_one(Job, job_id), ResultFilter(**only), metadata_columns=4)  # type: ignore[arg-type]
        return list(sheet.pages(database))

    return ask


def export_of_tiles(**only: object) -> Ask:
    """Likewise, of tiles."""

    def ask(database: Database, job_id: uuid.UUID) -> object:
        with database.begin() as session:
            sheet = plan_tiles(session, session.get_one(Job, job_id), ResultFilter(**only))  # type: ignore[arg-type]
        return list(sheet.pages(database))

    return ask


def corrections(database: Database, job_id: uuid.UUID) -> object:
    with database.begin() as session:
        return list(read_corrections(session, job_id, after=Cursor(2), limit=10))


def summary(*, has_tiles: bool) -> Ask:
    """Every table of a summary, and a grid."""

    def ask(database: Database, job_id: uuid.UUID) -> object:
        sums = {"labels": {"rust": 2}, "review": {}, "skipped": {}}
        labels, recounted = (("healthy", "rust"), {7: sums}) if has_tiles else ((), {})
        counting = Counting(job_id, ("healthy",), has_tiles=has_tiles, labels=labels, recounted=recounted)
        with database.begin() as session:
            return (
                shares.overall(session, counting),
                shares.by_metadata(session, counting, "row", max_values=5),
                shares.by_day(session, counting, time_zone="Europe/Madrid"),
                positions(session, job_id),
                least_certain(session, job_id),
                grid(session, counting, edge=10.0, origin=None, max_cells=100),
            )

    return ask


def scrape(database: Database, _job_id: uuid.UUID) -> object:
    with database.begin() as session:
        return read(session)


ASKED: dict[str, Ask] = {
    "page": page(),
    "page of a label": page(label="rust"),
    "page of those that failed": page(status=ImageStatus.FAILED),
    "page of a place": page(place=PlaceFilter.MISSING),
    "export": export(),
    "export of a label": export(label="rust"),
    "export of tiles": export_of_tiles(),
    "export of the tiles of a label": export_of_tiles(label="rust"),
    "corrections": corrections,
    "summary": summary(has_tiles=False),
    "summary of tiles": summary(has_tiles=True),
    "scrape": scrape,
}


def selects(seen: list[Statement]) -> Iterator[list[Statement]]:
    """Each statement that reads, behind those that came before it in its transaction."""
    for nth, one in enumerate(seen, 1):
        if "FROM" in one.sql:
            yield [*(before for before in seen[: nth - 1] if "set_config" in before.sql or "SET " in before.sql), one]


@pytest.mark.parametrize("what", ASKED)
def test_no_plan_takes_a_step_that_is_switched_off(filled: tuple[Database, uuid.UUID], what: str) -> None:
    database, job_id = filled
    with statements(database.engine) as seen:
        ASKED[what](database, job_id)
    plans = {asked[-1].sql: explain(database.engine, *asked) for asked in selects(seen)}
    assert plans
    assert {sql: plan for sql, plan in plans.items() if plan.disabled} == {}


def test_no_transaction_of_ours_compiles_its_plans(filled: tuple[Database, uuid.UUID]) -> None:
    """Where the server would: on PostgreSQL 17 one scrape took up to a second."""
    database, _ = filled
    with database.begin() as session:
        assert session.execute(text("SELECT current_setting('jit')")).scalar_one() == "off"
    with database.begin() as session:
        assert session.execute(text("SELECT reset_val FROM pg_settings WHERE name = 'jit'")).scalar_one() == "on"
