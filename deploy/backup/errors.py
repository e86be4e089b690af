"""Every error of a backup or a restore.

BackupError
|- FolderUnfit      the folder cannot take a backup, or holds none that is whole
|- ServersNotEmpty  there is something already where a backup is to be restored
|- ProgramFailed    pg_dump or pg_restore is missing, too old, or failed
|- CopyFailed       an object could not be copied, or is not what was saved
"""


class BackupError(Exception):
    """Base of all. ``str(error)`` is a sentence for a person and says what to do."""


class FolderUnfit(BackupError):
    """The folder cannot take a backup, or holds none that is whole."""


class ServersNotEmpty(BackupError):
    """There is something already where a backup is to be restored."""


class ProgramFailed(BackupError):
    """A program of PostgreSQL is missing, too old, or failed."""


class CopyFailed(BackupError):
    """An object could not be copied, or is not what was saved."""
