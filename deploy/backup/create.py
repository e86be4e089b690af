"""Making a backup of an installation while it works."""

from collections.abc import Callable
from pathlib import Path

from deploy.backup import database
from deploy.backup.folder import FORMAT, BackupFolder, Summary, sha256_of
from deploy.backup.objects import Bucket
from deploy.backup.programs import Server
from shared.settings import Settings
from shared.version import VERSION

MEBIBYTE = 1024 * 1024


def create(
    settings: Settings,
    folder: BackupFolder,
    *,
    previous: BackupFolder | None,
    programs: Path | None,
    say: Callable[[str], None],
) -> Summary:
    """Save the database, then the objects, then mark the backup as whole.

    Args:
        settings: of the installation.
        folder: a new or empty folder.
        previous: a backup on the same disk, whose unchanged objects are linked to.
        programs: folder with ``pg_dump``.
        say: receives a line for a person at every step.

    Raises:
        BackupError: the backup could not be made.
        StoreUnavailable: the object store is away.
    """
    if previous is not None:
        previous.summary()  # One that is not whole is no base.
    folder.make()
    moment = database.dump(Server.of(settings.database_url.get_secret_value()), folder.dump, folder=programs)
    say(
        f"database as of {moment.taken_at}: {moment.rows['jobs']} jobs, {folder.dump.stat().st_size / MEBIBYTE:.1f} MiB"
    )
    copied = Bucket(settings).save(folder, previous=previous)
    say(
        f"bucket {settings.s3_bucket}: {copied.objects} objects, {copied.size / MEBIBYTE:.1f} MiB; {copied.linked} of "
        f"them unchanged since the backup before, {copied.removed} removed meanwhile"
    )
    summary = Summary(
        format=FORMAT,
        taken_at=moment.taken_at,
        version=VERSION,
        migration=moment.migration,
        postgres=moment.postgres,
        rows=moment.rows,
        dump_sha256=sha256_of(folder.dump),
        objects=copied.objects,
        object_bytes=copied.size,
        inventory_sha256=sha256_of(folder.inventory),
    )
    folder.finish(summary)
    return summary
