"""Our signatures are those of boto3, byte for byte, and that of the manual of S3."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from boto3.session import Session
from botocore import auth
from botocore.credentials import ReadOnlyCredentials, RefreshableCredentials
from pydantic import ValidationError

from shared.errors import ConfigurationError, StoreUnavailable
from shared.settings import Settings
from shared.storage import s3
from shared.storage.presigning import Address, Presigner, Request, Signing
from shared.storage.s3 import S3Store, open_client, open_session, where_to_create

AT = datetime(2026, 5, 14, 7, 8, 9, tzinfo=UTC)
KEYS = (
    "uploads/01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10/00000001",
    "a b+c%20d~e_f-g.h",
    "grün/überall/叶子 🌿.JPG",
    "/starts//with/../dots/./and/ends/",
    "?query=1&x#fragment;:@$!*'(),[]{}|\\^`\"<>=",
    "X-Amz-Signature=probe?",
    "\n\t\x7f",
    "k" * 1024,
    "ü" * 512,
)
ENDPOINTS = (
    None,
    "http://127.0.0.1:8333",
    "https://Objects.Example.org",
    "https://objects.example.org:443/",
    "https://objects.example.org/behind/a%20proxy/",
    "http://[::1]:8333",
)
BUCKETS = ("phytobatch", "bucket.with.dots")
SHA256 = bytes(range(32))
CHECKSUM = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def settings(**given: object) -> Settings:
    fields = {
        "database_url": "postgresql://x/x",
        "redis_url": "redis://x",
        "s3_bucket": "phytobatch",
        "s3_region": "eu-south-2",
        "s3_access_key_id": "AKIDEXAMPLE",
        "s3_secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        **given,
    }
    return Settings(**fields)  # type: ignore[arg-type]  # pydantic makes secrets of texts


@pytest.fixture(autouse=True)
def _frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "get_current_datetime", lambda: AT.replace(tzinfo=None))
    monkeypatch.setattr(s3, "_now", lambda: AT)


@pytest.fixture(scope="module")
def session() -> Session:
    """One for all: it reads the models of S3 once."""
    return open_session(settings())


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("token", [None, "IQoJb3JpZ2luX2VjE/+=="])
def test_every_url_is_that_of_boto3(
    session: Session, monkeypatch: pytest.MonkeyPatch, endpoint: str | None, token: str | None
) -> None:
    given = settings(s3_endpoint_url=endpoint)
    found = session.get_credentials()
    assert found is not None
    monkeypatch.setattr(found, "token", token)
    boto3 = open_client(given, endpoint, 1, session=session)
    ours = Presigner(boto3, found)
    for bucket, key, checked in itertools.product(BUCKETS, KEYS, (False, True)):
        put = {"Bucket": bucket, "Key": key, "ContentLength": 5} | ({"ChecksumSHA256": CHECKSUM} if checked else {})
        headers = {"content-length": "5"} | ({"x-amz-checksum-sha256": CHECKSUM} if checked else {})
        assert ours.url(bucket, Request("PUT", key, 900, {}, headers), at=AT) == boto3.generate_presigned_url(
            "put_object", Params=put, ExpiresIn=900
        )
        query = {"response-content-disposition": f'inline; filename="{key}"', "response-content-type": "image/jpeg"}
        get = {"ResponseContentDisposition": query["response-content-disposition"], "ResponseContentType": "image/jpeg"}
        assert ours.url(bucket, Request("GET", key, 60, query, {}), at=AT) == boto3.generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": key, **get}, ExpiresIn=60
        )


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:8333"])
def test_the_store_asks_for_what_it_promises(session: Session, endpoint: str | None) -> None:
    given = settings(s3_endpoint_url="http://inside:8333", s3_public_endpoint_url=endpoint or "https://outside.example")
    store = S3Store(given)
    boto3 = open_client(given, given.presign_endpoint_url, 1, session=session)
    put = store.presign_put("uploads/ü", size=7, sha256=SHA256, seconds=900)
    assert put.headers == {"content-length": "7", "x-amz-checksum-sha256": CHECKSUM}
    assert put.expires_at == AT + timedelta(seconds=900)
    params = {"Bucket": "phytobatch", "Key": "uploads/ü", "ContentLength": 7, "ChecksumSHA256": CHECKSUM}
    assert put.url == boto3.generate_presigned_url("put_object", Params=params, ExpiresIn=900)
    get = store.presign_get("e/1", seconds=60, bucket="farm", disposition="attachment", media_type="text/csv")
    params = {"Bucket": "farm", "Key": "e/1", "ResponseContentDisposition": "attachment"}
    params["ResponseContentType"] = "text/csv"
    assert get.url == boto3.generate_presigned_url("get_object", Params=params, ExpiresIn=60)


def test_the_example_of_the_manual() -> None:
    """Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters", last section."""
    host = "examplebucket.s3.amazonaws.com"
    address = Address(base=f"https://{host}/", path="/", host=host, scope="us-east-1/s3/aws4_request")
    theirs = ReadOnlyCredentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None)
    signing = Signing(address, datetime(2013, 5, 24, tzinfo=UTC), theirs)
    url = signing.url(Request("GET", "test.txt", 86400, {}, {}))
    assert url.endswith("&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")


def test_keys_of_an_instance_role_may_change(session: Session) -> None:
    """At the next second, and at the next day, with the key of that day."""
    given = iter(range(10))

    def refresh() -> dict[str, str]:
        ends = datetime.now(UTC) + timedelta(seconds=1)  # so that botocore asks again each time
        number = next(given)
        keys = {"access_key": f"A{number}", "secret_key": f"s{number}", "token": f"t{number}"}
        return {**keys, "expiry_time": ends.isoformat()}

    role = RefreshableCredentials.create_from_metadata(refresh(), refresh_using=refresh, method="test")
    ours = Presigner(open_client(settings(), None, 1, session=session), role)
    first = ours.url("phytobatch", Request("GET", "k", 60, {}, {}), at=AT)
    assert ours.url("phytobatch", Request("GET", "k", 60, {}, {}), at=AT) == first
    later = ours.url("phytobatch", Request("GET", "k", 60, {}, {}), at=AT + timedelta(days=1))
    assert "A1%2F20260514" in first
    assert "A2%2F20260515" in later
    assert "X-Amz-Security-Token=t2" in later


def test_without_credentials_nothing_is_signed(session: Session) -> None:
    ours = Presigner(open_client(settings(), None, 1, session=session), None)
    with pytest.raises(StoreUnavailable, match="credentials"):
        ours.url("phytobatch", Request("GET", "k", 60, {}, {}), at=AT)


@pytest.mark.parametrize(
    "query",
    ["X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-S3session-Token=t", ""],
)
def test_a_bucket_that_needs_another_signature_is_refused(query: str) -> None:
    with pytest.raises(ConfigurationError, match="bucket"):
        Address.in_url(f"https://b.example/probe?{query}&X-Amz-Credential=A%2F20260514%2Fr%2Fs3%2Faws4_request")


def test_half_of_an_access_key_is_no_access_key() -> None:
    for half in ({"s3_access_key_id": None}, {"s3_secret_access_key": None}):
        with pytest.raises(ValidationError, match="belong together"):
            settings(**half)


@pytest.mark.parametrize(
    ("bucket", "address"),
    [
        ("phytobatch", "https://phytobatch.s3.eu-south-2.amazonaws.com/"),
        ("bucket.with.dots", "https://s3.eu-south-2.amazonaws.com/bucket.with.dots/"),
    ],
)
@pytest.mark.parametrize("endpoint", [None, "https://s3.eu-south-2.amazonaws.com"])
def test_at_amazon_urls_are_signed_for_the_host_of_the_region(
    session: Session, bucket: str, address: str, endpoint: str | None
) -> None:
    given = settings(s3_bucket=bucket, s3_endpoint_url=endpoint)
    ours = Presigner(open_client(given, given.presign_endpoint_url, 1, session=session), session.get_credentials())
    url = ours.url(bucket, Request("PUT", "uploads/1", 900, {}, {}), at=AT)
    assert url.startswith(f"{address}uploads/1?")
    assert "%2Feu-south-2%2Fs3%2Faws4_request" in url


def test_a_bucket_is_made_in_the_region_of_the_settings() -> None:
    assert where_to_create(settings(s3_region="us-east-1")) == {}
    assert where_to_create(settings(s3_endpoint_url="http://minio:9000")) == {}
    there = {"CreateBucketConfiguration": {"LocationConstraint": "eu-south-2"}}
    assert where_to_create(settings(s3_endpoint_url="https://s3.eu-south-2.amazonaws.com")) == there


def test_a_url_says_that_it_ends_with_the_session_of_a_role(session: Session) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=30)
    keys = {"access_key": "A", "secret_key": "s", "token": "t", "expiry_time": ends.isoformat()}
    role = RefreshableCredentials.create_from_metadata(keys, refresh_using=lambda: keys, method="test")
    ours = Presigner(open_client(settings(), None, 1, session=session), role)
    assert ours.end(ends - timedelta(seconds=1)) == ends - timedelta(seconds=1)
    assert ours.end(ends + timedelta(hours=1)) == ends
    assert Presigner(open_client(settings(), None, 1, session=session), None).end(AT) == AT
