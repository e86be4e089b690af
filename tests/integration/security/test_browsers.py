"""What browsers are told: headers, origins, hosts."""

import pytest

from api.main import create_app
from shared.errors import ConfigurationError
from tests.integration.conftest import Api, MakeSettings, Serve, assert_problem

FARM = "https://farm.example.org"


@pytest.mark.parametrize("path", ["/v1/jobs", "/healthz", "/openapi.json", "/docs", "/nowhere"])
def test_every_answer_has_the_security_headers(api: Api, path: str) -> None:
    headers = api.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_only_the_page_with_forms_may_run_scripts(api: Api) -> None:
    assert "script-src" in api.get("/docs").headers["Content-Security-Policy"]
    assert api.get("/openapi.json").headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert "script-src" not in api.get("/openapi.json").headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/v1/jobs", "/nowhere", "/docs", "/healthz"])
def test_browsers_that_came_by_tls_come_by_nothing_else(api: Api, path: str) -> None:
    by_tls = {"X-Forwarded-Proto": "https", "Host": "phytobatch.example.org:8443"}
    assert api.get(path, headers=by_tls).headers["Strict-Transport-Security"] == "max-age=31536000"
    for headers in (
        {"Host": "phytobatch.example.org"},
        {**by_tls, "X-Forwarded-Proto": "http"},
        {**by_tls, "Host": "localhost:8443"},
        {**by_tls, "Host": "api.localhost"},
    ):
        assert "Strict-Transport-Security" not in api.get(path, headers=headers).headers


def test_the_policy_of_tls_can_be_taken_back(make_settings: MakeSettings, serve_api: Serve) -> None:
    with serve_api(make_settings(hsts_seconds=0)) as api:
        answer = api.get("/healthz", headers={"X-Forwarded-Proto": "https", "Host": "phytobatch.example.org"})
        assert answer.headers["Strict-Transport-Security"] == "max-age=0"


def test_without_the_setting_no_page_of_another_origin_may_call(api: Api) -> None:
    answer = api.get("/v1/jobs", headers={"Origin": FARM})
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    asked = {"Origin": FARM, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "X-API-Key"}
    preflight = api.request("OPTIONS", "/v1/jobs", headers=asked)
    assert_problem(preflight, 405, "method-not-allowed")
    assert "Access-Control-Allow-Origin" not in preflight.headers


def test_named_origins_and_no_others_may_call(make_settings: MakeSettings, serve_api: Serve) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key,idempotency-key"}
    with serve_api(make_settings(cors_origins=f"{FARM}, http://localhost:5173")) as api:
        good = api.request("OPTIONS", "/v1/jobs", headers={**asked, "Origin": FARM})
        assert (good.status, good.headers["Access-Control-Allow-Origin"]) == (200, FARM)
        assert "Access-Control-Allow-Credentials" not in good.headers
        # Also what is refused can be read by the page, and says when to come back.
        refused = api.get("/v1/jobs", headers={"Origin": FARM})
        assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (401, FARM)
        assert "Retry-After" in refused.headers["Access-Control-Expose-Headers"]
        for stranger in (f"{FARM}.evil.example", "http://farm.example.org", "null", f"{FARM}:8443"):
            preflight = api.request("OPTIONS", "/v1/jobs", headers={**asked, "Origin": stranger})
            assert preflight.status == 400
            assert "Access-Control-Allow-Origin" not in preflight.headers
            assert "Access-Control-Allow-Origin" not in api.get("/v1/jobs", headers={"Origin": stranger}).headers


@pytest.mark.parametrize(
    "setting",
    [
        {"cors_origins": "*"},
        {"cors_origins": f"{FARM}/"},
        {"cors_origins": "farm.example.org"},
        {"cors_origins": "null"},
        {"trusted_hosts": "https://farm.example.org"},
        {"trusted_hosts": "farm.*.org"},
        {"trusted_hosts": "farm.example.org:443"},
        {"public_url": "https://farm.example.org/v1"},
    ],
)
def test_a_setting_that_makes_no_sense_stops_the_start(make_settings: MakeSettings, setting: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(setting)).upper()):
        create_app(make_settings(**setting))


def test_other_hosts_are_refused_with_a_problem(make_settings: MakeSettings, serve_api: Serve) -> None:
    with serve_api(make_settings(trusted_hosts="phytobatch.example.org,*.farm.example.org")) as api:
        for host in ("phytobatch.example.org", "phytobatch.example.org:8443", "north.farm.example.org"):
            assert api.get("/v1/jobs", headers={"Host": host}).status == 401
        for host in ("evil.example", "farm.example.org.evil.example", "127.0.0.1", ""):
            assert_problem(api.get("/v1/jobs", headers={"Host": host}), 421, "host-unknown")
        assert api.get("/healthz", headers={"Host": "10.0.0.7:8000"}).status == 200
