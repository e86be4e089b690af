"""The object store on a real S3 server."""

import hashlib
import io
import uuid
from collections.abc import Iterator

import pytest
import urllib3
from pydantic import SecretStr

from deploy.local.servers import LocalServers
from shared.errors import ObjectMissing, ObjectTooLarge, StoreUnavailable
from shared.settings import Settings
from shared.storage.keys import upload_key, upload_prefix
from shared.storage.multipart import Multipart
from shared.storage.s3 import S3Store
from shared.storage.store import ObjectWriter, PresignedPut

BODY = b"not really a leaf"
DIGEST = hashlib.sha256(BODY).digest()
MANY = 10**9


@pytest.fixture
def store(settings: Settings) -> S3Store:
    made = S3Store(settings)
    made.create_bucket()
    return made


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(retries=False) as pool:
        yield pool


def put(http: urllib3.PoolManager, signed: PresignedPut, body: bytes, **changed: str) -> int:
    return http.request("PUT", signed.url, body=body, headers={**signed.headers, **changed}).status


def signed(store: S3Store, *, size: int = len(BODY), sha256: bytes | None = DIGEST, seconds: int = 60) -> PresignedPut:
    return store.presign_put(upload_key(uuid.uuid4(), 1), size=size, sha256=sha256, seconds=seconds)


def test_what_was_put_can_be_read_and_listed(store: S3Store) -> None:
    job = uuid.uuid4()
    store.put(upload_key(job, 1), io.BytesIO(BODY), size=len(BODY), sha256=DIGEST)
    assert store.get(upload_key(job, 1), max_bytes=MANY) == BODY
    (found,) = store.list_objects(upload_prefix(job))
    assert (found.key, found.size) == (upload_key(job, 1), len(BODY))
    assert found.etag == hashlib.md5(BODY).hexdigest()  # noqa: S324  # what S3 says of a single PUT


def test_a_missing_object_is_permanent_and_a_large_one_is_not_read(store: S3Store) -> None:
    with pytest.raises(ObjectMissing):
        store.get("uploads/nobody", max_bytes=MANY)
    store.put("large", io.BytesIO(BODY), size=len(BODY))
    with pytest.raises(ObjectTooLarge, match=str(len(BODY))):
        store.get("large", max_bytes=len(BODY) - 1)


def test_a_presigned_url_takes_the_promised_bytes(store: S3Store, http: urllib3.PoolManager) -> None:
    url = signed(store)
    assert put(http, url, BODY) == 200


def test_a_presigned_url_refuses_other_bytes_another_length_and_another_checksum(
    store: S3Store, http: urllib3.PoolManager
) -> None:
    other = BODY[::-1]
    assert put(http, signed(store), other) in {400, 403}
    assert put(http, signed(store), BODY + b"!", **{"content-length": str(len(BODY) + 1)}) == 403
    claimed = {"x-amz-checksum-sha256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
    assert put(http, signed(store), BODY, **claimed) == 403


def test_a_presigned_url_writes_nothing_else(store: S3Store, http: urllib3.PoolManager) -> None:
    url = signed(store)
    elsewhere = PresignedPut(url.url.replace("/uploads/", "/elsewhere/"), url.headers, url.expires_at)
    assert put(http, elsewhere, BODY) == 403
    assert http.request("GET", url.url).status == 403
    assert http.request("DELETE", url.url).status == 403


def test_deleting_takes_many_and_forgives_those_that_are_gone(store: S3Store) -> None:
    job = uuid.uuid4()
    for seq in range(5):
        store.put(upload_key(job, seq), io.BytesIO(b"x"), size=1)
    store.delete([*(upload_key(job, seq) for seq in range(5)), upload_key(job, 99)])
    assert list(store.list_objects(upload_prefix(job))) == []


def test_a_listing_goes_over_page_borders(store: S3Store) -> None:
    job = uuid.uuid4()
    for seq in range(1005):
        store.put(upload_key(job, seq), io.BytesIO(b"x"), size=1)
    keys = [found.key for found in store.list_objects(upload_prefix(job))]
    assert keys == [upload_key(job, seq) for seq in range(1005)]


def test_a_store_that_is_away_is_an_outage_and_no_missing_object() -> None:
    with LocalServers.temporary(services=("objects",)) as servers:
        away = {name.removeprefix("PHYTOBATCH_").lower(): value for name, value in servers.environment.items()}
        store = S3Store(Settings(database_url="postgresql://x/x", redis_url="redis://x", **away))  # type: ignore[arg-type]
        store.create_bucket()
        store.check()
        servers.objects.kill()
        for use in (store.check, lambda: store.get("x", max_bytes=1), lambda: list(store.list_objects(""))):
            with pytest.raises(StoreUnavailable):
                use()


def test_a_wrong_access_key_or_a_bucket_that_is_gone_fails_no_image(settings: Settings) -> None:
    for wrong in ({"s3_secret_access_key": SecretStr("wrong")}, {"s3_bucket": "not-made"}):
        store = S3Store(settings.model_copy(update=wrong))
        for use in (lambda s=store: s.get("x", max_bytes=1), lambda s=store: list(s.list_objects("")), store.check):
            with pytest.raises(StoreUnavailable):
                use()


def test_a_bucket_of_somebody_else_that_is_not_there_is_theirs_to_mend(store: S3Store) -> None:
    with pytest.raises(ObjectMissing):
        list(store.list_objects("", bucket="somebody-elses"))
    with pytest.raises(ObjectMissing):
        store.get("x", bucket="somebody-elses", max_bytes=1)


def test_an_object_of_any_size_is_written_piece_by_piece(store: S3Store, http: urllib3.PoolManager) -> None:
    piece = bytes(range(256)) * 4096  # a megabyte
    for pieces in (1, 9, 17):
        key = f"exports/{uuid.uuid4()}/1"
        with store.writing(key, media_type="text/csv") as out:
            for _ in range(pieces):
                out.write(piece)
        assert out.size == pieces * len(piece)
        assert store.get(key, max_bytes=MANY) == piece * pieces
        signed_get = store.presign_get(
            key, seconds=60, disposition='attachment; filename="a b.csv"', media_type="text/csv"
        )
        answer = http.request("GET", signed_get.url, headers={"Range": "bytes=10-19"})
        assert (answer.status, answer.data) == (206, piece[10:20])
        assert answer.headers["Content-Disposition"] == 'attachment; filename="a b.csv"'


def write_and_fail(out: ObjectWriter) -> None:
    out.write(b"x" * (9 << 20))
    raise TypeError


def test_nothing_is_left_of_an_object_that_was_not_written_to_its_end(store: S3Store) -> None:
    prefix = f"exports/{uuid.uuid4()}/"
    with pytest.raises(TypeError), store.writing(f"{prefix}1", media_type="text/csv") as out:
        write_and_fail(out)
    assert list(store.list_objects(prefix)) == []


def test_discard_removes_what_a_killed_writer_left_behind(store: S3Store) -> None:
    prefix = f"exports/{uuid.uuid4()}/"
    with store.writing(f"{prefix}done", media_type="text/csv") as out:
        out.write(b"whole")
    dead = Multipart(store._client, store._bucket, f"{prefix}dead", "text/csv")
    dead.write(b"x" * (9 << 20))
    store.discard(prefix)
    assert list(store.list_objects(prefix)) == []
    with pytest.raises((ObjectMissing, StoreUnavailable)):
        dead.complete()
