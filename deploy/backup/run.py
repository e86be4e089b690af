"""One backup of many: made, read again, noted, and older ones removed."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from deploy.backup.create import create
from deploy.backup.record import What, record
from deploy.backup.rotation import Rotation
from deploy.backup.shelf import Kept, Shelf
from deploy.backup.verify import verify
from shared.settings import Settings


def run(
    settings: Settings, shelf: Shelf, rotation: Rotation, *, programs: Path | None, say: Callable[[str], None]
) -> Kept:
    """Make a backup that links to what the newest one has, read it again, and remove what the rotation does not keep.

    Nothing is removed before the new one is whole. A backup that is broken off is removed; one that is not what was
    saved stays, and is never counted.

    Raises:
        BackupError: it could not be made, or is not what was saved; or another one is being made.
        StoreUnavailable: the object store is away.
    """
    with shelf.locked():
        before = shelf.kept()
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
        record(settings, What.MADE, folder, summary, say=say)
        gone = shelf.rotate(rotation)
    say(f"{len(before) + 1 - len(gone)} backups are kept, {len(gone)} older ones removed")
    for path in shelf.unfinished():
        say(f"{path} is no whole backup; look at it and remove it")
    return Kept(folder, summary)
