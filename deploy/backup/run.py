"""A backup among many: made, read again, recorded, and older ones removed."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from deploy.backup.create import create
from deploy.backup.record import BackupEvent, record
from deploy.backup.rotation import Rotation
from deploy.backup.shelf import Shelf, WholeBackup
from deploy.backup.verify import verify
from shared.settings import Settings


def run(
    settings: Settings, shelf: Shelf, rotation: Rotation, *, programs: Path | None, say: Callable[[str], None]
) -> WholeBackup:
    """Make a backup that links to the newest one, read it again, and remove those that the rotation drops.

    Nothing is removed before the new one is whole. An interrupted backup is removed; one that reads back differently
    stays, and is never counted.

    Raises:
        BackupError: it could not be made, or reads back differently; or another one is being made.
        StoreUnavailable: the object store is away.
    """
    with shelf.locked():
        before = shelf.backups()
        folder = shelf.new(datetime.now(UTC))
        try:
            summary = create(
                settings, folder, previous=before[-1].folder if before else None, programs=programs, say=say
            )
        except BaseException:
            shutil.rmtree(folder.path, ignore_errors=True)
            raise
        verify(folder)
        shelf.accept(folder)
        record(settings, BackupEvent.MADE, folder, summary, say=say)
        removed = shelf.rotate(rotation)
    say(f"{len(before) + 1 - len(removed)} backups are kept, {len(removed)} older ones removed")
    for path in shelf.unfinished():
        say(f"{path} is no whole backup; look at it and remove it")
    return WholeBackup(folder, summary)
