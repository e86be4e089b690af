"""Keys and scopes: who is let in, and to what."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from shared.contracts.states import Scope
from shared.db.session import Database
from tests.integration.conftest import Api, MakeKey, assert_problem

ID = "01934f6e-7a3c-7b1e-8f00-5d1c6a2b9e10"
READS = [("GET", "/v1/jobs"), ("GET", f"/v1/jobs/{ID}"), ("GET", f"/v1/jobs/{ID}/results"), ("GET", "/v1/classifiers")]
SUBMITS = [
    ("POST", "/v1/jobs"),
    ("POST", "/v1/jobs/upload"),
    ("POST", f"/v1/jobs/{ID}/images"),
    ("POST", f"/v1/jobs/{ID}/commit"),
    ("POST", f"/v1/jobs/{ID}/cancel"),
    ("DELETE", f"/v1/jobs/{ID}"),
    ("POST", "/predict"),
]


@pytest.mark.parametrize(("method", "path"), READS + SUBMITS)
def test_every_route_wants_a_key(anonymous: Api, method: str, path: str) -> None:
    answer = anonymous.request(method, path)
    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("method", "path"), SUBMITS)
def test_a_key_that_may_read_may_not_submit(anonymous: Api, make_key: MakeKey, method: str, path: str) -> None:
    assert_problem(anonymous.with_key(make_key(None, Scope.READ)).request(method, path), 403, "forbidden")


@pytest.mark.parametrize(("method", "path"), READS)
def test_a_key_that_may_submit_may_not_read(anonymous: Api, make_key: MakeKey, method: str, path: str) -> None:
    assert_problem(anonymous.with_key(make_key(None, Scope.SUBMIT)).request(method, path), 403, "forbidden")


def test_an_admin_key_may_do_both(anonymous: Api, make_key: MakeKey) -> None:
    admin = anonymous.with_key(make_key(None, Scope.ADMIN))
    assert admin.get(f"/v1/jobs/{admin.new_job()}").status == 200


def test_a_key_is_taken_as_a_bearer_token(anonymous: Api, make_key: MakeKey) -> None:
    assert anonymous.get("/v1/jobs", headers={"Authorization": f"Bearer {make_key()}"}).status == 200


@pytest.mark.parametrize("key", ["x", "pb_short_secret", f"pb_{'a' * 12}_{'A' * 43}", "pb_ü", " "])
def test_a_key_that_is_none_of_ours_is_refused(anonymous: Api, key: str) -> None:
    assert_problem(
        anonymous.get("/v1/jobs", headers={"X-API-Key": key.encode().decode("latin-1")}), 401, "unauthenticated"
    )


def test_a_key_with_the_right_first_part_and_a_wrong_secret_is_refused(anonymous: Api, make_key: MakeKey) -> None:
    key = make_key()
    wrong = key[:-1] + ("a" if key[-1] != "a" else "b")
    assert_problem(anonymous.with_key(wrong).get("/v1/jobs"), 401, "unauthenticated")


def test_an_expired_key_is_refused(anonymous: Api, make_key: MakeKey) -> None:
    key = make_key(expires_in=timedelta(seconds=-1))
    assert "expired" in assert_problem(anonymous.with_key(key).get("/v1/jobs"), 401, "unauthenticated")["detail"]


def test_a_key_that_expires_later_is_good(anonymous: Api, make_key: MakeKey) -> None:
    assert anonymous.with_key(make_key(expires_in=timedelta(hours=1))).get("/v1/jobs").status == 200


def test_a_revoked_key_is_refused(anonymous: Api, make_key: MakeKey) -> None:
    key = make_key(revoked=True)
    assert "revoked" in assert_problem(anonymous.with_key(key).get("/v1/jobs"), 401, "unauthenticated")["detail"]


def test_the_use_of_a_key_is_remembered_at_most_once_a_minute(api: Api, database: Database) -> None:
    def last_used() -> object:
        with database.begin() as session:
            return session.execute(
                text("SELECT last_used_at FROM api_keys WHERE prefix = :prefix"), {"prefix": str(api.key)[3:15]}
            ).scalar_one()

    assert last_used() is None
    api.get("/v1/jobs")
    first = last_used()
    assert first is not None
    api.get("/v1/jobs")
    assert last_used() == first
    with database.begin() as session:
        session.execute(text("UPDATE api_keys SET last_used_at = now() - interval '2 minutes'"))
    api.get("/v1/jobs")
    assert last_used() != first


def test_a_job_of_another_tenant_does_not_exist(api: Api, anonymous: Api, make_key: MakeKey) -> None:
    theirs = api.new_job()
    api.add(theirs, "a.jpg")
    other = anonymous.with_key(make_key())
    page = {"images": [{"name": "b.jpg", "size": 1}]}
    for method, path, body in [
        ("GET", "", None),
        ("GET", "/results", None),
        ("POST", "/images", page),
        ("POST", "/commit", None),
        ("POST", "/cancel", None),
        ("DELETE", "", None),
    ]:
        assert_problem(other.request(method, f"/v1/jobs/{theirs}{path}", json=body), 404, "not-found")
    assert other.get("/v1/jobs").json()["jobs"] == []
    assert api.get(f"/v1/jobs/{theirs}").json()["state"] == "draft"


@pytest.mark.parametrize("job_id", ["019a0c00-0000-7000-8000-000000000000", "nonsense", "0"])
def test_a_job_that_nobody_has_does_not_exist(api: Api, job_id: str) -> None:
    assert_problem(api.get(f"/v1/jobs/{job_id}"), 404, "not-found")
