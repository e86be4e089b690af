"""The folder of many backups: each has a folder of its own in it, named by the moment of its start."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.backup.errors import FolderUnfit
from deploy.backup.folder import BackupFolder, Summary
from deploy.backup.rotation import Rotation

NAMED = "%Y%m%dT%H%M%SZ"
NAME = re.compile(r"\d{8}T\d{6}Z")
# In a backup that was made here and read again: no other folder is ever removed.
MARK = "verified"
LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class WholeBackup:
    """A whole backup of this shelf."""

    folder: BackupFolder
    summary: Summary

    @property
    def taken_at(self) -> datetime:
        """The moment of its database, in UTC."""
        return datetime.fromisoformat(self.summary.taken_at).astimezone(UTC)


class Shelf:
    """Backups that are made, kept and removed by ``run``."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder for the only process that makes or removes a backup here.

        Raises:
            FolderUnfit: another process holds the lock, or the folder cannot be made.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise FolderUnfit(f"{self.path} cannot be used: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise FolderUnfit(f"another backup is being made in {self.path}") from None
        finally:
            os.close(lock)

    def new(self, now: datetime) -> BackupFolder:
        """Name an unused folder for a backup that begins now; it is not made yet."""
        while (path := self.path / now.strftime(NAMED)).exists():
            now += timedelta(seconds=1)
        return BackupFolder(path)

    def accept(self, folder: BackupFolder) -> None:
        """Mark a backup that was read again as one of this shelf."""
        (folder.path / MARK).touch(mode=0o600)

    def backups(self) -> list[WholeBackup]:
        """List the whole backups that were made here, oldest first."""
        return sorted(filter(None, map(_whole, self._folders())), key=lambda backup: backup.taken_at)

    def unfinished(self) -> list[Path]:
        """List folders of interrupted or damaged backups, for a person to examine and remove."""
        return [path for path in self._folders() if _whole(path) is None]

    def rotate(self, rotation: Rotation) -> list[BackupFolder]:
        """Remove the backups that the rotation does not keep; return their folders.

        Raises:
            FolderUnfit: one cannot be removed.
        """
        backups = self.backups()
        stay = rotation.keeps(backup.taken_at for backup in backups)
        dropped = [backup.folder for backup in backups if backup.taken_at not in stay]
        for folder in dropped:
            _remove(folder)
        return dropped

    def _folders(self) -> list[Path]:
        if not self.path.is_dir():
            return []
        return sorted(path for path in self.path.iterdir() if NAME.fullmatch(path.name) and path.is_dir())


def _whole(path: Path) -> WholeBackup | None:
    """Return the backup in a folder; None if it is damaged, which must not stop work on the others."""
    folder = BackupFolder(path)
    if not (path / MARK).is_file():
        return None
    try:
        return WholeBackup(folder, folder.summary())
    except FolderUnfit:
        return None


def _remove(folder: BackupFolder) -> None:
    """Remove a backup, its marks first: one that is half removed must not look like a backup."""
    try:
        (folder.path / MARK).unlink()
        folder.unfinish()
        shutil.rmtree(folder.path)
    except OSError as error:
        raise FolderUnfit(f"{folder.path} cannot be removed: {error.strerror}") from error
