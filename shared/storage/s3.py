"""Any S3 server, through boto3."""

import base64
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

import boto3
import botocore.session
import structlog
from botocore.client import Config
from botocore.exceptions import ClientError
from botocore.utils import parse_timestamp
from pydantic import SecretStr

from shared.settings import Settings
from shared.storage.listing import list_objects, readable
from shared.storage.multipart import Multipart, abort_below, abort_older
from shared.storage.presigning import Presigner, Request
from shared.storage.reading import Reader
from shared.storage.removing import DELETE_PAGE, add_content_md5, remove
from shared.storage.s3_call import (
    ATTEMPTS,
    CONNECT_TIMEOUT_SECONDS,
    NEVER_MISSING,
    NO_BUCKET,
    READ_TIMEOUT_SECONDS,
    s3_call,
)
from shared.storage.store import ObjectWriter, PresignedGet, PresignedPut, StoredObject

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CORSRuleTypeDef

DEFAULT_REGION = "us-east-1"  # a new bucket there must not name it
# Only uploads by browsers need the rule; `doctor` reports if it is missing.
NO_CORS = {
    "NotImplemented": "the object store has no CORS of a bucket; set it for the whole server",
    "AccessDenied": "our role may not set it; whoever makes the bucket sets it",
}

# Permanent for one object of our own bucket. A missing permission or a missing bucket is a fault of the installation:
# it must not fail a flight of images, so it counts as an outage.
MISSING = frozenset({"NoSuchKey", "404", "InvalidObjectState"})
# In a foreign bucket its owner has to mend it. 403 is also S3's answer for a missing key to a client that may not list
# the bucket.
MISSING_ELSEWHERE = (
    MISSING
    | {NO_BUCKET, "403", "AccessDenied", "AllAccessDisabled", "AccessForbidden", "AccountProblem", "Forbidden"}
    # The bucket, the prefix or the object is of a kind that cannot be read in this way: encrypted with a key of the
    # caller's own or with one that was taken away, archived, or with an invalid name.
    | {"InvalidBucketName", "InvalidRequest", "InvalidArgument", "InvalidURI", "KeyTooLongError", "MethodNotAllowed"}
    | {"KMS.DisabledException", "KMS.NotFoundException", "KMS.KMSInvalidStateException", "NoSuchVersion"}
)

CORS_RULE: "CORSRuleTypeDef" = {
    "AllowedMethods": ["GET", "PUT", "HEAD"],
    "AllowedOrigins": ["*"],
    "AllowedHeaders": ["*"],
    "ExposeHeaders": ["ETag"],
    "MaxAgeSeconds": 3600,
}

log = structlog.get_logger()


class S3Store:
    """The object store of the programs. One per process; safe to share between threads (boto3 clients are)."""

    def __init__(self, settings: Settings, *, connections: int = 16) -> None:
        self._bucket = settings.s3_bucket
        session = open_session(settings)
        self._client = open_client(settings, settings.s3_endpoint_url, connections, session=session)
        self._reader = Reader(self._client, session.get_credentials(), connections=connections)
        self._where = where_to_create(settings)
        # A presigned URL contains the address, so it is signed for the one that clients reach.
        public = open_client(settings, settings.presign_endpoint_url, 1, session=session)
        self._presigner = Presigner(public, session.get_credentials())

    def get(self, key: str, *, bucket: str | None = None, max_bytes: int) -> bytes:
        """See ``ObjectStore.get``. The whole body is read here, so a connection that breaks in it is an outage too."""
        with s3_call("get", key, missing=MISSING_ELSEWHERE if bucket else MISSING):
            return self._reader.read(bucket or self._bucket, key, max_bytes=max_bytes)

    def get_range(self, key: str, *, bucket: str | None = None, start: int, length: int) -> bytes:
        """See ``ObjectStore.get_range``."""
        with s3_call("get_range", key, missing=MISSING_ELSEWHERE if bucket else MISSING):
            return self._reader.read_range(bucket or self._bucket, key, start=start, length=length)

    def put(self, key: str, body: BinaryIO, *, size: int, sha256: bytes | None = None) -> None:
        """See ``ObjectStore.put``."""
        extra: dict[str, Any] = {} if sha256 is None else {"ChecksumSHA256": base64.b64encode(sha256).decode()}
        with s3_call("put", key):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentLength=size, **extra)

    def list_objects(self, prefix: str, *, bucket: str | None = None) -> Iterator[StoredObject]:
        """See ``ObjectStore.list_objects``. One request per 1,000 objects."""
        missing = MISSING_ELSEWHERE if bucket else NEVER_MISSING
        return list_objects(self._client, bucket or self._bucket, prefix, missing=missing)

    def delete(self, keys: Iterable[str]) -> None:
        """See ``ObjectStore.delete``."""
        rest = iter(keys)
        while page := list(islice(rest, DELETE_PAGE)):
            remove(self._client, self._bucket, page)

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
        self.delete(stored.key for stored in self.list_objects(prefix) if goes(stored.key))

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
        return PresignedGet(url=url, expires_at=self._presigner.end(at + timedelta(seconds=seconds)))

    def presign_put(self, key: str, *, size: int, sha256: bytes | None, seconds: int) -> PresignedPut:
        """See ``ObjectStore.presign_put``. Length and checksum are signed headers: S3 refuses other bytes."""
        headers = {"content-length": str(size)}
        if sha256 is not None:
            headers["x-amz-checksum-sha256"] = base64.b64encode(sha256).decode()
        at = _now()
        url = self._presigner.url(self._bucket, Request("PUT", key, seconds, {}, headers), at=at)
        return PresignedPut(url=url, headers=headers, expires_at=self._presigner.end(at + timedelta(seconds=seconds)))

    def create_bucket(self) -> None:
        """See ``ObjectStore.create_bucket``. Browsers may PUT from any origin: the presigned URL is the permission."""
        with s3_call("create_bucket", self._bucket):
            try:
                self._client.head_bucket(Bucket=self._bucket)
            except ClientError as error:
                if _status(error) != HTTPStatus.NOT_FOUND:
                    raise
                self._client.create_bucket(Bucket=self._bucket, **self._where)
            self._allow_browsers()

    def _allow_browsers(self) -> None:
        try:
            self._client.put_bucket_cors(Bucket=self._bucket, CORSConfiguration={"CORSRules": [CORS_RULE]})
        except ClientError as error:
            reason = NO_CORS.get(str(error.response.get("Error", {}).get("Code")))
            if reason is None:
                raise
            log.warning("cors_not_set", reason=reason)

    def check(self) -> None:
        """See ``ObjectStore.check``."""
        with s3_call("check", self._bucket):
            self._client.head_bucket(Bucket=self._bucket)


def where_to_create(settings: Settings) -> dict[str, Any]:
    """Return the arguments of CreateBucket, which name the region: by default Amazon creates in us-east-1."""
    if settings.s3_endpoint_url is not None or settings.s3_region == DEFAULT_REGION:
        return {}
    return {"CreateBucketConfiguration": {"LocationConstraint": settings.s3_region}}


def open_session(settings: Settings) -> boto3.session.Session:
    """Open a session with the access key of the settings; without one, with what boto3 finds (``AWS_*``, a role)."""
    core = botocore.session.get_session()
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_time)
    return boto3.session.Session(
        botocore_session=core,
        aws_access_key_id=_reveal(settings.s3_access_key_id),
        aws_secret_access_key=_reveal(settings.s3_secret_access_key),
        region_name=settings.s3_region,
    )


def open_client(
    settings: Settings, endpoint: str | None, connections: int, *, session: boto3.session.Session | None = None
) -> "S3Client":
    """Open a boto3 client for one address of the store; its direct users handle the errors of boto3 themselves."""
    client: S3Client = (session or open_session(settings)).client(
        "s3",
        endpoint_url=endpoint,
        config=Config(
            signature_version="s3v4",
            # Every S3 server takes the bucket in the path. Amazon wants it in the host, and URLs have to be signed for
            # the host of the region: "auto" takes the global one, which answers for a bucket elsewhere than in
            # us-east-1 with a redirect that no signature survives. A bucket with dots fits no certificate as a host:
            # boto3 puts that one into the path, of the regional host too.
            s3={"addressing_style": "path"}
            if endpoint
            else {"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
            max_pool_connections=connections,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            # Not every S3 server knows the newer checksums that boto3 would add by itself.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
    for operation in ("ListObjects", "ListObjectsV2"):
        # Handlers of a wildcard run first, and boto3's own look for errors in the body (`s3.*`) needs XML.
        client.meta.events.register(f"before-parse.*.{operation}", readable)
    client.meta.events.register("before-call.s3.DeleteObjects", add_content_md5)
    return client


def _time(text: str) -> datetime:
    """Read a time from a store. One that cannot be read counts as now, so that nothing is removed for its age."""
    try:
        return parse_timestamp(text)
    except (ValueError, OverflowError):
        return datetime.now(UTC)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _reveal(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
