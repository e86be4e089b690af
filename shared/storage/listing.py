"""Listings of S3, in the dialects that servers speak.

Amazon S3 API Reference, ``ListObjectsV2`` and ``ListObjects``: of the fields of an object, only its key is certain.
Some servers know only the first version, some say that there is more without a token, some keep characters in keys
that XML does not have.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.errors import StoreUnavailable
from shared.storage.s3_call import NOT_KNOWN, s3_call
from shared.storage.store import StoredObject

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# Extensible Markup Language (XML) 1.0, 2.2 Characters: the forbidden ones, raw and as a reference.
NO_CHARACTER = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]|\xed[\xa0-\xbf][\x80-\xbf]")
REFERENCE = re.compile(rb"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));")
REPLACEMENT = "\ufffd".encode()
CHARACTERS = (range(0x9, 0xB), range(0xD, 0xE), range(0x20, 0xD800), range(0xE000, 0xFFFE), range(0x10000, 0x110000))


def list_objects(client: "S3Client", bucket: str, prefix: str, *, missing: frozenset[str]) -> Iterator[StoredObject]:
    """List every object below a prefix; one request per 1,000 of them.

    Raises:
        ObjectMissing: the store refuses with a code of ``missing``.
        StoreUnavailable: it refuses in another way, cannot be reached, or its listing does not continue.
    """
    for page in _pages(client, bucket, prefix, missing):
        for entry in page.get("Contents", []):
            key = entry["Key"]
            size = entry.get("Size")
            if size is None:
                with s3_call("head", key, missing=missing):
                    size = client.head_object(Bucket=bucket, Key=key)["ContentLength"]
            yield StoredObject(key, size, entry.get("ETag", "").strip('"'))


def _pages(client: "S3Client", bucket: str, prefix: str, missing: frozenset[str]) -> Iterator[dict[str, Any]]:
    ask: Any = client.list_objects_v2
    onward: dict[str, str] = {}
    while True:
        with s3_call("list", prefix or "the bucket", missing=missing):
            try:
                page = ask(Bucket=bucket, Prefix=prefix, **onward)
            except ClientError as error:
                if ask == client.list_objects or error.response.get("Error", {}).get("Code") not in NOT_KNOWN:
                    raise
                ask = client.list_objects
                page = ask(Bucket=bucket, Prefix=prefix)
        yield page
        token = page.get("NextContinuationToken")
        if not page.get("IsTruncated", token is not None):
            return
        if token is None:  # The first version, which every server knows, goes on behind a key.
            ask = client.list_objects
        before, onward = onward, {"ContinuationToken": token} if token else {"Marker": _last_key(page)}
        if before == onward or not all(onward.values()):
            raise StoreUnavailable("the object store says that a listing goes on, and not where: what server is it?")


def _last_key(page: dict[str, Any]) -> str:
    contents = page.get("Contents", [])
    return str(page.get("NextMarker") or (contents[-1]["Key"] if contents else ""))


def readable(response_dict: dict[str, Any], **_: object) -> None:
    """Replace forbidden XML characters, so that one odd key does not hide a whole listing (a handler of botocore)."""
    body = response_dict.get("body")
    if isinstance(body, bytes):
        response_dict["body"] = REFERENCE.sub(_character, NO_CHARACTER.sub(REPLACEMENT, body))


def _character(reference: re.Match[bytes]) -> bytes:
    number = int(reference[1], 16) if reference[1] else int(reference[2])
    return reference[0] if any(number in known for known in CHARACTERS) else REPLACEMENT
