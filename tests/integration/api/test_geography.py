"""Where images were taken: who wins, what is listed, what is refused."""

import json
from typing import Any

import pytest

from shared.contracts.geography import PositionFault
from shared.contracts.states import ImageStatus
from shared.jobs.results import NewResult
from tests.integration.api.conftest import Hands
from tests.integration.conftest import Api, assert_problem

GEO_TXT = b"EPSG:4326\n1.jpg 10.5 50.5 300 90\n2.jpg 10.6 50.6\n9.jpg 10.7 50.7\n"
TABLE = b"filename,latitude,longitude,captured_at,row,bed\n1.jpg,1.5,2.5,2026-06-03T10:30:00+02:00,7,A\n2.jpg,,,,8,A\n"


def from_file(seq: int) -> NewResult:
    """A result of an image whose file says 20, 30."""
    return NewResult(
        seq=seq,
        status=ImageStatus.SUCCEEDED,
        label="rust",
        confidence=0.9,
        probabilities=(0.04, 0.06, 0.9),
        latitude=20.0,
        longitude=30.0,
        altitude=100.0,
        heading=269.2,
    )


def without(seq: int) -> NewResult:
    """A result of an image whose file has no position."""
    return NewResult(seq=seq, status=ImageStatus.FAILED, position_fault=PositionFault.NO_FIX)


def named(api: Api, job_id: str, **place: object) -> int:
    return api.post(f"/v1/jobs/{job_id}/images", {"images": [{"name": "1.jpg", "size": 4, **place}]}).status


def send(api: Api, job_id: str, data: bytes, query: str = "") -> dict[str, Any]:
    answer = api.request("PUT", f"/v1/jobs/{job_id}/sidecar{query}", body=data, headers={"Content-Type": "text/csv"})
    assert answer.status == 200, answer.data
    return dict(answer.json())


def places(api: Api, job_id: str, query: str = "") -> list[dict[str, Any]]:
    return [r["place"] for r in api.get(f"/v1/jobs/{job_id}/results{query}").json()["results"]]


def test_the_client_s_word_wins_and_the_file_fills_what_it_left_open(api: Api, hands: Hands) -> None:
    job_id = api.new_job()
    assert named(api, job_id, latitude=1.25, longitude=2.5, captured_at="2026-06-03T10:30:00+02:00") == 200
    api.commit(job_id)
    hands.run(job_id, from_file)
    assert places(api, job_id) == [
        {
            "latitude": 1.25,
            "longitude": 2.5,
            "altitude": 100.0,
            "heading": 269.2,
            "captured_at": "2026-06-03T08:30:00Z",
            "source": "client",
            "fault": None,
        }
    ]


@pytest.mark.parametrize(
    "place",
    [
        {"latitude": 1},
        {"longitude": 1},
        {"latitude": 91, "longitude": 1},
        {"heading": 361},
        {"captured_at": "2026-06-03T10:30:00"},
    ],
)
def test_half_a_position_or_a_time_without_a_zone_is_refused(api: Api, place: dict[str, object]) -> None:
    job_id = api.new_job()
    answer = api.post(f"/v1/jobs/{job_id}/images", {"images": [{"name": "1.jpg", "size": 4, **place}]})
    problem = assert_problem(answer, 422, "invalid-request")
    if place.keys() <= {"latitude", "longitude"} and len(place) == 1:
        assert "must come together" in json.dumps(problem)


def test_images_without_a_position_are_listed_with_the_reason(api: Api, hands: Hands) -> None:
    job_id = api.new_job()
    api.add(job_id, "1.jpg", "2.jpg", "3.jpg")
    api.commit(job_id)
    hands.run(job_id, lambda seq: without(seq) if seq == 2 else from_file(seq))
    assert [p["fault"] for p in places(api, job_id, "?place=missing")] == ["no_fix"]
    assert [p["source"] for p in places(api, job_id, "?place=known")] == ["file", "file"]
    assert_problem(api.get(f"/v1/jobs/{job_id}/results?place=here"), 422, "invalid-request")


def test_a_rejected_image_was_not_read(api: Api, hands: Hands) -> None:
    job_id = api.new_job()
    api.add(job_id, "1.jpg")
    api.commit(job_id)
    hands.run(job_id, lambda seq: NewResult(seq=seq, status=ImageStatus.FAILED))
    assert [p["fault"] for p in places(api, job_id)] == ["not_read"]


def test_a_sidecar_says_what_matched_and_what_did_not(api: Api) -> None:
    job_id = api.new_job()
    api.add(job_id, "1.jpg", "2.jpg", "3.jpg")
    assert send(api, job_id, GEO_TXT) == {
        "lines": 3,
        "matched": 2,
        "unmatched": [{"line": 4, "name": "9.jpg", "reason": "no image has this name"}],
        "images": 3,
        "images_without_position": 1,
        "without_position": ["3.jpg"],
    }


def test_a_sidecar_comes_before_the_file_and_behind_the_client(api: Api, hands: Hands) -> None:
    job_id = api.new_job()
    assert named(api, job_id, latitude=1.0, longitude=2.0, metadata={"row": "mine"}) == 200
    api.add(job_id, "2.jpg", "3.jpg")
    send(api, job_id, GEO_TXT)
    send(api, job_id, TABLE)
    send(api, job_id, GEO_TXT)
    api.commit(job_id)
    hands.run(job_id, from_file)
    results = api.get(f"/v1/jobs/{job_id}/results").json()["results"]
    seen = [
        (r["place"]["latitude"], r["place"]["source"], r["metadata"]) for r in sorted(results, key=lambda r: r["seq"])
    ]
    assert seen == [
        (1.0, "client", {"row": "mine", "bed": "A"}),
        (50.6, "sidecar", {"row": "8", "bed": "A"}),
        (20.0, "file", {}),
    ]
    first = next(r["place"] for r in results if r["seq"] == 1)
    assert (first["altitude"], first["heading"], first["captured_at"]) == (300.0, 90.0, "2026-06-03T08:30:00Z")


def test_a_sidecar_of_a_folder_speaks_of_that_folder(api: Api) -> None:
    job_id = api.new_job()
    api.add(job_id, "east/1.jpg", "west/1.jpg")
    assert send(api, job_id, b"name,row\n1.jpg,7\n")["matched"] == 0
    assert send(api, job_id, b"EPSG:4326\n1.jpg 1 2\n", "?folder=east/")["without_position"] == ["west/1.jpg"]


def test_a_sidecar_that_cannot_be_read_says_where(api: Api) -> None:
    job_id = api.new_job()
    answer = api.request("PUT", f"/v1/jobs/{job_id}/sidecar", body=b"EPSG:32631\nx 1 2\n")
    problem = assert_problem(answer, 422, "sidecar-invalid")
    assert "only EPSG:4326 is read" in problem["detail"]


def test_a_sidecar_comes_too_late_for_a_committed_job(api: Api, committed: str) -> None:
    assert_problem(api.request("PUT", f"/v1/jobs/{committed}/sidecar", body=GEO_TXT), 409, "job-not-draft")


def test_a_multipart_upload_may_contain_its_sidecars(api: Api, hands: Hands) -> None:
    files = [("files", ("1.jpg", b"one")), ("files", ("2.jpg", b"two")), ("files", ("geo.txt", GEO_TXT))]
    answer = api.request("POST", "/v1/jobs/upload", fields=[*files, ("files", ("images.csv", TABLE))])
    assert answer.status == 202, answer.data
    job = answer.json()
    assert job["counts"]["total"] == 2
    hands.run(job["id"], from_file)
    assert [p["source"] for p in places(api, job["id"])] == ["sidecar", "sidecar"]
    # The later of two that name a position counts: images.csv for the first image.
    assert {p["latitude"] for p in places(api, job["id"])} == {1.5, 50.6}


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([("geo.txt", GEO_TXT)], "there are no images"),
        ([("1.jpg", b"one"), ("geo.txt", b"EPSG:32631\n")], "only EPSG:4326"),
    ],
)
def test_a_multipart_upload_with_a_bad_sidecar_makes_no_job(
    api: Api, files: list[tuple[str, bytes]], sentence: str
) -> None:
    before = len(api.get("/v1/jobs").json()["jobs"])
    answer = api.request("POST", "/v1/jobs/upload", fields=[("files", file) for file in files])
    assert answer.status == 422
    assert sentence in answer.json()["detail"]
    assert len(api.get("/v1/jobs").json()["jobs"]) == before


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_that_could_never_be_read_is_refused_and_nothing_is_stored(api: Api, moment: str) -> None:
    job_id = api.new_job()
    image = {"name": "a.jpg", "size": 10, "captured_at": moment}
    answer = api.post(f"/v1/jobs/{job_id}/images", {"images": [image]})
    problem = assert_problem(answer, 422, "invalid-request")
    assert [error["field"] for error in problem["errors"]] == ["images.0.captured_at"]
    assert api.get(f"/v1/jobs/{job_id}").json()["counts"]["total"] == 0
    api.add(job_id, "a.jpg")
    table = f"filename,captured_at\na.jpg,{moment}\n".encode()
    answer = api.request("PUT", f"/v1/jobs/{job_id}/sidecar", body=table, headers={"Content-Type": "text/csv"})
    assert "line 2" in assert_problem(answer, 422, "sidecar-invalid")["detail"]


def test_the_smallest_headings_and_the_first_and_last_moments_are_read_again(api: Api, hands: Hands) -> None:
    job_id = api.new_job()
    first = {"name": "1.jpg", "size": 4, "heading": 1e-50, "captured_at": "0001-01-01T14:00:00+14:00"}
    last = {"name": "2.jpg", "size": 4, "altitude": -1.7e308, "captured_at": "9999-12-31T09:59:59.999999-14:00"}
    answer = api.post(f"/v1/jobs/{job_id}/images", {"images": [first, last, {"name": "3.jpg", "size": 4}]})
    assert answer.status == 200, answer.data
    send(api, job_id, b"filename,heading,captured_at\n3.jpg,1e-50,0001-01-01T14:00:00+14:00\n")
    api.commit(job_id)
    hands.run(job_id)
    read = places(api, job_id)
    assert [place["heading"] for place in read] == [0.0, None, 0.0]
    assert [place["captured_at"] for place in read] == [
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00Z",
    ]
    for path in ("summary", "export?format=csv", "export?format=geojson", "export?format=parquet"):
        assert api.get(f"/v1/jobs/{job_id}/{path}").status == 200, path
