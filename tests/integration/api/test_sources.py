"""Jobs whose images lie in a bucket of the tenant."""

import json

import pytest
from sqlalchemy import text

from shared.contracts.states import ChunkKind
from shared.db.session import Database
from shared.settings import Settings
from tests.integration.conftest import Api, MakeKey, MakeTenant, assert_problem


@pytest.fixture
def farm(anonymous: Api, make_tenant: MakeTenant, make_key: MakeKey, settings: Settings) -> Api:
    """A tenant that may import from one folder, and (by a mistake of the operator) from our upload bucket."""
    return anonymous.with_key(make_key(make_tenant(s3_sources=["s3://farm/north/", f"s3://{settings.s3_bucket}"])))


def source(bucket: str, prefix: str) -> dict[str, object]:
    return {"source": {"s3": {"bucket": bucket, "prefix": prefix}}}


def test_a_job_with_an_allowed_source_is_validated_at_once(farm: Api, database: Database) -> None:
    answer = farm.post("/v1/jobs", source("farm", "north/2026/"), headers={"Idempotency-Key": "a"})
    job = answer.json()
    assert (answer.status, job["state"]) == (202, "validating")
    assert answer.headers["Location"] == job["links"]["self"]
    assert job["classifier"] == {"name": "leaf-test", "version": "1"}
    with database.begin() as session:
        kinds = session.scalars(text("SELECT kind FROM chunks WHERE job_id = :job"), {"job": job["id"]}).all()
        stored = session.execute(text("SELECT source FROM jobs WHERE id = :job"), {"job": job["id"]}).scalar_one()
    assert kinds == [ChunkKind.VALIDATE]
    assert stored == source("farm", "north/2026/")["source"]
    again = farm.post("/v1/jobs", source("farm", "north/2026/"), headers={"Idempotency-Key": "a"})
    assert (again.status, again.json()) == (202, job)


@pytest.mark.parametrize(
    ("bucket", "prefix"),
    [("farm", ""), ("farm", "north"), ("farm", "northern/"), ("other", "north/"), ("farm", "north/../")],
)
def test_a_source_outside_of_the_list_is_refused(farm: Api, bucket: str, prefix: str) -> None:
    assert_problem(farm.post("/v1/jobs", source(bucket, prefix)), 403, "source-not-allowed")
    assert farm.get("/v1/jobs").json()["jobs"] == []


def test_the_uploads_of_others_are_never_a_source(farm: Api, settings: Settings) -> None:
    assert_problem(farm.post("/v1/jobs", source(settings.s3_bucket, "uploads/")), 403, "source-not-allowed")


def test_images_cannot_be_added_to_a_job_with_a_source(farm: Api) -> None:
    job_id = farm.post("/v1/jobs", source("farm", "north/")).json()["id"]
    page = {"images": [{"name": "a", "size": 1}]}
    assert_problem(farm.post(f"/v1/jobs/{job_id}/images", page), 409, "job-not-draft")


@pytest.mark.parametrize("prefix", ["north/\0", "north/\ud800"])
def test_a_prefix_that_is_no_text_is_refused_by_name(farm: Api, prefix: str) -> None:
    body = json.dumps(source("farm", prefix)).encode()
    answer = farm.request("POST", "/v1/jobs", body=body, headers={"Content-Type": "application/json"})
    problem = assert_problem(answer, 422, "invalid-request")
    assert "source.s3.prefix" in str(problem["errors"])
