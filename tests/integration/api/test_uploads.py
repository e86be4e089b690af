"""Bytes: to presigned URLs, and through the API."""

import hashlib
import secrets
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from shared.db.session import Database
from shared.storage.keys import upload_key, upload_prefix
from shared.storage.s3 import S3Store
from tests.integration.conftest import Api, MakeSettings, Serve, assert_problem, insert_key, insert_tenant
from tests.patience import PATIENCE_SECONDS

BYTES = b"not really a photograph"
SHA256 = hashlib.sha256(BYTES).hexdigest()


def presigned(api: Api, **image: Any) -> dict[str, Any]:  # noqa: ANN401  # fields of an image
    job_id = api.new_job()
    answer = api.post(f"/v1/jobs/{job_id}/images", {"images": [{"name": "a.jpg", "size": len(BYTES), **image}]})
    return {"job_id": job_id, **answer.json()["images"][0]["upload"]}


def put(api: Api, upload: dict[str, Any], body: bytes, **headers: str) -> int:
    sent = {**upload["headers"], **headers}
    return int(api.pool.request(upload["method"], upload["url"], body=body, headers=sent, retries=False).status)


@pytest.mark.parametrize("image", [{}, {"sha256": SHA256}])
def test_the_bytes_that_were_announced_are_taken(api: Api, store: S3Store, image: dict[str, str]) -> None:
    upload = presigned(api, **image)
    assert upload["method"] == "PUT"
    assert put(api, upload, BYTES) == 200
    assert store.get(upload_key(upload["job_id"], 1), max_bytes=100) == BYTES


def test_a_renewed_url_takes_the_bytes_again(api: Api, store: S3Store) -> None:
    first = presigned(api, sha256=SHA256)
    page = {"images": [{"name": "a.jpg", "size": len(BYTES), "sha256": SHA256}]}
    renewed = api.post(f"/v1/jobs/{first['job_id']}/images", page).json()["images"][0]
    assert renewed["seq"] == 1
    assert put(api, renewed["upload"], BYTES) == 200
    assert store.get(upload_key(first["job_id"], 1), max_bytes=100) == BYTES


def test_other_bytes_of_the_same_length_are_refused_by_the_store(api: Api, store: S3Store) -> None:
    upload = presigned(api, sha256=SHA256)
    assert put(api, upload, BYTES[::-1]) >= 400
    assert list(store.list_objects(upload_prefix(upload["job_id"]))) == []


def test_another_length_than_announced_is_refused_by_the_store(api: Api, store: S3Store) -> None:
    upload = presigned(api)
    assert put(api, upload, BYTES + b"!", **{"content-length": str(len(BYTES) + 1)}) == 403
    assert list(store.list_objects(upload_prefix(upload["job_id"]))) == []


def test_the_checksum_cannot_be_left_out(api: Api, store: S3Store) -> None:
    upload = presigned(api, sha256=SHA256)
    upload["headers"].pop("x-amz-checksum-sha256")
    assert put(api, upload, BYTES) == 403
    assert list(store.list_objects(upload_prefix(upload["job_id"]))) == []


def parts(*files: tuple[str, bytes], **fields: str) -> list[tuple[str, Any]]:
    return [*(("files", file) for file in files), *fields.items()]


def upload(api: Api, *files: tuple[str, bytes], key: str | None = None, **fields: str) -> Any:  # noqa: ANN401  # urllib3's
    headers = {} if key is None else {"Idempotency-Key": key}
    return api.post("/v1/jobs/upload", fields=parts(*files, **fields), headers=headers)


def test_a_small_set_is_created_uploaded_and_committed_in_one_call(
    api: Api, store: S3Store, database: Database
) -> None:
    large = secrets.token_bytes(9 * 1024 * 1024)  # Does not fit into memory's share: goes over the disk.
    answer = upload(
        api,
        ("field/DJI_1.JPG", BYTES), ("süß.jpg", large), ("empty.jpg", b""),
        name="North", external_id="x-1", priority="interactive", classifier="leaf-test@1",
    )  # fmt: skip
    job = answer.json()
    assert (answer.status, job["state"], job["counts"]["total"]) == (202, "validating", 3)
    assert answer.headers["Location"] == job["links"]["self"]
    assert (job["name"], job["external_id"], job["priority"]) == ("North", "x-1", "interactive")
    assert job["classifier"] == {"name": "leaf-test", "version": "1"}
    with database.begin() as session:
        rows = session.execute(
            text("SELECT name, size, sha256 FROM images WHERE job_id = :job ORDER BY seq"), {"job": job["id"]}
        ).all()
    assert [(row.name, row.size) for row in rows] == [
        ("field/DJI_1.JPG", len(BYTES)), ("süß.jpg", len(large)), ("empty.jpg", 0),
    ]  # fmt: skip
    assert bytes(rows[1].sha256) == hashlib.sha256(large).digest()
    assert store.get(upload_key(job["id"], 1), max_bytes=100) == BYTES
    assert store.get(upload_key(job["id"], 2), max_bytes=len(large)) == large


def test_a_repeated_upload_makes_one_job(api: Api) -> None:
    first = upload(api, ("a.jpg", BYTES), key="u")
    again = upload(api, ("a.jpg", BYTES), key="u")
    assert (again.status, again.json()) == (202, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(api.get("/v1/jobs").json()["jobs"]) == 1
    for other in (("a.jpg", BYTES + b"!"), ("b.jpg", BYTES)):
        assert_problem(upload(api, other, key="u"), 422, "idempotency-key-reused")
    assert_problem(upload(api, ("a.jpg", BYTES), key="u", name="other"), 422, "idempotency-key-reused")


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [("name", "no files")],
        [("files", "without a file name")],
        [("file", ("a.jpg", b"x"))],
        [("files", ("a.jpg", b"x")), ("files", ("a.jpg", b"y"))],
        [("files", ("", b"x"))],
        [("files", ("x" * 513, b"x"))],
        [("files", ("a.jpg", b"x")), ("unknown", "1")],
        [("files", ("a.jpg", b"x")), ("name", "1"), ("name", "2")],
        [("files", ("a.jpg", b"x")), ("name", "n\0")],
        [("files", ("a.jpg", b"x")), ("priority", "urgent")],
        [("files", ("a.jpg", b"x")), ("classifier", "A B")],
    ],
)
def test_an_upload_that_does_not_fit_is_refused(api: Api, fields: list[tuple[str, Any]]) -> None:
    assert_problem(api.post("/v1/jobs/upload", fields=fields), 422, "invalid-request")
    assert api.get("/v1/jobs").json()["jobs"] == []


def test_an_upload_for_an_unknown_classifier_is_refused(api: Api) -> None:
    assert_problem(upload(api, ("a.jpg", b"x"), classifier="nobody"), 422, "unknown-classifier")


@pytest.mark.parametrize("path", ["/v1/jobs/upload", "/predict"])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"no such boundary here"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
        ),
        (
            "multipart/form-data; boundary=x",
            (
                b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nwhole\r\n'
                b'--x\r\nContent-Disposition: form-data; name="files"; filename="b"\r\n\r\nhalf'
            ),
        ),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--x--\r\n"),
    ],
)
def test_a_body_that_is_no_multipart_is_refused(api: Api, path: str, content_type: str, body: bytes) -> None:
    answer = api.request("POST", path, body=body, headers={"Content-Type": content_type})
    assert_problem(answer, 422, "invalid-request")


def test_a_nul_in_a_file_name_is_left_out(api: Api, database: Database) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a\0b.jpg"\r\n\r\nbytes\r\n--x--\r\n'
    answer = api.request(
        "POST", "/v1/jobs/upload", body=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status == 202
    with database.begin() as session:
        name = session.execute(text("SELECT name FROM images WHERE job_id = :j"), {"j": answer.json()["id"]})
        assert name.scalar_one() == "ab.jpg"


DOTNET = "filename=\"=?utf-8?B?WsO8cmljaC5qcGc=?=\"; filename*=utf-8''Z%C3%BCrich.jpg"


def dotnet(field: str) -> dict[str, Any]:
    """A request as .NET's HttpClient makes it, for urllib3."""
    head = f"--x\r\nContent-Disposition: form-data; name={field}; {DOTNET}\r\nContent-Type: image/jpeg\r\n\r\n"
    return {
        "body": head.encode() + BYTES + b"\r\n--x--\r\n",
        "headers": {"Content-Type": 'multipart/form-data; boundary="x"'},
    }


def test_a_file_as_dotnet_sends_it_keeps_its_name(api: Api, database: Database) -> None:
    job_id = api.request("POST", "/v1/jobs/upload", **dotnet("files")).json()["id"]
    with database.begin() as session:
        names = session.execute(text("SELECT name FROM images WHERE job_id = :j"), {"j": job_id})
        assert names.scalar_one() == "Zürich.jpg"


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(api: Api) -> None:
    form = "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000"
    half = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n' + b"x" * 1000
    host = urlsplit(api.base)
    for path in ("/v1/jobs/upload", "/predict"):
        with socket.create_connection((host.hostname, host.port), timeout=PATIENCE_SECONDS) as line:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {api.key}\r\n{form}\r\n\r\n"
            line.sendall(head.encode() + half)
    assert upload(api, ("whole.jpg", BYTES)).status == 202
    assert len(api.get("/v1/jobs").json()["jobs"]) == 1


def test_limits_of_an_upload_are_named(make_settings: MakeSettings, serve_api: Serve) -> None:
    settings = make_settings(max_multipart_files=2, max_image_bytes=200_000, max_multipart_bytes=300_000)
    database = Database(settings, pool_size=1)
    key = insert_key(database, insert_tenant(database))
    with serve_api(settings) as served:
        api = served.with_key(key)
        problem = assert_problem(upload(api, *((f"{n}", b"x") for n in range(3))), 422, "limit-exceeded")
        assert problem["setting"] == "PHYTOBATCH_MAX_MULTIPART_FILES"
        big = b"x" * 200_001
        for answer in (upload(api, ("big", big)), api.post("/predict", fields={"file": ("big", big)})):
            assert assert_problem(answer, 413, "body-too-large")["setting"] == "PHYTOBATCH_MAX_IMAGE_BYTES"
        half = b"x" * 190_000
        problem = assert_problem(upload(api, ("1", half), ("2", half)), 413, "body-too-large")
        assert problem["setting"] == "PHYTOBATCH_MAX_MULTIPART_BYTES"
        assert upload(api, ("1", half), ("2", b"x")).status == 202
        assert len(api.get("/v1/jobs").json()["jobs"]) == 1
    database.dispose()


def test_when_the_store_takes_nothing_nothing_is_left_of_an_upload(
    make_settings: MakeSettings, serve_api: Serve
) -> None:
    settings = make_settings(s3_bucket="no-such-bucket")
    database = Database(settings, pool_size=1)
    key = insert_key(database, insert_tenant(database))
    with serve_api(settings) as served:
        api = served.with_key(key)
        for answer in (
            upload(api, ("1", BYTES), ("2", BYTES), key="same"),
            api.post("/predict", fields={"file": ("a.jpg", BYTES)}, headers={"Idempotency-Key": "other"}),
        ):
            assert_problem(answer, 503, "object-store-unavailable")
            assert int(answer.headers["Retry-After"]) >= 1
        assert api.get("/v1/jobs").json()["jobs"] == []
    with database.begin() as session:
        purges = session.execute(text("SELECT count(*) FROM chunks WHERE kind = 'purge' AND state = 'ready'"))
        assert purges.scalar_one() == 2
        assert session.execute(text("SELECT count(*) FROM idempotency_keys")).scalar_one() == 0
    database.dispose()
