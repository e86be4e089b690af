"""Objects of a size that is unknown before they are written: S3 multipart uploads, a part at a time in memory."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from shared.errors import ObjectMissing, PhytobatchError, StoreUnavailable
from shared.storage.s3_call import NOT_KNOWN, s3_call

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef, MultipartUploadTypeDef

# S3 takes 10,000 parts of at least 5 MiB, but for the last one: objects of up to 80 GB.
PART_BYTES = 8 * 1024 * 1024

# The upload was completed or aborted meanwhile.
NO_UPLOAD = frozenset({"NoSuchUpload", "404"})


class Multipart:
    """The upload of one object. A small one, which fits into a part, is put in one request at the end."""

    def __init__(self, client: "S3Client", bucket: str, key: str, media_type: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key
        self._media_type = media_type
        self._buffer = bytearray()
        self._parts: list[CompletedPartTypeDef] = []
        self._upload_id: str | None = None
        self._size = 0

    @property
    def size(self) -> int:
        """See ``ObjectWriter.size``."""
        return self._size

    def write(self, piece: bytes) -> None:
        """See ``ObjectWriter.write``."""
        self._size += len(piece)
        self._buffer += piece
        while len(self._buffer) >= PART_BYTES:
            part = bytes(self._buffer[:PART_BYTES])
            del self._buffer[:PART_BYTES]
            self._send(part)

    def complete(self) -> None:
        """Send the rest and complete the object."""
        rest = bytes(self._buffer)
        if self._upload_id is None:
            with s3_call("put", self._key):
                self._client.put_object(Bucket=self._bucket, Key=self._key, Body=rest, ContentType=self._media_type)
            return
        if rest:
            self._send(rest)
        with s3_call("complete_multipart", self._key):
            self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload_id, MultipartUpload={"Parts": self._parts}
            )

    def abort(self) -> None:
        """Remove the parts that were sent. If that fails, ``discard`` of a later attempt does it."""
        if self._upload_id is not None:
            with suppress(PhytobatchError), s3_call("abort_multipart", self._key):
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._key, UploadId=self._upload_id)

    def _send(self, part: bytes) -> None:
        if self._upload_id is None:
            with s3_call("create_multipart", self._key):
                self._upload_id = self._client.create_multipart_upload(
                    Bucket=self._bucket, Key=self._key, ContentType=self._media_type
                )["UploadId"]
        number = len(self._parts) + 1
        with s3_call("upload_part", self._key):
            sent = self._client.upload_part(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload_id, PartNumber=number, Body=part
            )
        if "ETag" not in sent:
            raise StoreUnavailable("the object store gave no ETag for a part, which it asks for at the end")
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})


def abort_older(client: "S3Client", bucket: str, before: datetime) -> int:
    """Abort the unfinished uploads of the whole bucket that began before a moment. Return their number."""
    ended = 0
    uploads = _unfinished(client, bucket, "")
    for upload in [each for each in uploads if "Initiated" in each and each["Initiated"] < before]:
        with suppress(ObjectMissing), s3_call("abort_multipart", upload["Key"], missing=NO_UPLOAD):
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
            ended += 1
    return ended


def abort_below(client: "S3Client", bucket: str, prefix: str, goes: Callable[[str], bool]) -> None:
    """Abort the unfinished uploads below a prefix for whose keys ``goes`` is true."""
    for upload in _unfinished(client, bucket, prefix):
        if upload["Key"].startswith(prefix) and goes(upload["Key"]):
            with suppress(ObjectMissing), s3_call("abort_multipart", upload["Key"], missing=NO_UPLOAD):
                client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])


def _unfinished(client: "S3Client", bucket: str, prefix: str) -> "list[MultipartUploadTypeDef]":
    """List the unfinished uploads; empty if the server cannot list them."""
    pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
    with suppress(ObjectMissing), s3_call("list_multipart", prefix or "the bucket", missing=NOT_KNOWN):
        return [upload for page in pages for upload in page.get("Uploads", [])]
    return []
