"""The errors of a backup or a restore.

BackupError
|- FolderUnfit      the folder cannot take a backup, or holds no whole one
|- ServersNotEmpty  the target of a restore holds data already
|- ProgramFailed    pg_dump or pg_restore is missing, too old, or failed
|- CopyFailed       an object could not be copied, or differs from the saved one
"""


class BackupError(Exception):
    """Base of these errors. ``str(error)`` is a sentence for a person and says what to do."""


class FolderUnfit(BackupError):
    """The folder cannot take a backup, or holds no whole one."""


class ServersNotEmpty(BackupError):
    """The target of a restore holds data already."""


class ProgramFailed(BackupError):
    """A program of PostgreSQL is missing, too old, or failed."""


class CopyFailed(BackupError):
    """An object could not be copied, or differs from the saved one."""
