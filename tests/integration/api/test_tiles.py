"""Photographs of many plants: what a client asks, is told on the way, and gets."""

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from sqlalchemy import text

from shared.classifiers import registry
from shared.contracts.manifest import ManifestTiling
from shared.db.session import Database
from shared.settings import Settings
from tests.integration.api.conftest import TILES, Hands, rust, tiled, truncated, undecided
from tests.integration.conftest import MANIFEST, Api, MakeKey, MakeSettings, MakeTenant, Serve, assert_problem

LEARNED = {"name": "leaf-tiles", "version": "1"}
PIXELS = {"edge": 256, "overlap": 0.25}
FORMS: dict[str, object] = {
    "auto": "auto",
    "256/0.25": PIXELS,
    "256": {"edge": 256, "overlap": 0.0},
    "80.5mm": {"edge_mm": 80.5, "overlap": 0.0},
}
JPEG = ("a.jpg", b"a photograph")


@pytest.fixture(scope="module")
def database(database: Database) -> Database:
    """With a classifier that has learned tiles; the default has not."""
    with database.begin() as session:
        learned = {"name": LEARNED["name"], "sha256": "cd" * 32, "tiling": ManifestTiling(edge=256)}
        registry.register(session, MANIFEST.model_copy(update=learned))
    return database


@pytest.fixture(autouse=True)
def _learned(database: Database) -> None:
    """In every test of this module."""


@pytest.fixture
def worker(hands: Hands, database: Database) -> Iterator[None]:
    """Somebody who answers in tiles whatever comes: of "road.jpg" no tile counts."""
    stopping = threading.Event()

    def name(job_id: uuid.UUID) -> str:
        with database.begin() as session:
            found = session.execute(text("SELECT name FROM images WHERE job_id = :job"), {"job": job_id})
            return str(found.scalar_one())

    def work() -> None:
        while not stopping.wait(0.01):
            while (held := hands.claim()) is not None:
                hands.finish(held, undecided if name(held.job_id) == "road.jpg" else tiled)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stopping.set()
    thread.join()


def new_job(api: Api, *names: str, **settings: object) -> str:
    """A committed job with tiles of 256 pixels, unless told otherwise."""
    job_id = api.new_job(**{"tiling": PIXELS, **settings})
    api.add(job_id, *(names or ("1.jpg", "2.jpg")))
    api.commit(job_id)
    return job_id


def get(api: Api, job_id: str) -> dict[str, Any]:
    return dict(api.get(f"/v1/jobs/{job_id}").json())


def predict(api: Api, query: str, name: str = "a.jpg", key: str | None = None) -> urllib3.BaseHTTPResponse:
    headers = {} if key is None else {"Idempotency-Key": key}
    return api.post(f"/predict?{query}", fields={"file": (name, b"a photograph")}, headers=headers)


# What is asked


@pytest.mark.parametrize("tiling", FORMS.values())
def test_a_job_says_how_its_photographs_are_cut(api: Api, tiling: object) -> None:
    said = {"tiling": tiling, "on_coarse": "answer", "ground_resolution_mm": 0.4}
    answer = api.post("/v1/jobs", {"classifier": LEARNED, **said})
    assert answer.status == 201, answer.data
    job = answer.json()
    assert {name: job[name] for name in said} == said
    assert get(api, job["id"])["tiling"] == tiling
    assert api.get("/v1/jobs").json()["jobs"][0]["tiling"] == tiling


@pytest.mark.parametrize(("short", "tiling"), FORMS.items())
def test_a_form_says_it_in_short(api: Api, short: str, tiling: object) -> None:
    fields = {"files": JPEG, "tiling": short, "classifier": "leaf-tiles", "ground_resolution_mm": "0.4"}
    answer = api.post("/v1/jobs/upload", fields=fields)
    assert answer.status == 202, answer.data
    job = answer.json()
    assert (job["tiling"], job["on_coarse"], job["ground_resolution_mm"]) == (tiling, "skip", 0.4)


def test_a_client_that_knows_nothing_of_tiles_gets_what_it_got(api: Api, hands: Hands) -> None:
    job_id = api.new_job()
    api.add(job_id, "1.jpg")
    committed = api.commit(job_id)
    unset: dict[str, object] = {
        "tiling": None,
        "on_coarse": "skip",
        "ground_resolution_mm": None,
        "warnings": [],
        "progress": None,
    }
    assert {name: committed[name] for name in unset} == unset
    hands.run(job_id, rust)
    assert get(api, job_id)["progress"]["work"] is None
    (result,) = api.get(f"/v1/jobs/{job_id}/results").json()["results"]
    assert (result["label"], result["tiles"], result["probabilities"]["rust"]) == ("rust", None, 0.9)


NEED = "on_coarse and ground_resolution_mm are about tiles: give `tiling`, too"
FORMS_WORDS = 'is no tiling: give "auto", {"edge": pixels, "overlap": 0 to 0.5} or {"edge_mm": millimetres'
SHORT_WORDS = "is no tiling: give `auto`, an edge in pixels as `256`, or in millimetres as `80mm`"


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ({"tiling": {"edge": 8}}, "tiling.edge", "Input should be greater than or equal to 32"),
        ({"tiling": {"edge": 256, "overlap": 0.9}}, "tiling.overlap", "Input should be less than or equal to 0.5"),
        ({"tiling": {"edge": 256, "edge_mm": 80}}, "tiling", "has both of `edge` and `edge_mm`: give one of them"),
        ({"tiling": {"overlap": 0.1}}, "tiling", "has none of `edge` and `edge_mm`: give one of them"),
        ({"tiling": "256px"}, "tiling", FORMS_WORDS),
        ({"tiling": {"edge": 256.5}}, "tiling.edge", "Input should be a valid integer"),
        ({"tiling": {"edge": 256, "padding": 3}}, "tiling.padding", "Extra inputs are not permitted"),
        ({"tiling": "auto", "on_coarse": "refuse"}, "on_coarse", "Input should be 'skip' or 'answer'"),
        ({"tiling": "auto", "ground_resolution_mm": 0}, "ground_resolution_mm", "greater than or equal to 0.0001"),
        ({"on_coarse": "answer"}, "body", NEED),
        ({"ground_resolution_mm": 0.5}, "body", NEED),
    ],
)
def test_what_is_no_tiling_is_refused_in_words(api: Api, body: dict[str, Any], field: str, sentence: str) -> None:
    problem = assert_problem(api.post("/v1/jobs", body), 422, "invalid-request")
    (error,) = problem["errors"]
    assert error["field"] == field
    assert sentence in error["message"]


@pytest.mark.parametrize(
    ("short", "sentence"),
    [
        ("8", "Input should be greater than or equal to 32"),
        ("256/0.9", "Input should be less than or equal to 0.5"),
        ("256px", SHORT_WORDS),
        ("256/80mm", SHORT_WORDS),
        ("", SHORT_WORDS),
    ],
)
def test_what_is_no_short_form_is_refused_in_words(api: Api, short: str, sentence: str) -> None:
    form = assert_problem(api.post("/v1/jobs/upload", fields={"files": JPEG, "tiling": short}), 422, "invalid-request")
    assert form["detail"].startswith("tiling")
    assert sentence in form["detail"]
    assert sentence in assert_problem(predict(api, f"tiling={short}"), 422, "invalid-request")["detail"]
    assert api.get("/v1/jobs").json()["jobs"] == []


def test_settings_of_tiles_need_tiles_everywhere(api: Api) -> None:
    form = api.post("/v1/jobs/upload", fields={"files": JPEG, "on_coarse": "answer"})
    assert NEED in assert_problem(form, 422, "invalid-request")["detail"]
    assert NEED in assert_problem(predict(api, "ground_resolution_mm=0.5"), 422, "invalid-request")["detail"]


def test_the_same_key_is_for_the_same_tiles(api: Api) -> None:
    key = {"Idempotency-Key": "flight"}
    first = api.post("/v1/jobs", {"tiling": PIXELS}, headers=key)
    again = api.post("/v1/jobs", {"tiling": PIXELS, "on_coarse": "skip"}, headers=key)
    assert again.json() == first.json()
    for other in ({}, {"tiling": {"edge": 257}}, {"tiling": PIXELS, "on_coarse": "answer"}):
        assert_problem(api.post("/v1/jobs", other, headers=key), 422, "idempotency-key-reused")


# A classifier that has learned no tiles


def test_auto_is_refused_where_the_classifier_is_named(api: Api) -> None:
    body = {"tiling": "auto", "classifier": {"name": "leaf-test"}}
    problem = assert_problem(api.post("/v1/jobs", body), 422, "classifier-without-tiling")
    assert problem["detail"].startswith("the classifier leaf-test@1 has learned no tiles")
    named = {"files": JPEG, "tiling": "auto", "classifier": "leaf-test"}
    for fields in (named, {"files": JPEG, "tiling": "auto"}):
        assert_problem(api.post("/v1/jobs/upload", fields=fields), 422, "classifier-without-tiling")
    assert_problem(predict(api, "tiling=auto"), 422, "classifier-without-tiling")
    assert api.get("/v1/jobs").json()["jobs"] == []


def test_auto_is_refused_at_the_commit_otherwise_and_the_draft_stays(api: Api, database: Database) -> None:
    job_id = api.new_job(tiling="auto")
    api.add(job_id, "1.jpg")
    assert_problem(api.post(f"/v1/jobs/{job_id}/commit"), 422, "classifier-without-tiling")
    assert get(api, job_id)["state"] == "draft"
    with database.begin() as session:
        registry.make_default(session, LEARNED["name"], LEARNED["version"])
    try:
        assert api.commit(job_id)["classifier"] == LEARNED
    finally:
        with database.begin() as session:
            registry.make_default(session, "leaf-test", "1")


def test_auto_is_refused_for_an_import_at_once(anonymous: Api, make_key: MakeKey, make_tenant: MakeTenant) -> None:
    api = anonymous.with_key(make_key(make_tenant(s3_sources=["s3://farm/"])))
    source = {"s3": {"bucket": "farm", "prefix": "2026/"}}
    answer = api.post("/v1/jobs", {"tiling": "auto", "source": source})
    assert_problem(answer, 422, "classifier-without-tiling")
    assert api.get("/v1/jobs").json()["jobs"] == []
    taken = api.post("/v1/jobs", {"tiling": "auto", "source": source, "classifier": LEARNED})
    assert (taken.status, taken.json()["tiling"]) == (202, "auto")
    assert taken.json()["progress"]["work"]["total"] is None


# On the way


def test_a_commit_says_nothing_that_nobody_knows(api: Api) -> None:
    job_id = api.new_job(tiling=PIXELS)
    assert get(api, job_id)["progress"]["work"]["total"] is None
    api.add(job_id, "1.jpg", "2.jpg")
    progress = api.commit(job_id)["progress"]
    unknown = {"unit": "tiles", "inspected": 0, "total": None, "done": 0, "per_second": None, "estimated_seconds": None}
    assert progress["work"] == unknown
    assert progress["queue_position"] is not None


def test_work_is_known_once_it_is_inspected_and_its_time_by_the_last_such_job(
    api: Api, hands: Hands, database: Database
) -> None:
    first = new_job(api, classifier=LEARNED, tiling={"edge": 64})
    hands.step(first)  # validated
    hands.step(first)  # inspected
    work = get(api, first)["progress"]["work"]
    assert (work["total"], work["done"], work["estimated_seconds"]) == (2 * len(TILES), 0, None)
    hands.run(first, tiled)
    done = get(api, first)["progress"]
    assert (done["percent"], done["work"]["done"], done["work"]["estimated_seconds"]) == (100.0, 12, None)
    with database.begin() as session:
        session.execute(
            text("UPDATE jobs SET started_at = finished_at - interval '4 seconds' WHERE id = :id"), {"id": first}
        )
    assert get(api, first)["progress"]["work"]["per_second"] == 3.0
    second = new_job(api, "1.jpg", "2.jpg", "3.jpg", classifier=LEARNED)
    assert get(api, second)["progress"]["work"]["estimated_seconds"] is None, "nobody knows how many tiles it has"
    hands.step(second)
    hands.step(second)
    assert get(api, second)["progress"]["work"]["estimated_seconds"] == 3 * len(TILES) / 3.0
    other = new_job(api)
    hands.step(other)
    hands.step(other)
    work = get(api, other)["progress"]["work"]
    assert (work["total"], work["estimated_seconds"]) == (12, None), "another classifier has another speed"


def test_a_job_that_decides_nothing_says_so(api: Api, hands: Hands) -> None:
    job_id = new_job(api)
    hands.run(job_id, undecided)
    job = get(api, job_id)
    assert (job["state"], job["counts"]["succeeded"]) == ("completed", 2)
    (warning,) = job["warnings"]
    assert warning["code"] == "nothing_decided"
    assert "none of 2 photographs could be decided" in warning["detail"]


# What comes


def test_results_have_the_sums_of_their_tiles(api: Api, hands: Hands) -> None:
    job_id = new_job(api, "1.jpg", "2.jpg")
    hands.run(job_id, lambda seq: tiled(seq) if seq == 1 else undecided(seq))
    found = {one["seq"]: one for one in api.get(f"/v1/jobs/{job_id}/results").json()["results"]}
    answered, open_ = found[1], found[2]
    assert answered["tiles"] == {
        "total": 6,
        "counted": 4,
        "labels": {"rust": 2, "healthy": 2},
        "review": {"low_confidence": 1, "not_a_leaf": 1},
        "skipped": {},
    }
    assert (answered["label"], answered["confidence"], answered["probabilities"], answered["top"]) == (
        "rust", pytest.approx(0.85, abs=1e-4), None, [],
    )  # fmt: skip
    assert (open_["status"], open_["label"], open_["label_names"], open_["confidence"]) == (
        "succeeded", None, None, None,
    )  # fmt: skip
    assert (open_["needs_review"], open_["review_reason"], open_["tiles"]["counted"]) == (True, "no_leaf", 0)
    healthy = api.get(f"/v1/jobs/{job_id}/results?label=healthy").json()["results"]
    assert healthy == [], "an undecided photograph is no healthy one"


def test_the_map_of_an_image(api: Api, hands: Hands) -> None:
    job_id = new_job(api, "1.jpg")
    path = f"/v1/jobs/{job_id}/images/1/tiles"
    assert "it has no answer yet" in assert_problem(api.get(path), 404, "no-tiles")["detail"]
    hands.run(job_id, tiled)
    answer = api.get(path)
    assert answer.status == 200, answer.data
    assert answer.json() == {
        "seq": 1,
        "name": "1.jpg",
        "width": 700,
        "height": 500,
        "edge": 256,
        "x": [0, 256, 444],
        "y": [0, 244],
        "labels": [["rust", "healthy", "rust"], ["healthy", "powdery_mildew", "healthy"]],
        "confidence": [[0.90001, 0.95, 0.8], [0.50001, 0.75, 0.99001]],
        "review": [[None, None, None], ["low_confidence", "not_a_leaf", None]],
        "skipped": [[None, None, None], [None, None, None]],
        "classifier": {"name": "leaf-test", "version": "1"},
    }
    again = api.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.data, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
    assert api.get(path, headers={"If-None-Match": '"other"'}).status == 200


def test_an_image_without_a_map_says_why(api: Api, hands: Hands, anonymous: Api, make_key: MakeKey) -> None:
    whole = api.new_job()
    api.add(whole, "1.jpg", "2.jpg")
    api.commit(whole)
    hands.run(whole, lambda seq: rust(seq) if seq == 1 else truncated(seq))
    sentences = {1: "it was answered as a whole", 2: "it has no answer, it is failed"}
    for seq, sentence in sentences.items():
        assert sentence in assert_problem(api.get(f"/v1/jobs/{whole}/images/{seq}/tiles"), 404, "no-tiles")["detail"]
    assert_problem(api.get(f"/v1/jobs/{whole}/images/3/tiles"), 404, "not-found")
    assert_problem(api.get(f"/v1/jobs/{uuid.uuid4()}/images/1/tiles"), 404, "not-found")
    stranger = anonymous.with_key(make_key())
    assert_problem(stranger.get(f"/v1/jobs/{whole}/images/1/tiles"), 404, "not-found")


@pytest.mark.usefixtures("worker")
def test_one_photograph_is_answered_with_its_map(api: Api) -> None:
    found = predict(api, "tiling=256&on_coarse=answer&ground_resolution_mm=0.5").json()
    assert (found["predicted_class"], found["probabilities"]) == ("rust", None)
    assert found["confidence"] == pytest.approx(85, abs=1e-2)
    assert (found["needs_review"], found["tiles"]["counted"]) == (False, 4)
    assert found["tiles_map"] == api.get(f"/v1/jobs/{found['job_id']}/images/1/tiles").json()
    job = get(api, found["job_id"])
    assert (job["tiling"], job["on_coarse"], job["ground_resolution_mm"]) == (FORMS["256"], "answer", 0.5)


@pytest.mark.usefixtures("worker")
def test_one_photograph_that_decides_nothing_has_no_class(api: Api) -> None:
    found = predict(api, "tiling=256", "road.jpg").json()
    assert (found["predicted_class"], found["confidence"]) == (None, None)
    assert (found["needs_review"], found["review_reason"], found["tiles"]["counted"]) == (True, "no_leaf", 0)


def test_one_photograph_that_takes_too_long_is_a_job_with_tiles(
    settings: Settings, api: Api, make_settings: MakeSettings, serve_api: Serve, hands: Hands
) -> None:
    impatient = make_settings(database_url=settings.database_url, predict_wait_seconds=0)
    with serve_api(impatient) as served:
        asking = served.with_key(api.key)
        late = predict(asking, "tiling=256", key="late")
        assert (late.status, late.json()["tiling"]) == (202, FORMS["256"])
        assert_problem(predict(asking, "tiling=128", key="late"), 422, "idempotency-key-reused")
        assert_problem(predict(asking, "", key="late"), 422, "idempotency-key-reused")
        hands.run(late.json()["id"], tiled)
        assert predict(asking, "tiling=256", key="late").json()["tiles"]["counted"] == 4


def test_the_height_of_a_camera_is_taken_with_its_image(api: Api, database: Database) -> None:
    job_id = api.new_job()
    image = {"name": "1.jpg", "size": 4, "height_above_ground": 2.5}
    assert api.post(f"/v1/jobs/{job_id}/images", {"images": [image]}).status == 200
    with database.begin() as session:
        stored = session.execute(text("SELECT height_above_ground FROM images WHERE job_id = :id"), {"id": job_id})
        assert stored.scalar_one() == 2.5
    for height in (0, -3, "2"):
        bad = api.post(f"/v1/jobs/{job_id}/images", {"images": [{**image, "height_above_ground": height}]})
        assert assert_problem(bad, 422, "invalid-request")["errors"][0]["field"] == "images.0.height_above_ground"
