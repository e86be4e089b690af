"""From nothing to a committed job."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from shared.db.session import Database
from tests.integration.conftest import Api, MakeSettings, Serve, assert_problem, insert_key, insert_tenant

NOTHING_YET = {
    "percent": 0.0,
    "images_per_second": None,
    "estimated_end": None,
    "queue_position": None,
    "paused": False,
    "work": None,
}


def test_a_new_job_is_a_draft_with_everything_that_was_said_of_it(api: Api) -> None:
    said = {
        "name": "Feld Nord, Reihe 3 🌿",
        "external_id": "fms-17",
        "metadata": {"crop": "pumpkin", "rows": [1, 2]},
        "priority": "interactive",
        "classifier": {"name": "leaf-test", "version": "1"},
    }
    answer = api.post("/v1/jobs", said)
    job = answer.json()
    assert answer.status == 201
    assert answer.headers["Location"] == f"/v1/jobs/{job['id']}" == job["links"]["self"]
    assert {name: job[name] for name in said} == said
    assert job["state"] == "draft"
    assert set(job["counts"].values()) == {0}
    assert job["created_at"].endswith("Z")
    assert job["expires_at"] > job["created_at"]
    # How far it is, is said to who looks.
    assert api.get(f"/v1/jobs/{job['id']}").json() == {**job, "progress": NOTHING_YET}


@pytest.mark.parametrize(
    "body",
    [
        {"nmae": "misspelled"},
        {"name": ""},
        {"name": "x" * 513},
        {"name": "nul\0"},
        {"external_id": "\0"},
        {"metadata": {"a": "\0"}},
        {"metadata": {"\0": 1}},
        {"metadata": {"long": "x" * 17_000}},
        {"metadata": []},
        {"priority": "urgent"},
        {"classifier": {"name": "UPPER"}},
        {"classifier": {}},
        {"source": {}},
        {"source": {"s3": {"bucket": "b" * 64}}},
        {"source": {"s3": {"bucket": "farm", "prefix": "\0"}}},
        [],
        "text",
        None,
    ],
)
def test_a_job_that_does_not_fit_is_refused_with_the_field(api: Api, body: object) -> None:
    answer = api.request(
        "POST", "/v1/jobs", body=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    problem = assert_problem(answer, 422, "invalid-request")
    assert all(error["field"] and error["message"] for error in problem["errors"])
    assert problem["errors"]


@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff\xfe", b'{"metadata": {"a": NaN}}', b'{"metadata": {"a": 1e999}}', b'{"name": "\\ud800"}',
     b'{"metadata": {"a": "\\ud800"}}', b'{"metadata": {"a": ' + b"9" * 5000 + b"}}", b""],
)  # fmt: skip
def test_bytes_that_are_no_json_of_ours_are_refused(api: Api, body: bytes) -> None:
    answer = api.request("POST", "/v1/jobs", body=body, headers={"Content-Type": "application/json"})
    assert_problem(answer, 422, "invalid-request")


def test_an_unknown_classifier_is_refused_at_once(api: Api) -> None:
    for wanted in ({"name": "nobody"}, {"name": "leaf-test", "version": "9"}):
        assert_problem(api.post("/v1/jobs", {"classifier": wanted}), 422, "unknown-classifier")


def test_images_get_numbers_in_the_order_asked(api: Api) -> None:
    job_id = api.new_job()
    assert [(i["seq"], i["name"]) for i in api.add(job_id, "b.jpg", "a.jpg")] == [(1, "b.jpg"), (2, "a.jpg")]
    assert [(i["seq"], i["name"]) for i in api.add(job_id, "c.jpg", "a.jpg")] == [(3, "c.jpg"), (2, "a.jpg")]
    assert api.get(f"/v1/jobs/{job_id}").json()["counts"]["total"] == 3


def test_the_same_page_again_changes_nothing(api: Api, drafted: str) -> None:
    names = [f"{number}.jpg" for number in range(1, 6)]
    assert [image["seq"] for image in api.add(drafted, *names)] == [1, 2, 3, 4, 5]
    assert api.get(f"/v1/jobs/{drafted}").json()["counts"]["total"] == 5


def test_the_same_name_for_another_file_is_a_conflict(api: Api) -> None:
    job_id = api.new_job()
    api.add(job_id, "a.jpg", size=4)
    page = {"images": [{"name": "new.jpg", "size": 1}, {"name": "a.jpg", "size": 5}]}
    assert_problem(api.post(f"/v1/jobs/{job_id}/images", page), 409, "image-name-taken")
    assert api.get(f"/v1/jobs/{job_id}").json()["counts"]["total"] == 1
    twice = {"images": [{"name": "b.jpg", "size": 1}, {"name": "b.jpg", "size": 2}]}
    assert_problem(api.post(f"/v1/jobs/{job_id}/images", twice), 409, "image-name-taken")


@pytest.mark.parametrize(
    "image",
    [
        {"size": 1},
        {"name": "a.jpg"},
        {"name": "", "size": 1},
        {"name": "n\0", "size": 1},
        {"name": "x" * 513, "size": 1},
        {"name": "a.jpg", "size": -1},
        {"name": "a.jpg", "size": 1.5},
        {"name": "a.jpg", "size": 10**20},
        {"name": "a.jpg", "size": 1, "sha256": "abc"},
        {"name": "a.jpg", "size": 1, "sha256": "g" * 64},
        {"name": "a.jpg", "size": 1, "latitude": 90.1},
        {"name": "a.jpg", "size": 1, "longitude": -180.1},
        {"name": "a.jpg", "size": 1, "altitude": "high"},
        {"name": "a.jpg", "size": "1"},
        {"name": "a.jpg", "size": True},
        {"name": "a.jpg", "size": 1, "heading": True},
        {"name": "a.jpg", "size": 1, "altitude": "7"},
        {"name": "a.jpg", "size": 1, "captured_at": 0},
        {"name": "a.jpg", "size": 1, "captured_at": "1780000000"},
        {"name": "a.jpg", "size": 1, "metadata": {"a": "x" * 5000}},
        {"name": "a.jpg", "size": 1, "unknown": 1},
    ],
)
def test_an_image_that_does_not_fit_is_refused_with_its_place(api: Api, image: dict[str, object]) -> None:
    page = {"images": [{"name": "good.jpg", "size": 1}, image]}
    job_id = api.new_job()
    problem = assert_problem(api.post(f"/v1/jobs/{job_id}/images", page), 422, "invalid-request")
    assert problem["errors"][0]["field"].startswith("images.1")
    assert api.get(f"/v1/jobs/{job_id}").json()["counts"]["total"] == 0


@pytest.mark.parametrize("count", [0, 1001])
def test_a_page_has_one_to_a_thousand_images(api: Api, count: int) -> None:
    page = {"images": [{"name": f"{n}.jpg", "size": 1} for n in range(count)]}
    assert_problem(api.post(f"/v1/jobs/{api.new_job()}/images", page), 422, "invalid-request")


def test_a_full_page_and_an_empty_file_are_taken(api: Api) -> None:
    job_id = api.new_job()
    images = api.add(job_id, *(f"{n}.jpg" for n in range(1000)), size=0)
    assert [image["seq"] for image in images] == list(range(1, 1001))


def test_everything_said_of_an_image_is_stored(api: Api, database: Database) -> None:
    job_id = api.new_job()
    said = {
        "name": "süß.jpg",
        "size": 7,
        "sha256": "AB" * 32,
        "metadata": {"row": 3},
        "latitude": 47.99,
        "longitude": 7.84,
        "altitude": 280.5,
    }
    assert api.post(f"/v1/jobs/{job_id}/images", {"images": [said]}).status == 200
    with database.begin() as session:
        row = session.execute(text("SELECT * FROM images WHERE job_id = :job"), {"job": job_id}).one()
    stored = (row.name, row.size, bytes(row.sha256), row.metadata, row.latitude, row.longitude, row.altitude)
    assert stored == ("süß.jpg", 7, b"\xab" * 32, {"row": 3}, 47.99, 7.84, 280.5)


def test_limits_of_the_operator_are_named(make_settings: MakeSettings, serve_api: Serve) -> None:
    settings = make_settings(
        max_images_per_job=2, max_image_bytes=10, max_page_size=3, max_json_bytes=1024, draft_hours=1
    )
    database = Database(settings, pool_size=1)
    key = insert_key(database, insert_tenant(database))
    database.dispose()
    with serve_api(settings) as served:
        api = served.with_key(key)
        job_id = api.new_job()
        url = f"/v1/jobs/{job_id}/images"
        for images, setting in [
            ([{"name": "a", "size": 11}], "PHYTOBATCH_MAX_IMAGE_BYTES"),
            ([{"name": str(n), "size": 1} for n in range(3)], "PHYTOBATCH_MAX_IMAGES_PER_JOB"),
            ([{"name": str(n), "size": 1} for n in range(4)], "PHYTOBATCH_MAX_PAGE_SIZE"),
        ]:
            problem = assert_problem(api.post(url, {"images": images}), 422, "limit-exceeded")
            assert problem["setting"] == setting
        assert assert_problem(api.get("/v1/jobs?limit=4"), 422, "limit-exceeded")["setting"]
        api.add(job_id, "a", "b", size=10)
        long = {"metadata": {"a": "x" * 1100}}
        problem = assert_problem(api.post("/v1/jobs", long), 413, "body-too-large")
        assert problem["setting"] == "PHYTOBATCH_MAX_JSON_BYTES"
        chunks = iter([b'{"metadata": {"a": "', b"x" * 2000, b'"}}'])
        streamed = api.request("POST", "/v1/jobs", body=chunks, headers={"Content-Type": "application/json"})
        assert_problem(streamed, 413, "body-too-large")


def test_a_commit_pins_the_classifier_and_begins_to_validate(api: Api, drafted: str) -> None:
    assert api.get(f"/v1/jobs/{drafted}").json()["classifier"] is None
    job = api.commit(drafted)
    assert job["state"] == "validating"
    assert job["classifier"] == {"name": "leaf-test", "version": "1"}
    assert job["committed_at"]
    assert job["expires_at"] is None


def test_a_repeated_commit_is_harmless(api: Api, committed: str, database: Database) -> None:
    assert api.commit(committed)["state"] == "validating"
    with database.begin() as session:
        chunks = session.execute(text("SELECT count(*) FROM chunks WHERE job_id = :job"), {"job": committed})
        assert chunks.scalar_one() == 1


def test_many_commits_at_once_make_one_chunk(api: Api, drafted: str, database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.post(f"/v1/jobs/{drafted}/commit").status, range(8)))
    assert answers == [202] * 8
    with database.begin() as session:
        chunks = session.execute(text("SELECT count(*) FROM chunks WHERE job_id = :job"), {"job": drafted})
        assert chunks.scalar_one() == 1


def test_a_draft_without_images_cannot_be_committed(api: Api) -> None:
    job_id = api.new_job()
    assert_problem(api.post(f"/v1/jobs/{job_id}/commit"), 409, "job-empty")
    assert api.get(f"/v1/jobs/{job_id}").json()["state"] == "draft"


def test_after_the_commit_no_images_are_taken(api: Api, committed: str) -> None:
    page = {"images": [{"name": "late.jpg", "size": 1}]}
    assert_problem(api.post(f"/v1/jobs/{committed}/images", page), 409, "job-not-draft")


def test_a_canceled_draft_cannot_be_committed(api: Api, drafted: str) -> None:
    api.post(f"/v1/jobs/{drafted}/cancel")
    assert_problem(api.post(f"/v1/jobs/{drafted}/commit"), 409, "job-not-draft")


def test_without_any_classifier_a_commit_is_told_to_come_again(api: Api, drafted: str, database: Database) -> None:
    with database.begin() as session:
        session.execute(text("UPDATE classifiers SET is_default = false"))
    try:
        answer = api.post(f"/v1/jobs/{drafted}/commit")
    finally:
        with database.begin() as session:
            session.execute(text("UPDATE classifiers SET is_default = true WHERE name = 'leaf-test'"))
    assert_problem(answer, 503, "temporarily-unavailable")
    assert int(answer.headers["Retry-After"]) >= 1
    assert api.get(f"/v1/jobs/{drafted}").json()["state"] == "draft"


def test_a_commit_that_the_database_refuses_is_never_acknowledged(api: Api, drafted: str, database: Database) -> None:
    """A deferred constraint fails in COMMIT itself, after every statement of the route."""
    with database.begin() as session:
        session.execute(
            text(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '23514'; END $$"
            )
        )
        session.execute(
            text(
                "CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE OF state ON jobs DEFERRABLE INITIALLY DEFERRED "
                "FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        )
    try:
        answer = api.post(f"/v1/jobs/{drafted}/commit")
    finally:
        with database.begin() as session:
            session.execute(text("DROP FUNCTION refuse() CASCADE"))
    problem = assert_problem(answer, 500, "internal-error")
    assert "refused" not in json.dumps(problem)
    assert api.get(f"/v1/jobs/{drafted}").json()["state"] == "draft"
