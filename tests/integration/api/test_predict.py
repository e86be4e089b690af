"""One image, one answer."""

import http.client
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import urllib3
from sqlalchemy import text

from shared.db.session import Database
from shared.settings import Settings
from shared.storage.keys import upload_key
from shared.storage.s3 import S3Store
from tests.integration.api.conftest import Hands, rust, truncated
from tests.integration.api.test_uploads import dotnet
from tests.integration.conftest import Api, MakeSettings, Serve, assert_problem
from tests.patience import wait_for

LEAF = ("leaf.jpg", b"a leaf")


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    """Of four places to wait, a key has one: whoever did not give it back would be told to come again."""
    return make_settings(max_waiting_clients=4)


@pytest.fixture
def worker(hands: Hands) -> Iterator[None]:
    """Somebody who classifies whatever comes: "bad.jpg" is truncated, the rest is rust."""
    stopping = threading.Event()

    def is_bad(job_id: uuid.UUID, seq: int) -> bool:
        with hands.database.begin() as session:
            name = session.execute(
                text("SELECT name FROM images WHERE job_id = :job AND seq = :seq"), {"job": job_id, "seq": seq}
            )
            return bool(name.scalar_one() == "bad.jpg")

    def work() -> None:
        while not stopping.wait(0.01):
            while (held := hands.claim()) is not None:
                job_id = held.job_id
                hands.finish(held, lambda seq, job_id=job_id: truncated(seq) if is_bad(job_id, seq) else rust(seq))  # type: ignore[misc]  # a default binds the loop's value

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stopping.set()
    thread.join()


def predict(
    api: Api, file: tuple[str, bytes] = LEAF, query: str = "", key: str | None = None
) -> urllib3.BaseHTTPResponse:
    headers = {} if key is None else {"Idempotency-Key": key}
    return api.post(f"/predict{query}", fields={"file": file}, headers=headers)


@pytest.mark.usefixtures("worker")
def test_an_image_is_answered_with_its_class(api: Api, store: S3Store) -> None:
    answer = predict(api)
    found: dict[str, Any] = answer.json()
    job_id = found.pop("job_id")
    assert answer.status == 200
    assert found == {
        "predicted_class": "rust",
        "confidence": 90.0,
        "probabilities": {"healthy": 0.04, "powdery_mildew": 0.06, "rust": 0.9},
        "needs_review": False,
        "review_reason": None,
        "crop": None,
        "tiles": None,
        "tiles_map": None,
        "explanation": None,
        "links": {"job": f"/v1/jobs/{job_id}", "results": f"/v1/jobs/{job_id}/results"},
    }
    job = api.get(f"/v1/jobs/{job_id}").json()
    assert (job["state"], job["priority"], job["counts"]["total"]) == ("completed", "interactive", 1)
    assert store.get(upload_key(uuid.UUID(job_id), 1), max_bytes=10) == b"a leaf"


@pytest.mark.usefixtures("worker")
def test_a_file_as_dotnet_sends_it_keeps_its_name(api: Api, database: Database) -> None:
    job_id = api.request("POST", "/predict", **dotnet("file")).json()["job_id"]
    with database.begin() as session:
        names = session.execute(text("SELECT name FROM images WHERE job_id = :job"), {"job": job_id})
        assert names.scalar_one() == "Zürich.jpg"


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("query", ["?classifier=leaf-test", "?classifier=leaf-test@1"])
def test_a_classifier_can_be_named(api: Api, query: str) -> None:
    assert predict(api, query=query).status == 200


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?classifier=nobody", "unknown-classifier"),
        ("?classifier=leaf-test@9", "unknown-classifier"),
        ("?classifier=A", "invalid-request"),
    ],
)
def test_an_unknown_classifier_is_refused(api: Api, query: str, code: str) -> None:
    assert_problem(predict(api, query=query), 422, code)
    assert api.get("/v1/jobs").json()["jobs"] == []


@pytest.mark.usefixtures("worker")
def test_an_image_that_cannot_be_read_is_a_problem_with_its_code(api: Api) -> None:
    problem = assert_problem(predict(api, ("bad.jpg", b"half a le")), 422, "image-not-readable")
    assert problem["error_code"] == "truncated"
    assert problem["detail"] == "the file ends in the middle of the picture"


def test_an_empty_file_is_refused_without_a_job(api: Api) -> None:
    problem = assert_problem(predict(api, ("a.jpg", b"")), 422, "image-not-readable")
    assert problem["error_code"] == "empty"
    assert api.get("/v1/jobs").json()["jobs"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"file": "text"},
        {"files": LEAF},
        {"file": LEAF, "other": "field"},
        {"file": LEAF, "file2": LEAF},
        {"file": ("", b"x")},
    ],
)
def test_anything_but_one_file_is_refused(api: Api, fields: dict[str, Any]) -> None:
    answer = api.post("/predict", fields=fields)
    assert answer.status == 422
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.usefixtures("worker")
def test_the_same_request_again_gets_the_same_answer(api: Api) -> None:
    first = predict(api, key="p")
    again = predict(api, key="p")
    assert (again.status, again.json()) == (200, first.json())
    assert again.headers["Idempotent-Replayed"] == "true"
    assert_problem(predict(api, ("other.jpg", b"x"), key="p"), 422, "idempotency-key-reused")


@pytest.mark.usefixtures("worker")
def test_an_answer_gives_its_place_back(api: Api) -> None:
    assert [predict(api).status for _ in range(3)] == [200] * 3


def test_when_it_takes_too_long_the_answer_is_the_job(
    settings: Settings, api: Api, make_settings: MakeSettings, serve_api: Serve, hands: Hands
) -> None:
    impatient = make_settings(database_url=settings.database_url, predict_wait_seconds=0)
    with serve_api(impatient) as served:
        answer = predict(served.with_key(api.key), key="late")
        job = answer.json()
        assert (answer.status, job["state"], job["counts"]["pending"]) == (202, "queued", 1)
        assert answer.headers["Location"] == job["links"]["self"]
        assert int(answer.headers["Retry-After"]) >= 1
        hands.run(job["id"])
        again = predict(served.with_key(api.key), key="late")
        assert (again.status, again.json()["job_id"]) == (200, job["id"])


def test_a_canceled_prediction_is_a_conflict(api: Api, hands: Hands, database: Database) -> None:
    answers: list[urllib3.BaseHTTPResponse] = []
    waiting = threading.Thread(target=lambda: answers.append(predict(api)))
    waiting.start()
    while not (jobs := api.get("/v1/jobs?state=queued").json()["jobs"]):
        assert waiting.is_alive()
    assert api.post(f"/v1/jobs/{jobs[0]['id']}/cancel").status == 200
    waiting.join()
    assert_problem(answers[0], 409, "job-canceled")
    assert hands.claim() is None
    with database.begin() as session:
        events = session.scalars(text("SELECT type FROM events WHERE job_id = :j"), {"j": jobs[0]["id"]}).all()
    assert "job.canceled" in events


def test_when_the_client_leaves_the_job_stays(api: Api, hands: Hands) -> None:
    body, content_type = urllib3.encode_multipart_formdata({"file": LEAF})
    with closing(http.client.HTTPConnection(api.base.removeprefix("http://"))) as leaving:
        leaving.request("POST", "/predict", body, {"X-API-Key": str(api.key), "Content-Type": content_type})
        jobs = wait_for(lambda: api.get("/v1/jobs").json()["jobs"], lambda jobs: jobs and jobs[0]["state"] == "queued")
    (job,) = jobs
    assert job["state"] == "queued"
    hands.run(job["id"])
    assert api.get(f"/v1/jobs/{job['id']}").json()["state"] == "completed"
