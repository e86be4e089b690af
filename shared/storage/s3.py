"""Any S3 server, through boto3."""

import base64
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError
from pydantic import SecretStr

from shared.errors import ConfigurationError, StoreUnavailable
from shared.settings import Settings
from shared.storage.multipart import Multipart, abort_below, abort_older
from shared.storage.presigning import Presigner, Request
from shared.storage.reading import Reader
from shared.storage.s3_call import ATTEMPTS, CONNECT_TIMEOUT_SECONDS, NEVER_MISSING, READ_TIMEOUT_SECONDS, s3_call
from shared.storage.store import ObjectWriter, PresignedGet, PresignedPut, StoredObject

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

DELETE_PAGE = 1000  # the most that DeleteObjects takes

# Permanent for one object of our own bucket. That we may not read it, or that the bucket is gone, is a fault of the
# installation: it must not fail a flight of images, so it counts as an outage.
MISSING = frozenset({"NoSuchKey", "404", "InvalidObjectState"})
# In the bucket of somebody else it is theirs to mend. 403 is also what S3 says of a missing key to those who may not
# list the bucket.
MISSING_ELSEWHERE = MISSING | {"NoSuchBucket", "403", "AccessDenied", "AllAccessDisabled"}


class S3Store:
    """The object store of the programs. One per process; safe to share between threads (boto3 clients are)."""

    def __init__(self, settings: Settings, *, connections: int = 16) -> None:
        self._bucket = settings.s3_bucket
        session = open_session(settings)
        self._client = open_client(settings, settings.s3_endpoint_url, connections, session=session)
        self._reader = Reader(self._client, session.get_credentials(), connections=connections)
        # A presigned URL contains the address, so it is signed for the one that clients reach.
        public = open_client(settings, settings.presign_endpoint_url, 1, session=session)
        self._presigner = Presigner(public, session.get_credentials())

    def get(self, key: str, *, bucket: str | None = None, max_bytes: int) -> bytes:
        """See ``ObjectStore.get``. The whole body is read here, so a connection that breaks in it is an outage too."""
        with s3_call("get", key, missing=MISSING_ELSEWHERE if bucket else MISSING):
            return self._reader.read(bucket or self._bucket, key, max_bytes=max_bytes)

    def put(self, key: str, body: BinaryIO, *, size: int, sha256: bytes | None = None) -> None:
        """See ``ObjectStore.put``."""
        extra: dict[str, Any] = {} if sha256 is None else {"ChecksumSHA256": base64.b64encode(sha256).decode()}
        with s3_call("put", key):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentLength=size, **extra)

    def list_objects(self, prefix: str, *, bucket: str | None = None) -> Iterator[StoredObject]:
        """See ``ObjectStore.list_objects``. One request per 1,000 objects."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket or self._bucket, Prefix=prefix)
        iterator = iter(pages)
        while True:
            with s3_call("list", prefix or "the bucket", missing=MISSING_ELSEWHERE if bucket else NEVER_MISSING):
                page = next(iterator, None)
            if page is None:
                return
            for found in page.get("Contents", []):
                yield StoredObject(found["Key"], found["Size"], found["ETag"].strip('"'))
            if not page.get("IsTruncated"):
                return

    def delete(self, keys: Iterable[str]) -> None:
        """See ``ObjectStore.delete``."""
        rest = iter(keys)
        while page := list(islice(rest, DELETE_PAGE)):
            with s3_call("delete", page[0]):
                answer = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in page], "Quiet": True}
                )
            if answer.get("Errors"):
                raise StoreUnavailable(f"{len(answer['Errors'])} objects could not be removed; trying again later")

    @contextmanager
    def writing(self, key: str, *, media_type: str) -> Iterator[ObjectWriter]:
        """See ``ObjectStore.writing``."""
        upload = Multipart(self._client, self._bucket, key, media_type)
        try:
            yield upload
            upload.complete()
        except BaseException:
            upload.abort()
            raise

    def discard(self, prefix: str, *, only: Callable[[str], bool] | None = None) -> None:
        """See ``ObjectStore.discard``."""
        goes = only or bool
        abort_below(self._client, self._bucket, prefix, goes)
        self.delete(found.key for found in self.list_objects(prefix) if goes(found.key))

    def end_unfinished(self, *, older_than: timedelta) -> int:
        """See ``ObjectStore.end_unfinished``."""
        return abort_older(self._client, self._bucket, datetime.now(UTC) - older_than)

    def presign_get(
        self, key: str, *, seconds: int, bucket: str | None = None, disposition: str, media_type: str
    ) -> PresignedGet:
        """See ``ObjectStore.presign_get``."""
        query = {"response-content-disposition": disposition, "response-content-type": media_type}
        at = _now()
        url = self._presigner.url(bucket or self._bucket, Request("GET", key, seconds, query, {}), at=at)
        return PresignedGet(url=url, expires_at=at + timedelta(seconds=seconds))

    def presign_put(self, key: str, *, size: int, sha256: bytes | None, seconds: int) -> PresignedPut:
        """See ``ObjectStore.presign_put``. Length and checksum are signed headers: other bytes are refused by S3."""
        headers = {"content-length": str(size)}
        if sha256 is not None:
            headers["x-amz-checksum-sha256"] = base64.b64encode(sha256).decode()
        at = _now()
        url = self._presigner.url(self._bucket, Request("PUT", key, seconds, {}, headers), at=at)
        return PresignedPut(url=url, headers=headers, expires_at=at + timedelta(seconds=seconds))

    def create_bucket(self) -> None:
        """See ``ObjectStore.create_bucket``. Browsers may PUT from any origin: the presigned URL is the permission."""
        with s3_call("create_bucket", self._bucket):
            try:
                self._client.head_bucket(Bucket=self._bucket)
            except ClientError as error:
                if _status(error) != HTTPStatus.NOT_FOUND:
                    raise
                self._client.create_bucket(Bucket=self._bucket)
            self._client.put_bucket_cors(
                Bucket=self._bucket,
                CORSConfiguration={
                    "CORSRules": [
                        {
                            "AllowedMethods": ["GET", "PUT", "HEAD"],
                            "AllowedOrigins": ["*"],
                            "AllowedHeaders": ["*"],
                            "ExposeHeaders": ["ETag"],
                            "MaxAgeSeconds": 3600,
                        }
                    ]
                },
            )

    def check(self) -> None:
        """See ``ObjectStore.check``."""
        with s3_call("check", self._bucket):
            self._client.head_bucket(Bucket=self._bucket)


def open_session(settings: Settings) -> boto3.session.Session:
    """The access key of the settings; without one, what boto3 finds (instance role, profile).

    Raises:
        ConfigurationError: half of an access key is missing.
    """
    if (settings.s3_access_key_id is None) != (settings.s3_secret_access_key is None):
        raise ConfigurationError("PHYTOBATCH_S3_ACCESS_KEY_ID and PHYTOBATCH_S3_SECRET_ACCESS_KEY belong together")
    return boto3.session.Session(
        aws_access_key_id=_reveal(settings.s3_access_key_id),
        aws_secret_access_key=_reveal(settings.s3_secret_access_key),
        region_name=settings.s3_region,
    )


def open_client(
    settings: Settings, endpoint: str | None, connections: int, *, session: boto3.session.Session | None = None
) -> "S3Client":
    """A boto3 client for one address of the store; whoever uses it itself catches the errors of boto3 itself."""
    client: S3Client = (session or open_session(settings)).client(
        "s3",
        endpoint_url=endpoint,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if endpoint else "auto"},
            max_pool_connections=connections,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            # Not every S3 server knows the newer checksums that boto3 would add by itself.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    return client


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _reveal(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
