"""Telling the installation of its backups: ``doctor`` and an alert look at how old the last one is."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from sqlalchemy.exc import SQLAlchemyError

from deploy.backup.folder import BackupFolder, Summary
from shared.db.models import Backup
from shared.db.session import Database
from shared.errors import PhytobatchError
from shared.settings import Settings


class What(StrEnum):
    """What was done with a backup."""

    MADE = "made"
    DRILLED = "drilled"


def record(
    settings: Settings, what: What, folder: BackupFolder, summary: Summary, *, say: Callable[[str], None]
) -> None:
    """Note it in the database of the installation. Where that cannot be, the backup is as good, and it is said."""
    database = Database(settings, pool_size=1, application="phytobatch-backup")
    try:
        with database.begin() as session:
            session.add(
                Backup(
                    what=what,
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
