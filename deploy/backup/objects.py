"""The objects: copied out of the bucket while jobs run, and back into an empty one."""

import base64
import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from deploy.backup.errors import CopyFailed, ServersNotEmpty
from deploy.backup.folder import PIECE, BackupFolder, SavedObject, sha256_of
from shared.settings import Settings
from shared.storage.s3 import S3Store, open_client
from shared.storage.store import StoredObject

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

T = TypeVar("T")
AT_A_TIME = 8
PAGE = 1000
GONE = frozenset({"NoSuchKey", "404"})


@dataclass
class CopyCounts:
    """The counts of a copy: ``linked`` objects come from the previous backup, ``removed`` ones are gone."""

    objects: int = 0
    size: int = 0
    linked: int = 0
    removed: int = 0

    def count(self, saved: SavedObject | None, *, linked: bool) -> None:
        """Count one object."""
        self.objects += saved is not None
        self.size += saved.size if saved is not None else 0
        self.linked += linked
        self.removed += saved is None


class Bucket:
    """The bucket of an installation, for whole copies of it."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.s3_bucket
        self.store = S3Store(settings, connections=1)
        self._client: S3Client = open_client(settings, settings.s3_endpoint_url, AT_A_TIME)

    def save(self, into: BackupFolder, *, previous: BackupFolder | None) -> CopyCounts:
        """Copy every object, several at a time. Unchanged ones are linked to the previous backup, not read again.

        Raises:
            CopyFailed: an object could not be read or written.
            StoreUnavailable: the object store is away.
        """
        before = _PreviousBackup(previous)
        copied = CopyCounts()

        def copy(stored: StoredObject) -> tuple[SavedObject | None, bool]:
            linked = before.link(stored, into)
            return (linked, True) if linked is not None else (self._read(stored, into.file_of(stored.key)), False)

        with ThreadPoolExecutor(AT_A_TIME) as pool, into.new_inventory() as note:
            for page in _pages(self.store.list_objects("")):
                for saved, linked in pool.map(copy, page):
                    copied.count(saved, linked=linked)
                    if saved is not None:
                        note(saved)
        return copied

    def check_fits(self, folder: BackupFolder) -> None:
        """Check that the bucket is empty, or holds only a part of this backup (a restore that is resumed).

        Raises:
            ServersNotEmpty: it holds something else.
            StoreUnavailable: the object store is away.
        """
        sizes: dict[str, int] | None = None
        for stored in self.store.list_objects(""):
            if sizes is None:
                sizes = {saved.key: saved.size for saved in folder.read_inventory()}
            if sizes.get(stored.key) != stored.size:
                raise ServersNotEmpty(
                    f"the bucket {self.name} holds {stored.key}, which is not of this backup; restore into an empty one"
                )

    def restore(self, folder: BackupFolder) -> None:
        """Write every object, several at a time; the store checks each by its SHA-256.

        Raises:
            CopyFailed: a file differs from the saved object, or could not be written.
        """
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            for page in _pages(folder.read_inventory()):
                list(pool.map(lambda saved: self._write(saved, folder.file_of(saved.key)), page))

    def compare(self, folder: BackupFolder) -> int:
        """Read every object of the bucket again, several at a time; return their number.

        Raises:
            CopyFailed: one is missing or differs from the saved one, or there are others.
        """
        stored = sum(1 for _ in self.store.list_objects(""))
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            compared = sum(len(list(pool.map(self._compare, page))) for page in _pages(folder.read_inventory()))
        if stored != compared:
            raise CopyFailed(f"the bucket {self.name} holds {stored} objects, and the backup {compared}")
        return compared

    def _compare(self, saved: SavedObject) -> None:
        digest = hashlib.sha256()
        with _faults(saved.key):
            for piece in self._client.get_object(Bucket=self.name, Key=saved.key)["Body"].iter_chunks(PIECE):
                digest.update(piece)
        if digest.hexdigest() != saved.sha256:
            raise CopyFailed(f"the object {saved.key} came back with other bytes than were saved")

    def remove(self) -> None:
        """Remove the bucket with its objects, if it exists.

        Raises:
            StoreUnavailable: the object store is away.
        """
        with _faults(self.name):
            try:
                self.store.delete(stored.key for stored in self.store.list_objects(""))
                self._client.delete_bucket(Bucket=self.name)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") != "NoSuchBucket":
                    raise

    def _read(self, stored: StoredObject, path: Path) -> SavedObject | None:
        """Copy one object to a file; return ``None`` if it was removed since it was listed."""
        digest, size = hashlib.sha256(), 0
        with _faults(stored.key):
            try:
                answer = self._client.get_object(Bucket=self.name, Key=stored.key)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in GONE:
                    return None
                raise
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("xb") as file:
                for piece in answer["Body"].iter_chunks(PIECE):
                    digest.update(piece)
                    size += file.write(piece)
        if size != answer["ContentLength"]:
            raise CopyFailed(f"the object {stored.key} was cut off; try again")
        return SavedObject(stored.key, size, answer.get("ETag", "").strip('"'), digest.hexdigest())

    def _write(self, saved: SavedObject, path: Path) -> None:
        with _faults(saved.key):
            if sha256_of(path) != saved.sha256:
                raise CopyFailed(f"{path} is not what was saved; restore from another backup")
            with path.open("rb") as file:
                self._client.put_object(
                    Bucket=self.name,
                    Key=saved.key,
                    Body=file,
                    ContentLength=saved.size,
                    ChecksumSHA256=base64.b64encode(bytes.fromhex(saved.sha256)).decode(),
                )


class _PreviousBackup:
    """The previous backup: equal size and ETag mean the same object, if the ETag is made of the bytes."""

    def __init__(self, folder: BackupFolder | None) -> None:
        self._folder = folder
        self._known = {} if folder is None else {saved.key: saved for saved in folder.read_inventory()}

    def link(self, stored: StoredObject, into: BackupFolder) -> SavedObject | None:
        """Link to the file of the previous backup, if it has this object."""
        known = self._known.get(stored.key)
        if self._folder is None or known is None or stored.md5 is None:
            return None
        if (known.size, known.etag) != (stored.size, stored.etag):
            return None
        path = into.file_of(known.key)
        with _faults(known.key):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.link(self._folder.file_of(known.key), path)
        return known


def _pages(items: Iterable[T]) -> Iterator[list[T]]:
    """Yield a thousand at a time, because a pool reads all of its input into memory."""
    rest = iter(items)
    while page := list(islice(rest, PAGE)):
        yield page


@contextmanager
def _faults(key: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError, OSError) as error:
        raise CopyFailed(f"the object {key} could not be copied: {error}") from error
