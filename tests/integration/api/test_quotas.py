"""What a tenant may have open at a time: who is refused, how, and that nothing is left half made."""

import io
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3
from PIL import Image

from shared.db.models import Tenant
from shared.db.session import Database
from shared.limits import quotas
from shared.limits.quotas import Usage
from tests.integration.api.conftest import Hands, truncated
from tests.integration.conftest import Api, assert_problem

SetLimits = Callable[..., None]


@pytest.fixture
def set_limits(database: Database, tenant_id: uuid.UUID) -> SetLimits:
    """Give the tenant of ``api`` limits of its own."""

    def set_them(**limits: int) -> None:
        with database.begin() as session:
            tenant = session.get_one(Tenant, tenant_id)
            for name, value in limits.items():
                setattr(tenant, name, value)

    return set_them


@pytest.fixture
def used(database: Database, tenant_id: uuid.UUID) -> Callable[[], Usage]:
    """Return a function that reads the use of the tenant of ``api``."""

    def read() -> Usage:
        with database.begin() as session:
            return quotas.usage(session, tenant_id)

    return read


def page(*names: str) -> dict[str, Any]:
    return {"images": [{"name": name, "size": 4} for name in names]}


def upload(api: Api, *names: str) -> urllib3.BaseHTTPResponse:
    return api.request("POST", "/v1/jobs/upload", fields=[("files", (name, name.encode())) for name in names])


def assert_over(answer: urllib3.BaseHTTPResponse, name: str, *, limit: int, current: int, requested: int) -> None:
    problem = assert_problem(answer, 429, "quota-exceeded")
    assert problem["quota"] == {"name": name, "limit": limit, "current": current, "requested": requested}
    assert problem["setting"] == f"PHYTOBATCH_{name.upper()}"
    assert int(answer.headers["Retry-After"]) > 0


def test_a_job_too_many_is_refused_until_another_is_over(
    api: Api, set_limits: SetLimits, used: Callable[[], Usage]
) -> None:
    set_limits(max_open_jobs=2)
    first, _ = api.new_job(), api.new_job()
    assert_over(api.post("/v1/jobs", {}), "max_open_jobs", limit=2, current=2, requested=1)
    assert used() == Usage(jobs=2, images=0)
    api.post(f"/v1/jobs/{first}/cancel")
    api.new_job()


def test_a_refused_job_gives_its_idempotency_key_back(api: Api, set_limits: SetLimits) -> None:
    set_limits(max_open_jobs=1)
    first = api.new_job()
    again = {"Idempotency-Key": "later"}
    assert api.post("/v1/jobs", {}, headers=again).status == 429
    api.request("DELETE", f"/v1/jobs/{first}")
    assert api.post("/v1/jobs", {}, headers=again).status == 201


def test_a_page_that_does_not_fit_is_not_taken_in_part(
    api: Api, set_limits: SetLimits, used: Callable[[], Usage]
) -> None:
    set_limits(max_pending_images=5)
    other, job_id = api.new_job(), api.new_job()
    api.add(other, "1", "2", "3")
    answer = api.post(f"/v1/jobs/{job_id}/images", page("a", "b", "c"))
    assert_over(answer, "max_pending_images", limit=5, current=3, requested=3)
    assert used() == Usage(jobs=2, images=3, tiles=3)
    api.add(job_id, "a", "b")


def test_a_page_that_is_sent_again_needs_no_room(api: Api, set_limits: SetLimits) -> None:
    set_limits(max_pending_images=2)
    job_id = api.new_job()
    before = api.add(job_id, "a", "b")
    set_limits(max_pending_images=1)
    assert [one["seq"] for one in api.add(job_id, "a", "b")] == [one["seq"] for one in before]


def test_what_would_not_fit_alone_is_refused_for_good(api: Api, set_limits: SetLimits) -> None:
    set_limits(max_pending_images=2)
    answer = api.post(f"/v1/jobs/{api.new_job()}/images", page("a", "b", "c"))
    problem = assert_problem(answer, 403, "quota-exceeded")
    assert problem["quota"]["limit"] == 2
    assert "Retry-After" not in answer.headers, "waiting does not help"


@pytest.mark.parametrize("limits", [{"max_open_jobs": 1}, {"max_pending_images": 1}])
def test_uploads_and_single_images_count_too(
    api: Api, set_limits: SetLimits, used: Callable[[], Usage], limits: dict[str, int]
) -> None:
    api.add(api.new_job(), "1")
    set_limits(**limits)
    assert_problem(upload(api, "a.jpg"), 429, "quota-exceeded")
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    answer = api.request("POST", "/predict", fields={"file": ("leaf.png", picture.getvalue())})
    assert_problem(answer, 429, "quota-exceeded")
    assert used() == Usage(jobs=1, images=1, tiles=1)


def test_a_retry_needs_room_for_what_it_runs_again(api: Api, set_limits: SetLimits, hands: Hands) -> None:
    job_id = api.new_job()
    api.add(job_id, "a.jpg")
    api.commit(job_id)
    hands.run(job_id, truncated)
    api.new_job()
    set_limits(max_open_jobs=1)
    assert_over(api.post(f"/v1/jobs/{job_id}/retry"), "max_open_jobs", limit=1, current=1, requested=1)
    assert api.get(f"/v1/jobs/{job_id}").json()["state"] == "failed"
    set_limits(max_open_jobs=2)
    assert api.post(f"/v1/jobs/{job_id}/retry").status == 202


def test_requests_at_once_do_not_pass_together(api: Api, set_limits: SetLimits, used: Callable[[], Usage]) -> None:
    set_limits(max_open_jobs=3, max_pending_images=10)
    with ThreadPoolExecutor(12) as pool:
        made = [answer for answer in pool.map(lambda _: api.post("/v1/jobs", {}), range(12)) if answer.status == 201]
        assert len(made) == 3
        ids = [answer.json()["id"] for answer in made] * 4
        asked = [(job_id, page(f"{n}-a", f"{n}-b")) for n, job_id in enumerate(ids)]
        taken = [a.status for a in pool.map(lambda one: api.post(f"/v1/jobs/{one[0]}/images", one[1]), asked)]
    assert (taken.count(200), taken.count(429)) == (5, 7)
    assert used() == Usage(jobs=3, images=10, tiles=10)


def test_a_tenant_without_limits_has_none(api: Api, set_limits: SetLimits) -> None:
    set_limits(max_open_jobs=0, max_pending_images=0)
    for _ in range(3):
        api.add(api.new_job(), "a", "b")
