"""The record of backups in the installation's database: ``doctor`` and an alert watch the age of the last one."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from sqlalchemy.exc import SQLAlchemyError

from deploy.backup.folder import BackupFolder, Summary
from shared.db.models import Backup
from shared.db.session import Database
from shared.errors import PhytobatchError
from shared.settings import Settings


class BackupEvent(StrEnum):
    """The event of a backup that is recorded."""

    MADE = "made"
    DRILLED = "drilled"


def record(
    settings: Settings, event: BackupEvent, folder: BackupFolder, summary: Summary, *, say: Callable[[str], None]
) -> None:
    """Note a backup in the database of the installation; if that fails, only say so: the backup is as good."""
    database = Database(settings, pool_size=1, application="phytobatch-backup")
    try:
        with database.begin() as session:
            session.add(
                Backup(
                    what=event,
                    taken_at=datetime.fromisoformat(summary.taken_at),
                    name=folder.path.name,
                    objects=summary.objects,
                    size=summary.object_bytes,
                )
            )
    except (PhytobatchError, SQLAlchemyError) as error:
        say(f"not noted in the database, so `doctor` does not know of it: {str(error).splitlines()[0]}")
    finally:
        database.dispose()
