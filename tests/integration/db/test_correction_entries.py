"""Corrections became rows that are only added: programs of the version before go on with the old table beside ours."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from deploy.local.servers import LocalServers
from shared.corrections import store
from shared.corrections.store import NewCorrection
from shared.db.session import Database
from shared.jobs import lifecycle
from tests.integration.conftest import MakeSettings

# Our programs need the newest tables.
BEFORE, AFTER = "0013", "head"
# What the version before says, word for word.
OLD_WRITE = text(
    """
    INSERT INTO corrections AS c (job_id, seq, label, note, corrected_by)
    SELECT j.id, n.seq, n.label, n.note, n.corrected_by
    FROM jobs j, unnest(CAST(:seqs AS int[]), CAST(:labels AS text[]), CAST(:notes AS text[]), CAST(:by AS text[]))
         AS n(seq, label, note, corrected_by)
    ON CONFLICT (job_id, seq) DO UPDATE
    SET label = excluded.label, note = excluded.note, corrected_by = excluded.corrected_by, corrected_at = now()
    WHERE (c.label, c.note, c.corrected_by) IS DISTINCT FROM (excluded.label, excluded.note, excluded.corrected_by)
    RETURNING 1
    """
)
OLD_REMOVE = text("DELETE FROM corrections WHERE seq = :seq RETURNING seq")

Said = tuple[int, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Installation:
    """A database that is upgraded in the middle of a test, with one job of three images."""

    config: Config
    database: Database
    job_id: uuid.UUID

    def upgrade(self) -> None:
        """Migrate, as an upgrade does before its programs change."""
        command.upgrade(self.config, AFTER)

    def downgrade(self) -> None:
        """Take the migration back."""
        command.downgrade(self.config, BEFORE)

    def old_write(self, *said: Said) -> int:
        """An API of the version before stores (image, label, person); how many changed."""
        given = {
            "seqs": [seq for seq, _, _ in said],
            "labels": [label for _, label, _ in said],
            "notes": [None for _ in said],
            "by": [person for _, _, person in said],
        }
        with self.database.begin() as session:
            return len(session.execute(OLD_WRITE, given).all())

    def old_remove(self, seq: int) -> int:
        """An API of the version before deletes; how many there were."""
        with self.database.begin() as session:
            return len(session.execute(OLD_REMOVE, {"seq": seq}).all())

    def write(self, *said: Said, tile: int | None = None) -> int:
        """Our API stores (image, label, person)."""
        new = [NewCorrection(seq, label, None, person, tile) for seq, label, person in said if label is not None]
        with self.database.begin() as session:
            return store.write(session, lifecycle.lock_job(session, self.job_id), new)

    def take_back(self, seq: int, person: str | None = None, tile: int | None = None) -> bool:
        """Our API takes back."""
        with self.database.begin() as session:
            job = lifecycle.lock_job(session, self.job_id)
            return store.take_back(session, job, seq, tile=tile, corrected_by=person)

    def all(self, query: str) -> list[tuple[Any, ...]]:
        """Read rows."""
        with self.database.begin() as session:
            return [tuple(row) for row in session.execute(text(query))]

    def old(self) -> list[tuple[Any, ...]]:
        """What programs of the version before read."""
        return self.all("SELECT seq, label, corrected_by FROM corrections ORDER BY seq")

    def valid(self) -> list[tuple[Any, ...]]:
        """What ours read, of images as a whole."""
        return self.all(
            "SELECT seq, label, corrected_by FROM correction_entries WHERE is_valid AND tile IS NULL ORDER BY seq"
        )

    def entries(self) -> list[tuple[Any, ...]]:
        """Every entry, in the order of time."""
        return self.all("SELECT seq, tile, label, corrected_by FROM correction_entries ORDER BY id")

    def both(self) -> list[tuple[Any, ...]]:
        """What both read, which is the same, to the moment."""
        moments = "SELECT seq, note, corrected_at FROM "
        assert self.old() == self.valid()
        assert self.all(f"{moments} corrections ORDER BY seq") == self.all(
            f"{moments} correction_entries WHERE is_valid AND tile IS NULL ORDER BY seq"
        )
        return self.old()


@pytest.fixture
def here(servers: LocalServers, make_settings: MakeSettings) -> Iterator[Installation]:
    name = servers.postgres.create_database()
    url = servers.postgres.database_url(name)
    config = Config(str(files("migrations") / "alembic.ini"))
    config.attributes["url"] = url
    command.upgrade(config, BEFORE)
    database = Database(make_settings(database_url=url))
    with database.begin() as session:
        session.execute(text("INSERT INTO tenants (id, name) VALUES (gen_random_uuid(), 't')"))
        job_id = session.execute(
            text(
                "INSERT INTO jobs (id, tenant_id, state, priority, total) "
                "SELECT id, id, 'draft', 'bulk', 3 FROM tenants RETURNING id"
            )
        ).scalar_one()
        session.execute(
            text(
                "INSERT INTO images (job_id, seq, name, size, object_key) "
                "SELECT id, n, n || '.jpg', 1, 'k' || n FROM jobs, generate_series(1, 3) AS n"
            )
        )
    yield Installation(config, database, job_id)
    database.dispose()
    servers.postgres.drop_database(name)


def test_what_there_is_at_the_upgrade_stands_afterwards(here: Installation) -> None:
    here.old_write((1, "rust", "Ana"))
    here.old_write((2, "healthy", None))
    before = here.all("SELECT * FROM corrections ORDER BY seq")
    here.upgrade()
    assert here.entries() == [(1, None, "rust", "Ana"), (2, None, "healthy", None)]
    assert here.both() == [(1, "rust", "Ana"), (2, "healthy", None)]
    assert here.all("SELECT * FROM corrections ORDER BY seq") == before


def test_what_the_version_before_writes_becomes_entries_once(here: Installation) -> None:
    here.upgrade()
    assert here.old_write((1, "rust", "Ana"), (2, "rust", "Ana")) == 2
    assert here.old_write((1, "healthy", "Ben"), (2, "rust", "Ana")) == 1
    assert here.entries() == [(1, None, "rust", "Ana"), (2, None, "rust", "Ana"), (1, None, "healthy", "Ben")]
    assert here.both() == [(1, "healthy", "Ben"), (2, "rust", "Ana")]
    assert here.take_back(1, "Ben")
    assert here.both() == [(1, "rust", "Ana"), (2, "rust", "Ana")], "of Ana nothing was lost"


def test_what_the_version_before_deletes_is_taken_back_by_everybody(here: Installation) -> None:
    here.upgrade()
    here.write((1, "rust", "Ana"))
    here.write((1, "healthy", "Ben"))
    here.write((1, "rust", "Ana"), tile=3)
    assert here.old_remove(1) == 1
    assert here.both() == []
    assert sorted(here.entries()[3:], key=str) == [(1, None, None, "Ana"), (1, None, None, "Ben")]
    assert here.all("SELECT tile, label FROM correction_entries WHERE is_valid") == [(3, "rust")]
    assert here.old_remove(1) == 0
    assert len(here.entries()) == 5


def test_the_version_before_reads_what_our_programs_write(here: Installation) -> None:
    here.upgrade()
    assert here.write((1, "rust", "Ana"), (2, "healthy", "Ana")) == 2
    assert here.both() == [(1, "rust", "Ana"), (2, "healthy", "Ana")]
    assert here.write((1, "healthy", "Ben")) == 1
    assert here.both() == [(1, "healthy", "Ben"), (2, "healthy", "Ana")]
    assert here.write((1, "healthy", "Ben")) == 0
    assert here.write((1, "rust", "Ana")) == 1
    assert here.take_back(1, "Ana")
    assert here.both()[0] == (1, "healthy", "Ben")
    assert here.take_back(1)
    assert not here.take_back(1)
    assert here.both() == [(2, "healthy", "Ana")]
    assert here.write((2, "rust", "Ana"), tile=0) == 1
    assert here.both() == [(2, "healthy", "Ana")], "a tile is not the image"
    assert len(here.entries()) == 7, "what the mirror writes makes no entry"


def test_there_is_one_valid_correction_of_a_place_whatever_a_program_writes(here: Installation) -> None:
    here.upgrade()
    here.write((1, "rust", "Ana"))
    here.write((1, "rust", "Ana"), tile=0)
    second = text(
        "INSERT INTO correction_entries (job_id, seq, tile, label, is_valid) SELECT id, 1, :tile, 'x', true FROM jobs"
    )
    for tile in (None, 0):
        with pytest.raises(IntegrityError, match="uq_correction_entries"), here.database.begin() as session:
            session.execute(second, {"tile": tile})


def test_entries_go_with_their_image_and_leave_nothing_behind(here: Installation) -> None:
    here.upgrade()
    here.old_write((1, "rust", "Ana"))
    here.write((2, "rust", "Ana"))
    here.write((2, "rust", "Ana"), tile=7)
    assert here.all("WITH gone AS (DELETE FROM images RETURNING 1) SELECT count(*) FROM gone") == [(3,)]
    assert here.both() == []
    assert here.entries() == []


def test_a_downgrade_leaves_what_is_valid_and_the_old_table_is_free_of_triggers(here: Installation) -> None:
    here.old_write((3, "rust", "Ana"))
    here.upgrade()
    here.write((1, "rust", "Ana"), (2, "healthy", "Ana"))
    here.write((1, "healthy", "Ben"))
    here.take_back(3)
    here.downgrade()
    assert here.old() == [(1, "healthy", "Ben"), (2, "healthy", "Ana")]
    assert here.old_write((3, "rust", "Eva")) == 1
    assert here.old_remove(1) == 1
    assert here.old() == [(2, "healthy", "Ana"), (3, "rust", "Eva")]
    here.upgrade()
    assert here.both() == [(2, "healthy", "Ana"), (3, "rust", "Eva")]
