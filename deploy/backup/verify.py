"""The check that a backup is whole and undamaged."""

from deploy.backup.errors import FolderUnfit
from deploy.backup.folder import BackupFolder, Summary, sha256_of


def verify(folder: BackupFolder, *, objects: bool = True) -> Summary:
    """Read a backup again and compare it with its checksums.

    Args:
        folder: of the backup.
        objects: also read every object, not only the dump and the lists.

    Raises:
        FolderUnfit: it is not whole, or damaged.
    """
    summary = folder.summary()
    try:
        _check(folder, summary, objects=objects)
    except OSError as error:
        raise FolderUnfit(f"{error.filename} cannot be read ({error.strerror}); the backup is damaged") from error
    return summary


def _check(folder: BackupFolder, summary: Summary, *, objects: bool) -> None:
    for path, sha256 in ((folder.dump, summary.dump_sha256), (folder.inventory, summary.inventory_sha256)):
        if sha256_of(path) != sha256:
            raise FolderUnfit(f"{path} is not what was saved; the backup is damaged")
    for saved in folder.read_inventory() if objects else ():
        if sha256_of(folder.file_of(saved.key)) != saved.sha256:
            raise FolderUnfit(f"{folder.file_of(saved.key)} is not what was saved; the backup is damaged")
