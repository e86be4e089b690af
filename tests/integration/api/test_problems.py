"""Errors have one shape everywhere, and every answer its request id."""

import pytest

from shared.contracts.states import Scope
from tests.integration.conftest import Api, MakeKey, assert_problem


@pytest.mark.parametrize("path", ["/", "/v2/jobs", "/v1/jobs/", "/v1/jobs/x/y/z", "/v1/classifiers/leaf", "/%00"])
def test_an_unknown_address_is_a_problem(api: Api, path: str) -> None:
    assert_problem(api.get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PUT", "/v1/jobs", {"GET", "POST"}), ("GET", "/predict", {"POST"}), ("POST", "/healthz", {"GET"})],
)
def test_a_wrong_method_is_a_problem_that_names_the_right_ones(
    api: Api, method: str, path: str, allowed: set[str]
) -> None:
    answer = api.request(method, path)
    assert_problem(answer, 405, "method-not-allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed


def test_a_request_id_is_kept(api: Api) -> None:
    for path in ("/v1/jobs", "/nope", "/healthz"):
        assert api.get(path, headers={"X-Request-Id": "my-id.1_2"}).headers["X-Request-Id"] == "my-id.1_2"


@pytest.mark.parametrize("given", ["", "has space", "x" * 129, "a;b", "ü"])
def test_a_request_id_that_could_do_harm_is_replaced(api: Api, given: str) -> None:
    kept = api.get("/healthz", headers={"X-Request-Id": given}).headers["X-Request-Id"]
    assert kept != given
    assert len(kept) == 16


def test_each_request_has_its_own_id(api: Api) -> None:
    assert len({api.get("/healthz").headers["X-Request-Id"] for _ in range(3)}) == 3


def test_answers_are_kept_by_nobody_and_guessed_by_nobody(api: Api) -> None:
    headers = api.get("/v1/jobs").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "private" in api.get(f"/v1/jobs/{api.new_job()}").headers["Cache-Control"]


def test_many_faults_are_told_in_part(api: Api) -> None:
    page = {"images": [{"size": 1}] * 1000}
    problem = assert_problem(api.post(f"/v1/jobs/{api.new_job()}/images", page), 422, "invalid-request")
    assert len(problem["errors"]) == 50
    assert "999 more" in problem["detail"]


def test_the_page_of_documentation_is_there(anonymous: Api) -> None:
    assert anonymous.get("/docs").status == 200
    assert anonymous.get("/openapi.json").json()["openapi"].startswith("3.1")


@pytest.mark.parametrize(
    ("path", "allowed"), [("/v1/jobs/upload", "POST"), ("/v1/webhooks/job-secret", "GET, POST"), ("/predict", "POST")]
)
def test_an_address_of_its_own_is_no_id(anonymous: Api, make_key: MakeKey, path: str, allowed: str) -> None:
    """`GET /v1/jobs/upload` asks for no job that is called so, also where another route would match it."""
    admin = anonymous.with_key(make_key(None, Scope.ADMIN))
    for method in {"GET", "PUT", "PATCH", "DELETE", "OPTIONS"} - set(allowed.split(", ")):
        answer = admin.request(method, path)
        assert_problem(answer, 405, "method-not-allowed")
        assert answer.headers["Allow"] == allowed
