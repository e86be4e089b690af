"""Presigned URLs of S3: AWS Signature Version 4 in the query, for a page of a thousand uploads in some milliseconds.

boto3 makes the same URLs and takes 250 µs of processor for each, because it walks through its whole model of S3; its
signer alone takes 100 µs. obstore signs no headers, and ours bind a client to the bytes that it announced. So the
signature is made here. boto3 still determines the address of a bucket, its region, and the credentials.

Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from hashlib import sha256
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, quote, urlsplit

from botocore.exceptions import BotoCoreError, NoCredentialsError

from shared.errors import ConfigurationError, StoreUnavailable

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials
    from types_boto3_s3 import S3Client

ALGORITHM = "AWS4-HMAC-SHA256"
DEFAULT_PORTS = {"http": 80, "https": 443}
# Buckets whose addresses are remembered: our own, and those that images are imported from.
BUCKETS = 256
# A key that boto3 leaves as it is.
PROBE = "probe"


@dataclass(frozen=True, slots=True)
class Request:
    """The request that a URL allows for some seconds, with exactly these ``headers``, named in lower case."""

    method: str
    key: str
    seconds: int
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a bucket. ``base`` and ``path`` precede the key; ``scope`` is ``REGION/SERVICE/aws4_request``."""

    base: str
    path: str
    host: str
    scope: str

    @classmethod
    def of(cls, client: "S3Client", bucket: str) -> Self:
        """Find the address of a bucket by letting boto3 sign a URL.

        Raises:
            BotoCoreError: boto3 has no credentials.
            ConfigurationError: as ``in_url``.
        """
        return cls.in_url(
            client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": PROBE}, ExpiresIn=1)
        )

    @classmethod
    def in_url(cls, signed: str) -> Self:
        """Read the address of a bucket from a URL that boto3 signed for its object ``PROBE``.

        Raises:
            ConfigurationError: boto3 signs for this bucket in another way, as for one in several regions.
        """
        parts = urlsplit(signed)
        query = parse_qs(parts.query)
        if query.get("X-Amz-Algorithm") != [ALGORITHM] or "X-Amz-S3session-Token" in query:
            raise ConfigurationError("uploads cannot be signed for a bucket of this kind; take a general purpose one")
        scope = query["X-Amz-Credential"][0].split("/")[-3:]
        return cls(
            base=signed.partition(f"{PROBE}?")[0],
            path=parts.path.removesuffix(PROBE),
            host=_host_header(parts.scheme, parts.netloc, parts.port),
            scope="/".join(scope),
        )


def _host_header(scheme: str, netloc: str, port: int | None) -> str:
    """Return the header as clients send it: in lower case, without the default port (RFC 9110 section 4.2.3)."""
    name = netloc.rpartition("@")[2].lower()
    return name.removesuffix(f":{port}") if port == DEFAULT_PORTS.get(scheme) else name


class Signing:
    """The common part of the URLs of one bucket and one second."""

    def __init__(self, address: Address, at: datetime, credentials: "ReadOnlyCredentials") -> None:
        self._address = address
        self._stamp = f"{at:%Y%m%dT%H%M%SZ}"
        self._scope = f"{at:%Y%m%d}/{address.scope}"
        self._key = signing_key(credentials.secret_key, self._scope)
        self._credential = _parameter("X-Amz-Credential", f"{credentials.access_key}/{self._scope}")
        self._token = [_parameter("X-Amz-Security-Token", credentials.token)] if credentials.token else []

    def url(self, request: Request) -> str:
        """Sign the URL of a request, valid from that second on."""
        key = quote(request.key, safe="/~")
        headers = {**request.headers, "host": self._address.host}
        names = sorted(headers)
        query = [
            *(_parameter(name, value) for name, value in request.query.items()),
            f"X-Amz-Algorithm={ALGORITHM}",
            self._credential,
            f"X-Amz-Date={self._stamp}",
            f"X-Amz-Expires={request.seconds}",
            f"X-Amz-SignedHeaders={'%3B'.join(names)}",
            *self._token,
        ]
        canonical = "\n".join(
            (
                request.method,
                self._address.path + key,
                "&".join(sorted(query)),
                *(f"{name}:{headers[name]}" for name in names),
                "",
                ";".join(names),
                "UNSIGNED-PAYLOAD",
            )
        )
        return f"{self._address.base}{key}?{'&'.join(query)}&X-Amz-Signature={self._signature(canonical)}"

    def _signature(self, canonical: str) -> str:
        digest = sha256(canonical.encode()).hexdigest()
        return _hmac(self._key, f"{ALGORITHM}\n{self._stamp}\n{self._scope}\n{digest}").hex()


@lru_cache(maxsize=16)
def signing_key(secret: str, scope: str) -> bytes:
    """Derive the key of a day, a region and a service (``DATE/REGION/SERVICE/aws4_request``)."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, message: str) -> bytes:
    return hmac.digest(key, message.encode(), "sha256")


def _parameter(name: str, value: str) -> str:
    return f"{name}={quote(value, safe='-_.~')}"


class Presigner:
    """A signer of URLs of one S3 server. Safe to share between threads."""

    def __init__(self, client: "S3Client", credentials: "Credentials | None") -> None:
        """Take a client, which knows the addresses of buckets, and its credentials, which may change by themselves."""
        self._credentials = credentials
        self._address_of = lru_cache(maxsize=BUCKETS)(partial(Address.of, client))
        self._last: tuple[str, datetime, Signing] | None = None

    def url(self, bucket: str, request: Request, *, at: datetime) -> str:
        """Sign a URL for one request, valid from ``at`` on (UTC, whole seconds).

        Raises:
            StoreUnavailable: there are no credentials, or they cannot be read now.
            ConfigurationError: nothing can be signed for a bucket of this kind.
        """
        last = self._last
        # A thousand URLs are made in one second. Credentials of an instance role change while a process runs, some
        # time before the old ones end.
        if last is None or last[:2] != (bucket, at):
            last = self._last = (bucket, at, self._signing(bucket, at))
        return last[2].url(request)

    def end(self, promised: datetime) -> datetime:
        """Return the real end of a URL that is signed now: that of the role's session if it is before ``promised``.

        A session from ``AWS_SESSION_TOKEN`` does not state its end.
        """
        session: datetime | None = getattr(self._credentials, "_expiry_time", None)  # botocore has no other way to ask
        return promised if session is None else min(promised, session.replace(microsecond=0))

    def _signing(self, bucket: str, at: datetime) -> Signing:
        try:
            if self._credentials is None:
                raise NoCredentialsError
            return Signing(self._address_of(bucket), at, self._credentials.get_frozen_credentials())
        except BotoCoreError as error:
            raise StoreUnavailable("the object store cannot be signed for; check its credentials") from error
