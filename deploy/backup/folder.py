"""The folder of one backup: the dump, the objects, the list of them, and the summary, which is written last."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from deploy.backup.errors import CopyFailed, FolderUnfit

PIECE = 1024 * 1024
FORMAT = 1


@dataclass(frozen=True, slots=True)
class SavedObject:
    """One object: ``size`` in bytes, ``etag`` as the store had it."""

    key: str
    size: int
    etag: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The content of a backup. ``taken_at`` is the moment of the database; ``rows`` counts each table then."""

    format: int
    taken_at: str
    version: str
    migration: str | None
    postgres: int
    rows: dict[str, int]
    dump_sha256: str
    objects: int
    object_bytes: int
    inventory_sha256: str


class BackupFolder:
    """A backup on disk. Only its owner can read it: it holds photographs, key digests and webhook secrets."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.dump = self.path / "database.dump"
        self.objects = self.path / "objects"
        self.inventory = self.path / "objects.jsonl"
        self._summary = self.path / "backup.json"

    def make(self) -> None:
        """Make the folder.

        Raises:
            FolderUnfit: it cannot be made, or is not empty.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(self.path.iterdir()):
                raise FolderUnfit(f"{self.path} is not empty; each backup has a folder of its own")
            self.objects.mkdir(mode=0o700)
        except OSError as error:
            raise FolderUnfit(f"{self.path} cannot be used: {error.strerror}") from error

    def file_of(self, key: str) -> Path:
        """Return the file of an object, which is named by its key.

        Raises:
            CopyFailed: the key is not a path below our folder; the programs make no such keys.
        """
        parts = key.split("/")
        if "\0" in key or "\\" in key or any(part in {"", ".", ".."} for part in parts):
            raise CopyFailed(f"the object {key!r} cannot be kept as a file; move it out of the bucket, it is not ours")
        return self.objects / PurePosixPath(*parts)

    def finish(self, summary: Summary) -> None:
        """Write the summary: from now on the backup is whole."""
        self._summary.write_text(json.dumps(asdict(summary), indent=1) + "\n", encoding="utf-8")

    def unfinish(self) -> None:
        """Remove the summary: from now on the folder is not a backup."""
        self._summary.unlink()

    def summary(self) -> Summary:
        """Read the summary.

        Raises:
            FolderUnfit: it is missing, so the backup is not whole; or a newer program wrote it.
        """
        try:
            values = json.loads(self._summary.read_text(encoding="utf-8"))
            if values.get("format") != FORMAT:
                raise FolderUnfit(f"{self._summary} is of format {values.get('format')}; restore it with its version")
            return Summary(**values)
        except FileNotFoundError:
            raise FolderUnfit(f"{self.path} holds no whole backup: there is no {self._summary.name} in it") from None
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise FolderUnfit(f"{self._summary} cannot be read: {error}") from error

    @contextmanager
    def new_inventory(self) -> Iterator[Callable[[SavedObject], None]]:
        """Yield a function that adds an object to the list of the objects."""
        with self.inventory.open("x", encoding="utf-8") as file:
            yield lambda saved: print(json.dumps(asdict(saved), ensure_ascii=False), file=file)

    def read_inventory(self) -> Iterator[SavedObject]:
        """Read the list of the objects.

        Raises:
            FolderUnfit: it cannot be read.
        """
        try:
            with self.inventory.open(encoding="utf-8") as lines:
                for line in lines:
                    yield SavedObject(**json.loads(line))
        except (OSError, ValueError, TypeError) as error:
            raise FolderUnfit(f"{self.inventory} cannot be read: {error}") from error


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
