"""Restore of a backup into empty servers, with every program stopped."""

from collections.abc import Callable
from pathlib import Path

from deploy.backup import database
from deploy.backup.database import Moment
from deploy.backup.folder import BackupFolder, Summary
from deploy.backup.objects import Bucket
from deploy.backup.programs import Server
from deploy.backup.verify import verify
from shared.db.session import Database
from shared.jobs import requeue
from shared.settings import Settings


def restore(settings: Settings, folder: BackupFolder, *, programs: Path | None, say: Callable[[str], None]) -> Summary:
    """Write the objects, then the rows that refer to them, then end the leases of workers that no longer exist.

    An interrupted restore starts from the beginning: objects in the bucket are written once more, and the database is
    restored whole or not at all.

    Args:
        settings: of the new installation; its database and its bucket are empty.
        folder: of the backup.
        programs: folder with ``pg_restore``.
        say: receives a line for a person at every step.

    Raises:
        BackupError: the backup is damaged, or the servers are not empty.
        StoreUnavailable: the object store is away.
    """
    summary = verify(folder, objects=False)
    server, bucket = Server.of(settings.database_url.get_secret_value()), Bucket(settings)
    moment = Moment(summary.taken_at, summary.migration, summary.postgres, summary.rows)
    database.check_fits(server, moment)
    bucket.store.create_bucket()
    bucket.check_fits(folder)
    bucket.restore(folder)
    say(f"bucket {settings.s3_bucket}: {summary.objects} objects are back")
    database.restore(server, folder.dump, moment, folder=programs)
    say(f"database as of {summary.taken_at}: {summary.rows['jobs']} jobs are back, every count is right")
    say(f"{_forget_leases(settings)} chunks were at work at that moment and are ready again")
    return summary


def _forget_leases(settings: Settings) -> int:
    database = Database(settings, pool_size=1, application="phytobatch-backup")
    try:
        with database.begin() as session:
            return requeue.forget_leases(session)
    finally:
        database.dispose()
