"""What the programs ask of an object store."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One line of a listing. ``size`` in bytes; ``etag`` without quotes."""

    key: str
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class PresignedPut:
    """A URL that writes one object once asked with exactly these headers, until ``expires_at`` (UTC)."""

    url: str
    headers: dict[str, str]
    expires_at: datetime


class ObjectStore(Protocol):
    """Reads and writes objects. ``bucket`` is our own unless named.

    Every method raises ``StoreUnavailable`` when the store cannot be reached or is overloaded.
    """

    def get(self, key: str, *, bucket: str | None = None, max_bytes: int) -> bytes:
        """The bytes of an object.

        Raises:
            ObjectMissing: there is no such object, or we may not read it.
            ObjectTooLarge: it is larger than ``max_bytes``; it was not read.
        """

    def put(self, key: str, body: BinaryIO, *, size: int, sha256: bytes | None = None) -> None:
        """Write an object of ``size`` bytes into our bucket."""

    def list_objects(self, prefix: str, *, bucket: str | None = None) -> Iterator[StoredObject]:
        """Every object below a prefix, in the order of the keys."""

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects from our bucket; those that are gone already are no error."""

    def presign_put(self, key: str, *, size: int, sha256: bytes | None, seconds: int) -> PresignedPut:
        """A URL for clients to write exactly ``size`` bytes (with this SHA-256, if given) under ``key``."""

    def create_bucket(self) -> None:
        """Make our bucket and its CORS rule, if they are missing."""

    def check(self) -> None:
        """Return when our bucket can be reached."""
