"""``POST /v1/jobs/{id}/retry``: what failed runs again, in the same job."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.contracts.states import Scope
from shared.db.models import Job
from shared.db.session import Database
from shared.jobs import lifecycle
from shared.jobs.results import NewResult
from tests.integration.api.conftest import Hands, rust, truncated
from tests.integration.conftest import Api, MakeKey, assert_problem


def odd_ones_fail(seq: int) -> NewResult:
    return truncated(seq) if seq % 2 else rust(seq)


def results(api: Api, job_id: str, after: str = "0") -> tuple[list[dict[str, Any]], str]:
    page = api.get(f"/v1/jobs/{job_id}/results?after={after}").json()
    return page["results"], page["after"]


def test_only_what_failed_runs_again_and_what_stands_is_kept(api: Api, committed: str, hands: Hands) -> None:
    hands.run(committed, odd_ones_fail)
    before = api.get(f"/v1/jobs/{committed}").json()
    assert (before["state"], before["retries"]) == ("completed_with_errors", 0)
    kept, cursor = [r for r in results(api, committed)[0] if r["status"] == "succeeded"], results(api, committed)[1]

    answer = api.post(f"/v1/jobs/{committed}/retry")
    assert answer.status == 202
    assert answer.headers["Location"] == f"/v1/jobs/{committed}" == answer.json()["links"]["self"]
    retried = answer.json()
    assert (retried["state"], retried["retries"], retried["finished_at"]) == ("queued", 1, None)
    assert retried["counts"] == {
        "total": 5, "pending": 3, "succeeded": 2, "failed": 0, "rejected": 0, "canceled": 0,
    }  # fmt: skip
    assert results(api, committed)[0] == kept

    hands.run(committed)
    after = api.get(f"/v1/jobs/{committed}").json()
    assert (after["state"], after["counts"]["succeeded"], after["counts"]["failed"]) == ("completed", 5, 0)
    # A reader that goes on from its cursor gets the new answers, and those alone.
    new, _ = results(api, committed, cursor)
    assert sorted(r["seq"] for r in new) == [1, 3, 5]
    assert {r["status"] for r in new} == {"succeeded"}
    assert [r for r in results(api, committed)[0] if r["seq"] in (2, 4)] == kept


def test_of_two_retries_at_once_one_is_taken(api: Api, committed: str, hands: Hands) -> None:
    hands.run(committed, odd_ones_fail)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: api.post(f"/v1/jobs/{committed}/retry"), range(2)))
    taken, refused = sorted(answers, key=lambda answer: answer.status)
    assert (taken.status, taken.json()["retries"]) == (202, 1)
    assert_problem(refused, 409, "job-active")
    hands.run(committed)
    assert len(results(api, committed)[0]) == 5


def test_a_job_that_is_not_over_is_active(api: Api, drafted: str, hands: Hands) -> None:
    assert_problem(api.post(f"/v1/jobs/{drafted}/retry"), 409, "job-active")
    api.commit(drafted)
    hands.step(drafted)
    assert_problem(api.post(f"/v1/jobs/{drafted}/retry"), 409, "job-active")


def test_where_nothing_failed_there_is_nothing_to_retry(api: Api, committed: str, hands: Hands) -> None:
    hands.run(committed)
    assert_problem(api.post(f"/v1/jobs/{committed}/retry"), 409, "nothing-to-retry")


def test_a_canceled_job_says_what_to_do_instead(api: Api, drafted: str) -> None:
    api.post(f"/v1/jobs/{drafted}/cancel")
    problem = assert_problem(api.post(f"/v1/jobs/{drafted}/retry"), 409, "nothing-to-retry")
    assert "new job" in problem["detail"]


def test_a_job_that_failed_as_a_whole_is_validated_again(api: Api, committed: str, database: Database) -> None:
    with database.begin() as session:
        job = session.get_one(Job, uuid.UUID(committed), with_for_update=True)
        lifecycle.fail(session, job, code="source_unreadable", detail="no such bucket")
    assert api.get(f"/v1/jobs/{committed}").json()["error"]["code"] == "source_unreadable"
    job = api.post(f"/v1/jobs/{committed}/retry").json()
    assert (job["state"], job["error"], job["retries"]) == ("validating", None, 1)


@pytest.mark.parametrize("job_id", [str(uuid.UUID(int=7)), "nonsense"])
def test_a_job_that_does_not_exist_is_not_found(api: Api, job_id: str) -> None:
    assert_problem(api.post(f"/v1/jobs/{job_id}/retry"), 404, "not-found")


def test_only_its_tenant_may_retry_and_only_with_the_scope(
    api: Api, committed: str, make_key: MakeKey, tenant_id: uuid.UUID
) -> None:
    assert_problem(api.with_key(make_key()).post(f"/v1/jobs/{committed}/retry"), 404, "not-found")
    reader = make_key(tenant_id, Scope.READ)
    assert_problem(api.with_key(reader).post(f"/v1/jobs/{committed}/retry"), 403, "forbidden")
