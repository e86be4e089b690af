"""Reading objects with little processor time: one signed GET over boto3's HTTP, past its model of S3.

boto3 still determines the address of a bucket, its region, credentials, proxy and certificates, and errors are raised
as boto3 raises them. Why not another library: decision 10 in docs/decisions.

Source: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".
"""

import hmac
import os
import random
import re
import socket
import time
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse, HeadersDict
from botocore.exceptions import ClientError, HTTPClientError, NoCredentialsError
from botocore.exceptions import ConnectionError as NoConnection
from botocore.httpsession import URLLib3Session
from botocore.parsers import create_parser
from botocore.response import StreamingBody
from botocore.utils import get_environ_proxies

from shared.errors import ConfigurationError, ObjectMissing, ObjectTooLarge
from shared.storage.presigning import ALGORITHM, BUCKETS, Address, signing_key
from shared.storage.s3_call import ATTEMPTS, CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials
    from types_boto3_s3 import S3Client

FIRST_PAUSE_SECONDS = 0.5  # at most; the next one is twice as long
# Maximum bytes of an error's body that are read: S3 sends some hundred.
ERROR_BYTES = 64 * 1024
NO_BODY = sha256(b"").hexdigest()
# The stubs of botocore say less than its functions take, so some of their arguments are marked below.
# Temporary errors, which are retried, as by boto3.
PASSING_STATUS = frozenset({429, 500, 502, 503, 504})
CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-\d{1,19}/")
PASSING_CODES = frozenset({"RequestTimeout", "SlowDown"})


class Reader:
    """A reader of objects from one S3 server. Safe to share between threads."""

    def __init__(self, client: "S3Client", credentials: "Credentials | None", *, connections: int) -> None:
        """Take a client, which knows the addresses of buckets, and its credentials, which may change by themselves."""
        self._client = client
        self._credentials = credentials
        self._http = open_http(client.meta.endpoint_url, connections)
        self._address_of = lru_cache(maxsize=BUCKETS)(self._find)
        self._regions: dict[str, str] = {}  # of the buckets that are not where the settings say
        self._parser = create_parser("rest-xml")

    def read(self, bucket: str, key: str, *, max_bytes: int) -> bytes:
        """Read the bytes of an object. A connection that breaks in the middle of them is not retried.

        Raises:
            ObjectTooLarge: it is larger than ``max_bytes``; it is not read then.
            ObjectMissing: the bucket is of a kind that is not read here.
            ClientError, BotoCoreError: as ``get_object`` of boto3 and the body that it returns.
        """
        answer = self._answer(bucket, key)
        length = answer.headers.get("Content-Length")
        if length is not None and int(length) > max_bytes:
            answer.raw.close()
            raise ObjectTooLarge(f"the file has {length} bytes, at most {max_bytes} are allowed")
        # S3 always says the length; something between us and it may not, and the limit holds all the same.
        body = StreamingBody(answer.raw, length).read(max_bytes + 1 if length is None else None)  # type: ignore[arg-type]
        if len(body) > max_bytes:
            answer.raw.close()
            raise ObjectTooLarge(f"the file has more than {max_bytes} bytes, which are allowed")
        return bytes(body)

    def read_range(self, bucket: str, key: str, *, start: int, length: int) -> bytes:
        """Read at most ``length`` bytes of an object from ``start`` on, as ``read`` does; none behind its end.

        Servers, and what stands before them, may send the whole object all the same (RFC 9110, section 14.2): it is
        read up to the end of the range then, and the connection given up.

        Raises:
            ObjectMissing, ClientError, BotoCoreError: as ``read``.
        """
        try:
            answer = self._answer(bucket, key, f"bytes={start}-{start + length - 1}")
        except ClientError as error:
            if error.response["ResponseMetadata"].get("HTTPStatusCode") == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return b""
            raise
        begin = _begin(answer, start)
        wanted = max(0, start - begin) + length
        announced = answer.headers.get("Content-Length")
        is_whole = announced is not None and int(announced) <= wanted
        body = StreamingBody(answer.raw, announced).read(None if is_whole else wanted)  # type: ignore[arg-type]
        if not is_whole:
            answer.raw.close()
        return bytes(body[start - begin : wanted]) if begin <= start else b""

    def _answer(self, bucket: str, key: str, part: str | None = None) -> AWSResponse:
        """Send the request up to ``ATTEMPTS`` times and return the successful answer."""
        for pauses in range(ATTEMPTS - 1):
            try:
                return self._send(bucket, key, part)
            except (NoConnection, HTTPClientError):
                pass
            except ClientError as error:
                if not _passes(error) and not self._moved(bucket, error):
                    raise
            time.sleep(random.uniform(0, FIRST_PAUSE_SECONDS * 2**pauses))  # noqa: S311  # no secret
        return self._send(bucket, key, part)

    def _send(self, bucket: str, key: str, part: str | None) -> AWSResponse:
        if self._credentials is None:
            raise NoCredentialsError
        address, path = self._address_of(bucket), quote(key, safe="/~")
        headers = HeadersDict(signed_headers(address, path, self._credentials.get_frozen_credentials(), time.gmtime()))
        if part is not None:
            headers["range"] = part  # It need not be signed.
        request = AWSPreparedRequest("GET", address.base + path, headers, None, stream_output=True)  # type: ignore[arg-type]
        answer = self._http.send(request)
        if answer.status_code == HTTPStatus.OK or (part and answer.status_code == HTTPStatus.PARTIAL_CONTENT):
            return answer
        raise self._error(answer)

    def _error(self, answer: AWSResponse) -> ClientError:
        """Parse an error of the store, as boto3 raises it."""
        body = StreamingBody(answer.raw, None).read(ERROR_BYTES)  # type: ignore[arg-type]
        answer.raw.close()
        parts = {"status_code": answer.status_code, "headers": answer.headers, "body": body}
        response = self._parser.parse(parts, None)  # type: ignore[arg-type]
        return ClientError(response, "GetObject")

    def _moved(self, bucket: str, error: ClientError) -> bool:
        """Return True if the bucket is in another region than assumed; boto3 and this reader then remember it."""
        region = error.response["ResponseMetadata"].get("HTTPHeaders", {}).get("x-amz-bucket-region")
        if region is None or self._address_of(bucket).scope.startswith(f"{region}/"):
            return False
        self._client.head_bucket(Bucket=bucket)  # boto3 learns the region from the answer, and with it the address.
        self._regions[bucket] = region
        self._address_of.cache_clear()
        return True

    def _find(self, bucket: str) -> Address:
        try:
            address = Address.of(self._client, bucket)
        except ConfigurationError as error:
            raise ObjectMissing(f"a bucket of the kind of {bucket} is not read; take a general purpose one") from error
        region = self._regions.get(bucket)  # boto3 makes URLs of the right address and the wrong region.
        return replace(address, scope=f"{region}/s3/aws4_request") if region else address


def open_http(endpoint: str, connections: int) -> URLLib3Session:
    """Open boto3's own HTTP with the certificates (``AWS_CA_BUNDLE``) and proxies of the environment."""
    verify = botocore.session.get_session().get_config_variable("ca_bundle")
    return URLLib3Session(
        verify=verify or os.environ.get("REQUESTS_CA_BUNDLE") or True,  # type: ignore[arg-type]
        proxies=get_environ_proxies(endpoint),
        timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),  # type: ignore[arg-type]
        max_pool_connections=connections,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],  # type: ignore[list-item]
    )


def signed_headers(
    address: Address, path: str, credentials: "ReadOnlyCredentials", at: time.struct_time
) -> dict[str, str]:
    """Sign the headers of a GET without a query. ``path`` is the quoted key, ``at`` in UTC."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", at)
    scope = f"{stamp[:8]}/{address.scope}"
    headers = {"host": address.host, "x-amz-content-sha256": NO_BODY, "x-amz-date": stamp}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    digest = sha256(f"GET\n{address.path}{path}\n\n{lines}\n{names}\n{NO_BODY}".encode()).hexdigest()
    key = signing_key(credentials.secret_key, scope)
    signature = hmac.digest(key, f"{ALGORITHM}\n{stamp}\n{scope}\n{digest}".encode(), "sha256").hex()
    headers["authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


def _begin(answer: AWSResponse, start: int) -> int:
    """Return the place of an answer's first byte in its object: a server may send another range, or everything."""
    if answer.status_code != HTTPStatus.PARTIAL_CONTENT:
        return 0
    match = CONTENT_RANGE.match(answer.headers.get("Content-Range", ""))
    return int(match[1]) if match else start


def _passes(error: ClientError) -> bool:
    status = error.response["ResponseMetadata"].get("HTTPStatusCode")
    return status in PASSING_STATUS or error.response["Error"].get("Code") in PASSING_CODES
