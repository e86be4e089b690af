"""Exports became chunks: programs of the version before make, add, cancel and delete them beside ours."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from deploy.local.servers import LocalServers
from shared.contracts.exports import ExportState
from shared.contracts.states import ChunkKind, Priority
from shared.db.session import Database
from shared.exports import claimed
from shared.exports.claimed import MadeElsewhere
from shared.jobs import claims
from shared.jobs.claims import Claim, Offer
from shared.jobs.sweep import CrashPolicy, sweep
from tests.integration.conftest import MakeSettings

# Our programs need the newest tables.
BEFORE, AFTER = "0012", "head"
POLICY = CrashPolicy(isolate_after=2, fail_after=5)
# What the version before says, word for word but for pauses, filters and what it keeps.
OLD_ADD = text(
    "INSERT INTO exports (id, tenant_id, job_id, format) SELECT :id, tenant_id, id, 'csv' FROM jobs RETURNING id"
)
OLD_CLAIM = text(
    """
    UPDATE exports AS e
    SET state = 'running', attempt = attempt + 1, lease_token = nextval('lease_tokens'),
        lease_until = now() + CAST(:lease AS interval)
    WHERE e.id = (
        SELECT q.id FROM exports q JOIN jobs j ON j.id = q.job_id
        WHERE q.state = 'queued' AND q.not_before <= now() AND j.deleted_at IS NULL
        ORDER BY (SELECT count(*) FROM exports r WHERE r.state = 'running' AND r.tenant_id = q.tenant_id), q.id
        LIMIT 1 FOR UPDATE OF q SKIP LOCKED)
    RETURNING e.id, e.attempt, e.lease_token
    """
)
OLD_FINISH = text(
    "UPDATE exports SET state = 'completed', object_key = 'old', bytes = 1, rows = 1, error = NULL, "
    "finished_at = now(), expires_at = now() + interval '1 hour', lease_until = NULL "
    "WHERE id = :id AND lease_token = :token AND state = 'running' RETURNING 1"
)
OLD_TAKE_BACK = text(
    """
    UPDATE exports SET
        state = CASE WHEN attempt >= 3 THEN 'failed' ELSE 'queued' END,
        lease_token = NULL, lease_until = NULL, not_before = now()
    WHERE id IN (SELECT id FROM exports WHERE state = 'running' AND lease_until < now() FOR UPDATE SKIP LOCKED)
    RETURNING 1
    """
)
OLD_CANCEL = text(
    """
    WITH closed AS (
        UPDATE chunks SET state = 'done', done_at = now()
        WHERE (job_id, no) IN (SELECT job_id, no FROM chunks WHERE state = 'ready' FOR UPDATE SKIP LOCKED)
        RETURNING 1)
    UPDATE jobs SET open_chunks = open_chunks - (SELECT count(*) FROM closed)
    """
)


@dataclass(frozen=True, slots=True)
class Installation:
    """A database that is upgraded in the middle of a test."""

    config: Config
    database: Database

    def upgrade(self) -> None:
        """Migrate, as an upgrade does before its programs change."""
        command.upgrade(self.config, AFTER)

    def downgrade(self) -> None:
        """Take the migration back."""
        command.downgrade(self.config, BEFORE)

    def add(self) -> uuid.UUID:
        """An API of the version before adds an export."""
        with self.database.begin() as session:
            return uuid.UUID(str(session.execute(OLD_ADD, {"id": uuid.uuid4()}).scalar_one()))

    def old_claim(self, *, lease: str = "1 minute") -> Any:  # noqa: ANN401  # a row
        """A worker of the version before looks for an export."""
        with self.database.begin() as session:
            return session.execute(OLD_CLAIM, {"lease": lease}).one_or_none()

    def old_finish(self, row: Any) -> bool:  # noqa: ANN401  # a row
        """Finish as a worker of the version before; return True if its file counts."""
        with self.database.begin() as session:
            return session.execute(OLD_FINISH, {"id": row.id, "token": row.lease_token}).one_or_none() is not None

    def old_take_back(self) -> int:
        """A sweep of the version before; how many exports it queued again."""
        with self.database.begin() as session:
            return len(session.execute(OLD_TAKE_BACK).all())

    def claim(self, *, lease_seconds: float = 60) -> Claim | None:
        """One of our workers looks for an export."""
        with self.database.begin() as session:
            offers = [Offer(ChunkKind.EXPORT, Priority.BULK)]
            return claims.claim(session, offers, worker="new", lease_seconds=lease_seconds)

    def begin(self, held: Claim) -> claimed.Begun | None:
        """One of our workers begins."""
        with self.database.begin() as session:
            return claimed.begin(session, held)

    def finish(self, held: Claim) -> None:
        """One of our workers has written the file."""
        with self.database.begin() as session:
            claimed.finish(session, held, object_key="new", size=1, rows=1, keep_hours=1)

    def all(self, query: str) -> list[tuple[Any, ...]]:
        """Read rows."""
        with self.database.begin() as session:
            return [tuple(row) for row in session.execute(text(query))]

    def due(self) -> None:
        """The pause of what was handed back is over."""
        with self.database.begin() as session:
            session.execute(text("UPDATE chunks SET not_before = now()"))

    def exports(self) -> list[tuple[Any, ...]]:
        """State and file of every export."""
        return self.all("SELECT state, object_key FROM exports ORDER BY created_at, id")


@pytest.fixture
def here(servers: LocalServers, make_settings: MakeSettings) -> Iterator[Installation]:
    """The tables of the version before, with one job that is over."""
    name = servers.postgres.create_database()
    url = servers.postgres.database_url(name)
    config = Config(str(files("migrations") / "alembic.ini"))
    config.attributes["url"] = url
    command.upgrade(config, BEFORE)
    database = Database(make_settings(database_url=url))
    with database.begin() as session:
        session.execute(text("INSERT INTO tenants (id, name) VALUES (gen_random_uuid(), 't')"))
        session.execute(
            text(
                "INSERT INTO jobs (id, tenant_id, state, priority, finished_at) "
                "SELECT id, id, 'failed', 'bulk', now() FROM tenants"
            )
        )
        session.execute(
            text(
                "INSERT INTO chunks (job_id, no, tenant_id, kind, pool, priority, state) "
                "SELECT id, 4, id, 'validate', 'validate', 1, 'done' FROM tenants"
            )
        )
    yield Installation(config, database)
    database.dispose()
    servers.postgres.drop_database(name)


def test_what_is_not_made_at_the_upgrade_gets_a_chunk_and_is_made_once(here: Installation) -> None:
    ids = {here.add() for _ in range(3)}
    made = here.old_claim()
    assert here.old_finish(made)
    at_work = here.old_claim()
    here.upgrade()
    assert here.all("SELECT no, attempt, state FROM chunks WHERE kind = 'export' ORDER BY no") in (
        [(5, 1, "ready"), (6, 0, "ready")],
        [(5, 0, "ready"), (6, 1, "ready")],
    )
    ours = here.claim()
    assert ours is not None
    assert ours.export_id in ids - {made.id, at_work.id}, "the other one is due when its old lease runs out"
    assert here.begin(ours) is not None
    assert here.old_claim() is None, "what our worker has begun is no longer queued"
    assert here.claim() is None
    here.finish(ours)
    assert here.old_finish(at_work)
    here.due()
    last = here.claim()
    assert last is not None
    assert here.begin(last) is None, "it is made; its chunk is closed"
    assert {state for state, _ in here.exports()} == {ExportState.COMPLETED}
    assert sorted(str(key) for _, key in here.exports()) == ["new", "old", "old"]
    assert here.all("SELECT 1 FROM chunks WHERE state <> 'done'") == []


def test_what_a_worker_of_the_version_before_makes_is_left_to_it(here: Installation) -> None:
    here.upgrade()
    here.add()
    assert sweep(here.database, POLICY).exports == 1
    ours = here.claim()
    assert ours is not None
    theirs = here.old_claim()
    with pytest.raises(MadeElsewhere):
        here.begin(ours)
    with here.database.begin() as session:
        claims.release(session, ours)
    assert here.old_finish(theirs)
    assert here.exports() == [(ExportState.COMPLETED, "old")]


def test_what_a_dead_worker_of_the_version_before_held_is_made_by_ours_and_only_once(here: Installation) -> None:
    here.upgrade()
    here.add()
    late = here.old_claim(lease="-1 second")
    assert sweep(here.database, POLICY).exports == 1
    ours = here.claim()
    assert ours is not None
    assert here.begin(ours) is not None
    assert here.old_take_back() == 0, "a sweep of the version before does not take it from us"
    assert not here.old_finish(late), "it was not dead after all, and writes nothing"
    here.finish(ours)
    assert here.exports() == [(ExportState.COMPLETED, "new")]


def test_what_our_worker_hands_back_may_be_made_by_one_of_the_version_before(here: Installation) -> None:
    """The way back: new programs stop, and old ones start."""
    here.upgrade()
    here.add()
    sweep(here.database, POLICY)
    ours = here.claim()
    assert ours is not None
    here.begin(ours)
    with here.database.begin() as session:
        claims.release(session, ours)
    theirs = here.old_claim()
    assert theirs.attempt == 1
    assert here.old_finish(theirs)


def test_what_our_worker_held_is_made_by_the_version_before_after_a_downgrade(here: Installation) -> None:
    here.upgrade()
    here.add()
    sweep(here.database, POLICY)
    ours = here.claim()
    assert ours is not None
    here.begin(ours)
    here.downgrade()
    assert here.all("SELECT 1 FROM chunks WHERE kind = 'export'") == []
    theirs = here.old_claim()
    assert theirs is not None
    assert here.old_finish(theirs)


def test_a_cancel_by_the_version_before_neither_closes_exports_nor_counts_them(here: Installation) -> None:
    here.upgrade()
    here.add()
    sweep(here.database, POLICY)
    with here.database.begin() as session:
        session.execute(OLD_CANCEL)
    assert here.all("SELECT open_chunks FROM jobs") == [(0,)]
    ours = here.claim()
    assert ours is not None
    assert here.begin(ours) is not None


def test_an_export_that_never_gets_a_worker_ends_although_its_chunk_is_kept_open(here: Installation) -> None:
    here.upgrade()
    here.add()
    sweep(here.database, POLICY)
    for _ in range(POLICY.fail_export_after):
        held = here.claim(lease_seconds=-1)
        assert held is not None
        here.begin(held)
        sweep(here.database, POLICY)
    assert here.exports() == [(ExportState.FAILED, None)]
    assert here.all("SELECT 1 FROM chunks WHERE state <> 'done'") == []
