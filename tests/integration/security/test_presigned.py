"""What a signed upload URL lets its holder do: write the promised bytes, in time, to one place; on a real S3 server."""

import hashlib
import http.client
import io
import uuid
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import urllib3

from shared.errors import ObjectMissing
from shared.settings import Settings
from shared.storage import s3
from shared.storage.keys import upload_key
from shared.storage.s3 import S3Store
from shared.storage.store import PresignedPut
from tests.patience import PATIENCE_SECONDS

BODY = b"not really a leaf"
MANY = 10**6
REFUSED = {400, 401, 403, 405, 411, 501}


@pytest.fixture
def store(settings: Settings) -> S3Store:
    made = S3Store(settings)
    made.create_bucket()
    return made


@pytest.fixture
def pool() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False) as pool:
        yield pool


@pytest.fixture
def key() -> str:
    return upload_key(uuid.uuid4(), 1)


def signed(store: S3Store, key: str, *, checked: bool = True, seconds: int = 60) -> PresignedPut:
    sha256 = hashlib.sha256(BODY).digest() if checked else None
    return store.presign_put(key, size=len(BODY), sha256=sha256, seconds=seconds)


def exists(store: S3Store, key: str) -> bool:
    try:
        store.get(key, max_bytes=MANY)
    except ObjectMissing:
        return False
    return True


def test_it_is_over_when_it_was_promised_to_be(
    store: S3Store, pool: urllib3.PoolManager, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = s3._now()
    monkeypatch.setattr(s3, "_now", lambda: now - timedelta(seconds=3))
    url = signed(store, key, seconds=1)
    assert pool.request("PUT", url.url, body=BODY, headers=url.headers).status == 403
    late = PresignedPut(url.url.replace("X-Amz-Expires=1", "X-Amz-Expires=3600"), url.headers, url.expires_at)
    assert pool.request("PUT", late.url, body=BODY, headers=late.headers).status == 403
    assert not exists(store, key)


@pytest.mark.parametrize("checked", [True, False])
def test_a_body_without_a_length_is_refused(store: S3Store, key: str, *, checked: bool) -> None:
    """The length is signed; whoever sends chunks of unknown length does not send it."""
    url = signed(store, key, checked=checked)
    at = urlsplit(url.url)
    connection = http.client.HTTPConnection(at.netloc, timeout=PATIENCE_SECONDS)
    connection.putrequest("PUT", f"{at.path}?{at.query}")
    connection.putheader("Transfer-Encoding", "chunked")
    for name, value in url.headers.items():
        if name != "content-length":
            connection.putheader(name, value)
    connection.endheaders()
    connection.send(b"".join(b"1000\r\n" + b"x" * 4096 + b"\r\n" for _ in range(16)) + b"0\r\n\r\n")
    assert connection.getresponse().status in REFUSED
    connection.close()
    assert not exists(store, key)


@pytest.mark.parametrize("checked", [True, False])
def test_more_bytes_than_announced_are_no_part_of_the_object(store: S3Store, key: str, *, checked: bool) -> None:
    url = signed(store, key, checked=checked)
    at = urlsplit(url.url)
    connection = http.client.HTTPConnection(at.netloc, timeout=PATIENCE_SECONDS)
    connection.putrequest("PUT", f"{at.path}?{at.query}")
    for name, value in url.headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.send(BODY + b"x" * 4096)
    connection.getresponse().read()
    connection.close()
    assert store.get(key, max_bytes=MANY) == BODY


@pytest.mark.parametrize("how", ["?uploads", "?partNumber=1&uploadId=x", "?acl", "?tagging"])
def test_its_signature_is_good_for_nothing_else(store: S3Store, pool: urllib3.PoolManager, key: str, how: str) -> None:
    url = signed(store, key)
    for method in ("PUT", "POST", "DELETE", "GET"):
        answer = pool.request(method, f"{url.url}&{how.removeprefix('?')}", body=BODY, headers=url.headers)
        assert answer.status in REFUSED, (method, answer.status)
    assert not exists(store, key)


def test_it_cannot_copy_what_belongs_to_others(
    store: S3Store, pool: urllib3.PoolManager, settings: Settings, key: str
) -> None:
    """A header that nobody signed must not turn the upload into a copy made with the rights of the service."""
    theirs = upload_key(uuid.uuid4(), 1)
    store.put(theirs, io.BytesIO(b"a secret"), size=8)
    url = signed(store, key, checked=False)
    source = {"x-amz-copy-source": f"/{settings.s3_bucket}/{theirs}"}
    pool.request("PUT", url.url, body=BODY, headers={**url.headers, **source})
    assert not exists(store, key) or store.get(key, max_bytes=MANY) != b"a secret"
