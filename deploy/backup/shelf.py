"""The folder of many backups: each has a folder of its own in it, named by the moment at which it was begun."""

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
class Kept:
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
        """Be the only one who makes or removes a backup here.

        Raises:
            FolderUnfit: another one is at work here, or the folder cannot be made.
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
        """A folder for a backup that begins now, not made yet: nothing is there."""
        while (path := self.path / now.strftime(NAMED)).exists():
            now += timedelta(seconds=1)
        return BackupFolder(path)

    def accept(self, folder: BackupFolder) -> None:
        """Count a backup that was read again as one of this shelf."""
        (folder.path / MARK).touch(mode=0o600)

    def kept(self) -> list[Kept]:
        """The whole backups that were made here, oldest first."""
        return sorted(filter(None, map(_whole, self._folders())), key=lambda one: one.taken_at)

    def unfinished(self) -> list[Path]:
        """Folders of backups that were interrupted, or are not what was saved: for a person to look at and remove."""
        return [path for path in self._folders() if _whole(path) is None]

    def rotate(self, rotation: Rotation) -> list[BackupFolder]:
        """Remove what the rotation does not keep; the folders that are gone.

        Raises:
            FolderUnfit: one cannot be removed.
        """
        kept = self.kept()
        stay = rotation.keeps(one.taken_at for one in kept)
        leave = [one.folder for one in kept if one.taken_at not in stay]
        for folder in leave:
            _remove(folder)
        return leave

    def _folders(self) -> list[Path]:
        if not self.path.is_dir():
            return []
        return sorted(path for path in self.path.iterdir() if NAME.fullmatch(path.name) and path.is_dir())


def _whole(path: Path) -> Kept | None:
    """The backup in a folder; one that is damaged keeps no other from being made, restored or removed."""
    folder = BackupFolder(path)
    if not (path / MARK).is_file():
        return None
    try:
        return Kept(folder, folder.summary())
    except FolderUnfit:
        return None


def _remove(folder: BackupFolder) -> None:
    """First what says that it is whole: one that is half removed must not look like a backup."""
    try:
        (folder.path / MARK).unlink()
        folder.unfinish()
        shutil.rmtree(folder.path)
    except OSError as error:
        raise FolderUnfit(f"{folder.path} cannot be removed: {error.strerror}") from error
