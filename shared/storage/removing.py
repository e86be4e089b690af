"""Removing objects of S3: a thousand in a request, or one by one if a server does not support that.

Amazon S3 API Reference, ``DeleteObjects``: the request carries a checksum. boto3 sends only the newer CRC-32, older
servers require ``Content-MD5``: our request carries both.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.errors import StoreUnavailable
from shared.storage.s3_call import NOT_KNOWN, s3_call

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

DELETE_PAGE = 1000  # the maximum of DeleteObjects
# The server did not understand this kind of request; it may still allow single ones.
NOT_TAKEN = NOT_KNOWN | {
    "MissingContentMD5", "InvalidDigest", "BadDigest", "InvalidRequest", "InvalidArgument", "MalformedXML",
    "NotSupported",
}  # fmt: skip
GONE = frozenset({"NoSuchKey", "404"})


def add_content_md5(params: dict[str, Any], **_: object) -> None:
    """Put the MD5 of the body into the headers (RFC 1864; a handler of botocore)."""
    digest = hashlib.md5(params["body"], usedforsecurity=False).digest()
    params["headers"]["Content-MD5"] = base64.b64encode(digest).decode()


def remove(client: "S3Client", bucket: str, keys: Sequence[str]) -> None:
    """Remove at most ``DELETE_PAGE`` objects; missing ones are not an error.

    Raises:
        StoreUnavailable: some could not be removed.
    """
    with s3_call("delete", keys[0]):
        try:
            answer = client.delete_objects(
                Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") not in NOT_TAKEN:
                raise
            for key in keys:
                _remove_one(client, bucket, key)
            return
    faults = [fault for fault in answer.get("Errors", []) if fault.get("Code") not in GONE]
    if faults:
        raise StoreUnavailable(
            f"{len(faults)} objects could not be removed ({faults[0].get('Code', 'no reason given')}); "
            "trying again later"
        )


def _remove_one(client: "S3Client", bucket: str, key: str) -> None:
    try:
        client.delete_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in GONE:
            raise
