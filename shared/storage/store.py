"""The interface of an object store."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol

MD5 = re.compile(r"([0-9a-f]{32})(-[0-9]+)?")
# Gateways give these to every object that they did not write themselves: zeros, or the MD5 of nothing.
NO_DIGEST = frozenset({"0" * 32, "d41d8cd98f00b204e9800998ecf8427e"})


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A line of a listing. ``size`` in bytes; ``etag`` without quotes, empty if the store gives none."""

    key: str
    size: int
    etag: str

    @property
    def md5(self) -> str | None:
        """The ETag if it is made of the content: an MD5, or that of the MD5s of the parts.

        An ETag is optional, and may be anything: the number of a version, a time, one value for all (Amazon S3 API
        Reference, "Common Response Headers").
        """
        digest = MD5.fullmatch(self.etag.lower())
        return None if digest is None or (digest[1] in NO_DIGEST and self.size > 0) else digest[0]


@dataclass(frozen=True, slots=True)
class PresignedPut:
    """A URL that writes one object, requested with exactly these headers, until ``expires_at`` (UTC)."""

    url: str
    headers: dict[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PresignedGet:
    """A URL that reads one object, until ``expires_at`` (UTC)."""

    url: str
    expires_at: datetime


class ObjectWriter(Protocol):
    """A writer that takes the bytes of an object piece by piece."""

    @property
    def size(self) -> int:
        """The number of written bytes."""

    def write(self, piece: bytes) -> None:
        """Write the next bytes, of any length; a part of some megabytes is kept in memory."""


class ObjectStore(Protocol):
    """A store of objects. ``bucket`` is our own unless named.

    Every method raises ``StoreUnavailable`` if the store cannot be reached or is overloaded.
    """

    def get(self, key: str, *, bucket: str | None = None, max_bytes: int) -> bytes:
        """Read the bytes of an object.

        Raises:
            ObjectMissing: there is no such object, or we may not read it.
            ObjectTooLarge: it is larger than ``max_bytes``; it is not read then.
        """

    def get_range(self, key: str, *, bucket: str | None = None, start: int, length: int) -> bytes:
        """Read at most ``length`` bytes of an object from ``start`` on; fewer at its end, none behind it.

        Raises:
            ObjectMissing: there is no such object, or we may not read it.
        """

    def put(self, key: str, body: BinaryIO, *, size: int, sha256: bytes | None = None) -> None:
        """Write an object of ``size`` bytes into our bucket."""

    def list_objects(self, prefix: str, *, bucket: str | None = None) -> Iterator[StoredObject]:
        """List every object below a prefix, in the order of the keys."""

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects from our bucket; missing ones are not an error."""

    def writing(self, key: str, *, media_type: str) -> AbstractContextManager[ObjectWriter]:
        """Write an object of unknown size, in constant memory.

        At the end of the block the whole object exists; after an error nothing of it.
        """

    def discard(self, prefix: str, *, only: Callable[[str], bool] | None = None) -> None:
        """Remove the objects below a prefix, and the parts of unfinished ones.

        ``only`` selects keys; without it, all are removed.
        """

    def end_unfinished(self, *, older_than: timedelta) -> int:
        """Remove the parts of unfinished objects that began so long ago. Return the number of objects."""

    def presign_get(
        self, key: str, *, seconds: int, bucket: str | None = None, disposition: str, media_type: str
    ) -> PresignedGet:
        """Sign a URL for clients to read an object; its answer has these ``Content-*`` headers."""

    def presign_put(self, key: str, *, size: int, sha256: bytes | None, seconds: int) -> PresignedPut:
        """Sign a URL for clients to write exactly ``size`` bytes (with this SHA-256, if given) under ``key``."""

    def create_bucket(self) -> None:
        """Make our bucket, if it is missing, and its CORS rule, if we may."""

    def check(self) -> None:
        """Check that our bucket can be reached."""
