"""The errors of the local stack.

LocalStackError
|- FolderRefused     the data folder cannot be used as it is (not ours, another user's, damaged)
|- FolderInUse       another process runs a stack on this data folder
|- NotPossibleHere   this machine or user cannot run an embedded server
|- ProcessFailed     a server or program ended, or was not ready in time; carries the end of its log
|- PortTaken         a server could not get its port; it is started again on another one
"""

from pathlib import Path


class LocalStackError(Exception):
    """Base of these errors. ``str(error)`` is a sentence for a person and says what to do."""


class FolderRefused(LocalStackError):
    """The data folder cannot be used as it is."""


class FolderInUse(LocalStackError):
    """Another process runs a stack on this data folder."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        owner = f"process {pid}" if pid else "another process"
        super().__init__(
            f"{owner} already runs the servers of {folder}; "
            "stop it (python -m deploy.local down) or choose another folder with PHYTOBATCH_LOCAL_DATA"
        )
        self.pid = pid


class NotPossibleHere(LocalStackError):
    """This machine or user cannot run an embedded server."""


class ProcessFailed(LocalStackError):
    """A server or program ended or was not ready in time; the message ends with the last lines of its log."""

    def __init__(self, name: str, what: str, *, log: Path, tail: str) -> None:
        lines = f"\n{tail.rstrip()}" if tail.strip() else " (the log is empty)"
        super().__init__(f"{name} {what}; the end of {log}:{lines}")
        self.name = name
