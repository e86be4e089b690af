"""Exports that are sent while they are read, over real HTTP from a real database."""

import csv
import io
import json
import socket
import uuid
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from shared.contracts.exports import ExportFormat
from shared.db.session import Database
from shared.storage.s3 import S3Store
from tests.integration.api.conftest import Hands, rust, truncated
from tests.integration.conftest import Api, MakeKey, MakeSettings, Serve, assert_problem, insert_key, insert_tenant
from tests.patience import PATIENCE_SECONDS, wait_for

NASTY = ("=1+1.jpg", "line\nbreak.jpg", "🌿/שלום.jpg", 'a,b;c".jpg', "plain.jpg")


@pytest.fixture
def flight(api: Api, hands: Hands) -> str:
    """Five images with nasty names, metadata and positions; the second failed, the fifth has no position."""
    job_id = api.new_job(name='North/field: "é" 🌿')
    images: list[dict[str, Any]] = [
        {"name": name, "size": 4, "metadata": {"row": number, "bay": f"B{number}"}}
        for number, name in enumerate(NASTY, start=1)
    ]
    for number, image in enumerate(images[:4], start=1):
        image |= {"latitude": 47.99 + number / 1000, "longitude": -7.84 - number / 1000}
    answer = api.post(f"/v1/jobs/{job_id}/images", {"images": images})
    assert answer.status == 200, answer.data
    api.commit(job_id)
    hands.run(job_id, lambda seq: truncated(seq) if seq == 2 else rust(seq))
    return job_id


def placed(api: Api, hands: Hands, *places: tuple[float, float]) -> str:
    """A job of images at these places (latitude, longitude), classified."""
    job_id = api.new_job()
    images = [
        {"name": f"f{number}.jpg", "size": 10, "latitude": latitude, "longitude": longitude}
        for number, (latitude, longitude) in enumerate(places)
    ]
    assert api.post(f"/v1/jobs/{job_id}/images", {"images": images}).status == 200
    api.commit(job_id)
    hands.run(job_id, rust)
    return job_id


def test_a_box_over_the_180th_meridian_is_the_small_one(api: Api, hands: Hands) -> None:
    job_id = placed(api, hands, (-16.8, 179.9998), (-16.8, -179.9998), (-16.8001, 179.99995))
    collection = api.get(f"/v1/jobs/{job_id}/export?format=geojson").json()
    assert collection["bbox"] == [179.9998, -16.8001, -179.9998, -16.8]
    squares = api.get(f"/v1/jobs/{job_id}/grid?edge=100").json()["features"]
    assert [square["geometry"]["type"] for square in squares] == ["MultiPolygon"]
    (west,), (east,) = squares[0]["geometry"]["coordinates"]
    assert (min(west)[0], max(west)[0], min(east)[0]) == (179.9998, 180, -180)


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_csv_has_every_image_with_its_answer_place_and_metadata(api: Api, flight: str) -> None:
    answer = api.get(f"/v1/jobs/{flight}/export")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert (answer.headers["X-Phytobatch-Rows"], answer.headers["X-Phytobatch-Pending"]) == ("5", "0")
    assert answer.headers["X-Phytobatch-Job-State"] == "completed_with_errors"
    rows = rows_of(answer.data)
    assert [row["name"] for row in rows] == ["'=1+1.jpg", *NASTY[1:]]
    assert [row["status"] for row in rows] == ["succeeded", "failed", "succeeded", "succeeded", "succeeded"]
    assert (rows[0]["p_rust"], rows[0]["classifier"], rows[0]["classifier_version"]) == ("0.9", "leaf-test", "1")
    assert (rows[1]["error_code"], rows[1]["label"]) == ("truncated", "")
    assert (rows[0]["latitude"], rows[0]["longitude"], rows[0]["position_source"]) == ("47.991", "-7.841", "client")
    assert rows[4]["latitude"] == ""
    assert rows[4]["position_fault"]
    assert [row["meta_row"] for row in rows] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("name", list(ExportFormat))
def test_every_format_is_sent_under_a_safe_name(api: Api, flight: str, name: ExportFormat) -> None:
    answer = api.get(f"/v1/jobs/{flight}/export?format={name}")
    assert answer.status == 200, answer.data
    assert answer.data
    disposition = answer.headers["Content-Disposition"]
    assert disposition.isascii()
    assert f'filename="North field e {flight[-8:]}' in disposition
    assert "filename*=UTF-8''North%20field%20%C3%A9%20%F0%9F%8C%BF%20" in disposition


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/geo+json", "application/geo+json"),
        ("text/html, application/x-ndjson;q=0.9, */*;q=0.1", "application/x-ndjson"),
        ("application/vnd.google-earth.kml+xml", "application/vnd.google-earth.kml+xml"),
        ("*/*", "text/csv; charset=utf-8"),
        ("application/json;q=0.5, text/csv;q=0.4", "text/csv; charset=utf-8"),
    ],
)
def test_the_header_accept_chooses(api: Api, flight: str, accept: str, media_type: str) -> None:
    answer = api.get(f"/v1/jobs/{flight}/export", headers={"Accept": accept})
    assert (answer.status, answer.headers["Content-Type"]) == (200, media_type)
    assert answer.headers["Vary"] == "Accept"


def test_what_is_no_format_is_406_with_the_list(api: Api, flight: str) -> None:
    problem = assert_problem(
        api.get(f"/v1/jobs/{flight}/export", headers={"Accept": "application/json"}), 406, "not-acceptable"
    )
    assert all(name in problem["detail"] for name in ExportFormat)
    assert_problem(api.get(f"/v1/jobs/{flight}/export?format=xlsx"), 422, "invalid-request")


def test_filters_choose_images_in_the_file_too(api: Api, flight: str) -> None:
    failed = api.get(f"/v1/jobs/{flight}/export?format=ndjson&status=failed").data.splitlines()
    assert [json.loads(line)["name"] for line in failed] == [NASTY[1]]
    assert api.get(f"/v1/jobs/{flight}/export?format=ndjson&label=healthy").data == b""


def test_a_job_that_runs_gives_what_it_has_and_says_how_many_are_to_come(
    api: Api, hands: Hands, committed: str
) -> None:
    hands.step(committed)
    hands.step(committed)
    answer = api.get(f"/v1/jobs/{committed}/export?format=ndjson")
    assert (answer.headers["X-Phytobatch-Rows"], answer.headers["X-Phytobatch-Pending"]) == ("2", "3")
    assert answer.headers["X-Phytobatch-Job-State"] == "running"
    assert len(answer.data.splitlines()) == 2


def test_another_tenants_job_does_not_exist(anonymous: Api, make_key: MakeKey, flight: str) -> None:
    other = anonymous.with_key(make_key())
    assert_problem(other.get(f"/v1/jobs/{flight}/export"), 404, "not-found")
    assert_problem(other.get(f"/v1/jobs/{flight}/images/1/file"), 404, "not-found")
    assert_problem(other.post(f"/v1/jobs/{flight}/exports", {"format": "csv"}), 404, "not-found")


def test_an_export_that_is_too_large_says_what_to_do(make_settings: MakeSettings, serve_api: Serve) -> None:
    settings = make_settings(max_direct_export_rows=3)
    database = Database(settings)
    with serve_api(settings) as running:
        api = running.with_key(insert_key(database, insert_tenant(database)))
        job_id = api.new_job()
        api.add(job_id, *(f"{n}.jpg" for n in range(4)))
        api.commit(job_id)
        Hands(database).run(job_id)
        problem = assert_problem(api.get(f"/v1/jobs/{job_id}/export"), 422, "limit-exceeded")
    database.dispose()
    assert problem["setting"] == "PHYTOBATCH_MAX_DIRECT_EXPORT_ROWS"
    assert f"/v1/jobs/{job_id}/exports" in problem["detail"]


def many_results(database: Database, job_id: str, count: int) -> None:
    """Fill a draft with images and answers, as a large job has them."""
    with database.begin() as session:
        session.execute(
            text(
                "INSERT INTO images (job_id, seq, name, size, object_key) "
                "SELECT :job, n, 'flight/' || n || repeat('x', 300) || '.jpg', 1, 'none' FROM generate_series(1, :n) n"
            ),
            {"job": job_id, "n": count},
        )
        session.execute(
            text(
                "INSERT INTO results (job_id, seq, position, status, label, confidence, probabilities) "
                "SELECT :job, n, n, 'succeeded', 'rust', 0.9, '{0.04,0.06,0.9}' FROM generate_series(1, :n) n"
            ),
            {"job": job_id, "n": count},
        )
        session.execute(
            text("UPDATE jobs SET total = :n, succeeded = :n, last_position = :n WHERE id = :job"),
            {"job": job_id, "n": count},
        )


def test_a_reader_that_stops_reading_holds_no_connection(api: Api, database: Database) -> None:
    job_id = api.new_job()
    many_results(database, job_id, 20_000)
    address = urlsplit(api.base)
    with socket.create_connection((str(address.hostname), address.port or 80), timeout=PATIENCE_SECONDS) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = f"GET /v1/jobs/{job_id}/export?format=ndjson HTTP/1.1\r\nHost: x\r\nX-API-Key: {api.key}\r\n\r\n"
        slow.sendall(request.encode())
        assert slow.recv(100).startswith(b"HTTP/1.1 200")
        wait_for(lambda: _open_transactions(database), lambda held: held == 0)
        assert api.get(f"/v1/jobs/{job_id}").status == 200


def _open_transactions(database: Database) -> int:
    with database.begin() as session:
        return int(
            session.execute(
                text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND pid <> pg_backend_pid() AND state <> 'idle' AND application_name = 'phytobatch-api' "
                    "AND query LIKE '%FROM results%'"
                )
            ).scalar_one()
        )


def test_a_job_that_is_deleted_meanwhile_breaks_the_answer_off(api: Api, database: Database) -> None:
    job_id = api.new_job()
    many_results(database, job_id, 20_000)
    address = urlsplit(api.base)
    with socket.create_connection((str(address.hostname), address.port or 80), timeout=PATIENCE_SECONDS) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        request = f"GET /v1/jobs/{job_id}/export?format=ndjson HTTP/1.1\r\nHost: x\r\nX-API-Key: {api.key}\r\n\r\n"
        slow.sendall(request.encode())
        begun = slow.recv(100)
        with database.begin() as session:
            session.execute(text("DELETE FROM results WHERE job_id = :job AND seq > 15000"), {"job": job_id})
        received = begun
        while block := slow.recv(1 << 20):
            received += block
    assert b"flight/2x" in received
    assert not received.endswith(b"0\r\n\r\n"), "a chunked body that is broken off has no last chunk"


def test_the_original_of_an_image_is_a_redirect_that_needs_no_key(api: Api, store: S3Store) -> None:
    store.create_bucket()
    job_id = api.new_job()
    (image,) = api.add(job_id, "folder/DJI 1.JPG")
    upload = image["upload"]
    assert api.pool.request("PUT", upload["url"], body=b"leaf", headers=upload["headers"]).status == 200
    answer = api.get(f"/v1/jobs/{job_id}/images/{image['seq']}/file", redirect=False)
    assert answer.status == 307
    file = api.pool.request("GET", answer.headers["Location"])
    assert (file.status, file.data, file.headers["Content-Type"]) == (200, b"leaf", "image/jpeg")
    assert 'filename="DJI 1.JPG"' in file.headers["Content-Disposition"]
    assert_problem(api.get(f"/v1/jobs/{job_id}/images/99/file"), 404, "not-found")
    assert_problem(api.get(f"/v1/jobs/{uuid.uuid4()}/images/1/file"), 404, "not-found")
