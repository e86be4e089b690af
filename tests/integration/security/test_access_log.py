"""The access log: refused requests too, with the first part of the key, and never the rest."""

import uuid
from typing import Any

import pytest
import structlog

from shared.access import keys
from shared.contracts.states import Scope
from shared.db.session import Database
from tests.integration.conftest import Api, MakeKey, MakeSettings, Serve, insert_key, insert_tenant


def request_line(api: Api, method: str = "GET", path: str = "/v1/jobs") -> dict[str, Any]:
    with structlog.testing.capture_logs() as lines:
        api.request(method, path)
    (line,) = (dict(line) for line in lines if line["event"] == "request")
    return line


def test_a_successful_request_names_key_tenant_and_client(api: Api, tenant_id: uuid.UUID) -> None:
    line = request_line(api)
    assert (line["status"], line["key"], line["tenant_id"]) == (200, str(api.key)[3:15], str(tenant_id))
    assert line["client"] == "127.0.0.1"


def test_refused_requests_name_the_key_that_was_sent(anonymous: Api, make_key: MakeKey) -> None:
    unknown, revoked, reader = keys.generate().text, make_key(revoked=True), make_key(None, Scope.READ)
    for key, method, path, status in [
        (unknown, "GET", "/v1/jobs", 401),
        (revoked, "GET", "/v1/jobs", 401),
        (reader, "POST", "/v1/jobs", 403),
        (reader, "GET", f"/v1/jobs/{uuid.uuid4()}", 404),
    ]:
        line = request_line(anonymous.with_key(key), method, path)
        assert (line["status"], line["key"]) == (status, key[3:15])
        assert key[16:] not in str(line)


@pytest.mark.parametrize("sent", [None, "hunter2"])
def test_what_is_no_key_is_not_logged(anonymous: Api, sent: str | None) -> None:
    line = request_line(anonymous.with_key(sent))
    assert (line["status"], line["key"]) == (401, None)
    assert "hunter2" not in str(line)


def test_a_request_too_many_names_its_key(make_settings: MakeSettings, serve_api: Serve) -> None:
    settings = make_settings(requests_per_minute=1)
    database = Database(settings)
    key = insert_key(database, insert_tenant(database))
    database.dispose()
    with serve_api(settings) as served:
        lines = [request_line(served.with_key(key)) for _ in range(2)]
    assert [(line["status"], line["key"]) for line in lines] == [(200, key[3:15]), (429, key[3:15])]
