"""The data folder of a local stack: its layout, its marker, and its lock."""

import fcntl
import os
import shutil
import time
from pathlib import Path
from typing import Self

from deploy.local.errors import FolderInUse, FolderRefused

DATA_VARIABLE = "PHYTOBATCH_LOCAL_DATA"
DEFAULT_DATA = ".data"
RETRY_SECONDS = 2.0
MARKER = ".phytobatch-local"
MARKER_TEXT = "The data folder of a local Phytobatch stack. `python -m deploy.local clean` removes it.\n"


def chosen_folder() -> Path:
    """Return the data folder of ``PHYTOBATCH_LOCAL_DATA``, or ``.data`` in the current folder."""
    return Path(os.environ.get(DATA_VARIABLE) or DEFAULT_DATA).expanduser().absolute()


class DataFolder:
    """A data folder. Nothing is written before :meth:`prepare`."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path).absolute()
        self.marker = self.path / MARKER
        self.secrets = self.path / "secrets.json"
        self.logs = self.path / "logs"
        self.run = self.path / "run"
        self.lock_file = self.run / "lock"

    @property
    def is_ours(self) -> bool:
        """True if the folder carries the marker of a local stack."""
        return self.marker.is_file()

    def prepare(self) -> None:
        """Make the folder, or check that it is ours.

        Raises:
            FolderRefused: it holds something else, belongs to another user, or cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._check_ours()
            if not self.is_ours:
                self.marker.write_text(MARKER_TEXT, encoding="utf-8")
            for folder in (self.logs, self.run):
                folder.mkdir(exist_ok=True)
                folder.chmod(0o700)
            if os.geteuid() == 0:
                # PostgreSQL runs as another user then and must be able to pass, whatever the umask was.
                self.path.chmod(self.path.stat().st_mode | 0o011)
        except OSError as error:
            raise FolderRefused(
                f"the data folder {self.path} cannot be used ({error.strerror}); "
                f"choose another one with {DATA_VARIABLE}"
            ) from error

    def _check_ours(self) -> None:
        if not self.is_ours and any(self.path.iterdir()):
            raise FolderRefused(
                f"{self.path} is not empty and is no data folder of a local stack; "
                f"choose a new or empty folder with {DATA_VARIABLE}"
            )
        owner = self.path.stat().st_uid
        if self.is_ours and owner != os.geteuid():
            raise FolderRefused(
                f"{self.path} belongs to user {owner} and you are user {os.geteuid()}; "
                f"run as that user or choose another folder with {DATA_VARIABLE}"
            )

    def remove(self) -> None:
        """Delete the folder with everything in it.

        Raises:
            FolderRefused: it does not carry our marker.
            FolderInUse: a stack runs on it.
        """
        if not self.is_ours:
            raise FolderRefused(f"{self.path} is no data folder of a local stack (it has no {MARKER}); nothing removed")
        self.run.mkdir(exist_ok=True)
        with FolderLock(self):
            # The marker goes last: what an interrupted removal leaves is still known to be ours.
            for entry in sorted(self.path.iterdir(), key=lambda path: path == self.marker):
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
            self.path.rmdir()


class FolderLock:
    """An exclusive lock on a data folder. The kernel drops it when the process ends, however it ends."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the lock; retry for a moment, because ``running_pid`` of another process holds it while it reads.

        Raises:
            FolderInUse: another process holds it.
        """
        descriptor = os.open(self._folder.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + RETRY_SECONDS
        while not _locks(descriptor, fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                pid = _pid_in(descriptor)
                os.close(descriptor)
                raise FolderInUse(self._folder.path, pid)
            time.sleep(RETRY_SECONDS / 20)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Release the lock, if it is held."""
        if self._descriptor is not None:
            # By name: a child that is just being forked has the descriptor, too, until it runs its program.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def running_pid(folder: DataFolder) -> int | None:
    """Return the process that runs a stack on ``folder``, or None. It is read from the lock, so it is never stale."""
    try:
        descriptor = os.open(folder.lock_file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        # Shared: those who only read do not take one another for a stack.
        return None if _locks(descriptor, fcntl.LOCK_SH) else _pid_in(descriptor)
    finally:
        os.close(descriptor)


def _locks(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _pid_in(descriptor: int) -> int | None:
    pid = os.pread(descriptor, 32, 0).decode().strip()
    return int(pid) if pid.isdigit() else None
