"""Cancel and delete, in each state."""

import pytest
from sqlalchemy import text

from shared.contracts.states import ChunkKind
from shared.db.session import Database
from tests.integration.api.conftest import Hands, rust, truncated
from tests.integration.conftest import Api, assert_problem


def test_a_draft_is_canceled_at_once(api: Api, drafted: str) -> None:
    answer = api.post(f"/v1/jobs/{drafted}/cancel")
    assert (answer.status, answer.json()["state"]) == (200, "canceled")
    assert answer.json()["counts"]["canceled"] == 5


def test_a_job_that_waits_for_validation_is_canceled_at_once(api: Api, committed: str) -> None:
    answer = api.post(f"/v1/jobs/{committed}/cancel")
    assert (answer.status, answer.json()["state"]) == (200, "canceled")


def test_a_queued_job_is_canceled_at_once(api: Api, committed: str, hands: Hands) -> None:
    hands.step(committed)
    answer = api.post(f"/v1/jobs/{committed}/cancel")
    assert (answer.status, answer.json()["state"]) == (200, "canceled")


def test_a_running_job_is_canceled_when_its_worker_confirms(api: Api, committed: str, hands: Hands) -> None:
    hands.step(committed)
    hands.step(committed)
    held = hands.claim_of(committed)
    for _ in range(2):
        answer = api.post(f"/v1/jobs/{committed}/cancel")
        assert (answer.status, answer.json()["state"]) == (202, "canceling")
    hands.finish(held, rust)
    job = api.get(f"/v1/jobs/{committed}").json()
    assert job["state"] == "canceled"
    assert (job["counts"]["succeeded"], job["counts"]["canceled"]) == (4, 1)
    assert api.post(f"/v1/jobs/{committed}/cancel").json()["state"] == "canceled"


@pytest.mark.parametrize(("classify", "state"), [(rust, "completed"), (truncated, "failed")])
def test_a_job_that_is_over_stays_as_it_is(
    api: Api, committed: str, hands: Hands, classify: object, state: str
) -> None:
    hands.run(committed, classify)  # type: ignore[arg-type]  # parametrised functions
    answer = api.post(f"/v1/jobs/{committed}/cancel")
    assert (answer.status, answer.json()["state"]) == (200, state)


def test_a_deleted_job_is_gone_for_its_tenant_and_left_to_a_worker(api: Api, drafted: str, database: Database) -> None:
    answer = api.request("DELETE", f"/v1/jobs/{drafted}")
    assert (answer.status, answer.data) == (202, b"")
    for method, path in [("GET", ""), ("GET", "/results"), ("POST", "/commit"), ("POST", "/cancel"), ("DELETE", "")]:
        assert_problem(api.request(method, f"/v1/jobs/{drafted}{path}"), 404, "not-found")
    assert api.get("/v1/jobs").json()["jobs"] == []
    with database.begin() as session:
        kinds = session.scalars(
            text("SELECT kind FROM chunks WHERE job_id = :job AND state = 'ready'"), {"job": drafted}
        )
        assert kinds.all() == [ChunkKind.PURGE]


def test_a_finished_job_can_be_deleted(api: Api, committed: str, hands: Hands) -> None:
    hands.run(committed)
    assert api.request("DELETE", f"/v1/jobs/{committed}").status == 202


def test_a_job_at_work_cannot_be_deleted(api: Api, committed: str, hands: Hands) -> None:
    assert_problem(api.request("DELETE", f"/v1/jobs/{committed}"), 409, "job-active")
    hands.step(committed)
    assert_problem(api.request("DELETE", f"/v1/jobs/{committed}"), 409, "job-active")
    hands.claim_of(committed)
    assert_problem(api.request("DELETE", f"/v1/jobs/{committed}"), 409, "job-active")
    assert api.get(f"/v1/jobs/{committed}").status == 200
