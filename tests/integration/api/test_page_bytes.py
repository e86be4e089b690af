"""What goes out is bounded, too: pages, summaries, reports and problems, whatever is stored and sent."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from shared.db.models import Job
from shared.db.session import Database
from shared.exports import sheet
from shared.exports.sheet import plan
from shared.jobs.results import ResultFilter
from shared.settings import Settings
from tests.integration.api.conftest import Hands, tiled
from tests.integration.conftest import Api, MakeSettings, assert_problem

PAGE_BYTES = 64 * 1024
IMAGES = 25
# As an installation of before has them: 4 kB in the request, 158 kB as PostgreSQL writes it.
STORED_BEFORE = json.dumps({"readings": [1e308] * 510, "code": 123456789012345678})


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(max_page_bytes=PAGE_BYTES)


@pytest.fixture
def job_id(api: Api, hands: Hands) -> str:
    """Each of its images has as much metadata as it may."""
    made = api.new_job()
    images = [{"name": f"{n}.jpg", "size": 4, "metadata": {"n": n, "note": "x" * 4000}} for n in range(IMAGES)]
    answer = api.post(f"/v1/jobs/{made}/images", {"images": images})
    assert answer.status == 200, answer.data
    api.commit(made)
    hands.run(made)
    return made


def read_all(api: Api, path: str, what: str, *, limit: int = 1000) -> tuple[list[dict[str, Any]], list[int]]:
    """Every row by the cursor, and the bytes of each page."""
    rows: list[dict[str, Any]] = []
    sizes: list[int] = []
    after = ""
    while True:
        answer = api.get(f"{path}?limit={limit}{after}")
        assert answer.status == 200, answer.data
        page = json.loads(answer.data)
        assert len(page[what]) <= limit
        rows += page[what]
        sizes.append(len(answer.data))
        if not page["has_more"]:
            return rows, sizes
        assert page[what]
        after = f"&after={page['after']}"


def test_a_page_of_results_ends_with_the_row_that_fills_it(api: Api, job_id: str) -> None:
    rows, sizes = read_all(api, f"/v1/jobs/{job_id}/results", "results")
    assert sorted(row["metadata"]["n"] for row in rows) == list(range(IMAGES))
    assert len(sizes) > 1
    assert max(sizes) < PAGE_BYTES + 6000
    assert min(sizes[:-1]) > PAGE_BYTES * 3 // 4


def test_sums_of_tiles_have_their_weight(api: Api, hands: Hands) -> None:
    labels = {f"{'disease' * 7}-{number}": number for number in range(200)}
    made = api.new_job()
    api.add(made, *(f"{n}.jpg" for n in range(IMAGES)))
    api.commit(made)
    hands.run(made, lambda seq: replace(tiled(seq), tile_sums={"labels": labels, "review": {}, "skipped": {}}))
    rows, sizes = read_all(api, f"/v1/jobs/{made}/results", "results")
    assert [row["tiles"]["labels"] for row in rows] == [labels] * IMAGES
    assert len(sizes) > 1
    assert max(sizes) < PAGE_BYTES + 15_000


def test_a_page_that_is_not_full_has_the_rows_that_were_asked_for(api: Api, job_id: str) -> None:
    rows, sizes = read_all(api, f"/v1/jobs/{job_id}/results", "results", limit=5)
    assert len(rows) == IMAGES
    assert len(sizes) == IMAGES / 5


def test_an_export_holds_no_more_rows_than_fit_into_memory(
    job_id: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.begin() as session:
        planned = plan(session, session.get_one(Job, job_id), ResultFilter(), metadata_columns=4)
    assert 4000 < planned.widest < 8000
    monkeypatch.setattr(sheet, "PAGE_BYTES", planned.widest * 10)
    assert [len(page) for page in planned.pages(database)] == [10, 10, 5]
    monkeypatch.setattr(sheet, "PAGE_BYTES", 1)
    assert [len(page) for page in planned.pages(database)] == [1] * IMAGES


def test_what_was_stored_before_stays_readable_and_comes_back_short(api: Api, job_id: str, database: Database) -> None:
    with database.begin() as session:
        session.execute(
            text("UPDATE images SET metadata = :old WHERE job_id = :job"), {"old": STORED_BEFORE, "job": job_id}
        )
    rows, sizes = read_all(api, f"/v1/jobs/{job_id}/results", "results")
    assert [row["metadata"] for row in rows] == [json.loads(STORED_BEFORE)] * IMAGES
    assert max(sizes) < PAGE_BYTES
    for name in ("csv", "ndjson", "parquet"):
        answer = api.get(f"/v1/jobs/{job_id}/export?format={name}")
        assert answer.status == 200
        assert len(answer.data) < IMAGES * 6000


@pytest.mark.parametrize("metadata", [{"a": [1e308] * 14}, {"a": [1e-300] * 14}, {"a": {"b": [5e-324] * 14}}])
def test_metadata_is_measured_as_it_is_stored(api: Api, metadata: dict[str, Any]) -> None:
    image = {"name": "a.jpg", "size": 4, "metadata": metadata}
    answer = api.post(f"/v1/jobs/{api.new_job()}/images", {"images": [image]})
    problem = assert_problem(answer, 422, "invalid-request")
    assert "4096 bytes" in problem["detail"]


def test_a_page_of_jobs_ends_with_the_job_that_fills_it(api: Api) -> None:
    made = [api.new_job(metadata={"note": "x" * 16_000}) for _ in range(9)]
    rows, sizes = read_all(api, "/v1/jobs", "jobs")
    assert [row["id"] for row in rows] == made[::-1]
    assert len(sizes) > 1
    assert max(sizes) < PAGE_BYTES + 20_000


def test_keys_of_several_sidecars_are_one_metadata(api: Api) -> None:
    job_id = api.new_job()
    api.add(job_id, "a.jpg")
    for column, status in (("one", 200), ("two", 422)):
        table = f"filename,{column}\na.jpg,{'x' * 3000}\n".encode()
        answer = api.request("PUT", f"/v1/jobs/{job_id}/sidecar", body=table, headers={"Content-Type": "text/csv"})
        assert answer.status == status, answer.data
    assert "line 2" in assert_problem(answer, 422, "sidecar-invalid")["detail"]


def test_a_summary_of_long_values_is_refused_before_they_are_read(api: Api, job_id: str, database: Database) -> None:
    with database.begin() as session:
        session.execute(
            text("UPDATE images SET metadata = jsonb_build_object('n', repeat(seq::text, 9000)) WHERE job_id = :job"),
            {"job": job_id},
        )
    problem = assert_problem(api.get(f"/v1/jobs/{job_id}/summary?group_by=n"), 422, "limit-exceeded")
    assert problem["setting"] == "PHYTOBATCH_MAX_SUMMARY_GROUPS"
    assert api.get(f"/v1/jobs/{job_id}/summary").status == 200


def test_a_problem_repeats_little_of_the_request(api: Api) -> None:
    long = "\x01" * 100_000
    answers = [
        api.post("/v1/jobs", {long: 1, f"{long}2": 1}),
        api.request("PUT", f"/v1/jobs/{api.new_job()}/sidecar", body=long * 3, headers={"Content-Type": "text/csv"}),
        api.request(
            "POST",
            f"/v1/jobs/{api.new_job()}/corrections",
            body="name,label\n" + "".join(f"a.jpg,{'x' * 90_000} {n}\n" for n in range(20)),
            headers={"Content-Type": "text/csv"},
        ),
    ]
    for answer in answers:
        assert answer.status == 422, answer.data[:200]
        assert len(answer.data) < 64 * 1024


def test_a_sidecar_report_repeats_little_of_the_sidecar(api: Api) -> None:
    job_id = api.new_job()
    table = "filename,row\n" + "".join(f"{n}{'x' * 100_000},1\n" for n in range(10))
    answer = api.request("PUT", f"/v1/jobs/{job_id}/sidecar", body=table, headers={"Content-Type": "text/csv"})
    assert answer.status == 200, answer.data[:200]
    assert len(answer.data) < 64 * 1024
