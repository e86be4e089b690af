"""Every list and every id, across tenants: what the OpenAPI document names is what is tried."""

import hashlib
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from api.main import create_app
from shared.contracts.states import Scope
from shared.db.session import Database
from shared.settings import Settings
from tests.integration.api.conftest import Hands
from tests.integration.conftest import Api, MakeKey, assert_problem
from tests.integration.corrections.maps import in_tiles

BODIES = {"text/csv": b"name,label\n1.jpg,rust\n", "text/plain": b"EPSG:4326\n1.jpg 0.5 41.5\n"}
GLOBAL = {"/v1/classifiers", "/v1/models"}  # Classifiers belong to the operator, and every tenant may ask for each.
# A use of a key is remembered, and a rate is counted elsewhere; everything else stays as it is.
TOUCHED = {"api_keys"}


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str
    described: dict[str, Any]

    @property
    def has_id(self) -> bool:
        return "_id}" in self.path


def operations(settings: Settings) -> Iterator[Operation]:
    for path, methods in create_app(settings).openapi()["paths"].items():
        for method, described in methods.items():
            yield Operation(method.upper(), path, described)


@dataclass(frozen=True, slots=True)
class Owned:
    """What a tenant has one of each."""

    ids: dict[str, str]

    def at(self, path: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: self.ids[found[1]], path)


@pytest.fixture
def owner(api: Api, make_key: MakeKey, tenant_id: uuid.UUID) -> Api:
    return api.with_key(make_key(tenant_id, Scope.ADMIN))


@pytest.fixture
def stranger(anonymous: Api, make_key: MakeKey) -> Api:
    return anonymous.with_key(make_key(None, Scope.ADMIN))


@pytest.fixture
def owned(owner: Api, hands: Hands) -> Owned:
    endpoint = owner.post("/v1/webhooks", {"url": "https://farm.example.org/hooks"}).json()["id"]
    gone = owner.new_job(name="gone")
    removed = owner.request("DELETE", f"/v1/jobs/{gone}").headers["Location"]
    job = owner.new_job(name="theirs")
    owner.add(job, "1.jpg", "2.jpg")
    owner.commit(job)
    hands.run(job, in_tiles)
    export = owner.post(f"/v1/jobs/{job}/exports", {"format": "csv"}).json()["id"]
    assert owner.request("PUT", f"/v1/jobs/{job}/images/1/correction", json={"label": "rust"}).status == 200
    delivery = owner.get("/v1/deliveries").json()["deliveries"][0]["id"]
    return Owned(
        {
            "job_id": job,
            "seq": "1",
            "tile": "0",
            "endpoint_id": endpoint,
            "delivery_id": delivery,
            "export_id": export,
            "receipt_id": removed.rpartition("/")[2],
        }
    )


def ask(api: Api, operation: Operation, path: str, document: dict[str, Any]) -> Any:  # noqa: ANN401  # an answer
    content = operation.described.get("requestBody", {}).get("content", {})
    if not content:
        return api.request(operation.method, path)
    media_type, described = next(iter(content.items()))
    if media_type in BODIES:
        return api.request(operation.method, path, body=BODIES[media_type], headers={"Content-Type": media_type})
    schema = described["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return api.request(operation.method, path, json=schema["examples"][0])


def fingerprint(database: Database) -> dict[str, str]:
    """A hash of every table."""
    with database.begin() as session:
        tables = session.scalars(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        ).all()
        return {
            table: hashlib.sha256(
                "\n".join(
                    sorted(session.scalars(text(f'SELECT CAST(t AS text) FROM "{table}" AS t')))  # noqa: S608
                ).encode()
            ).hexdigest()
            for table in set(tables) - TOUCHED
        }


def test_no_id_of_a_tenant_exists_for_another_one(
    owner: Api, stranger: Api, owned: Owned, settings: Settings, database: Database
) -> None:
    document = create_app(settings).openapi()
    before = fingerprint(database)
    tried = 0
    for operation in operations(settings):
        if not operation.has_id:
            continue
        path = owned.at(operation.path) + ("?edge=10" if operation.path.endswith("/grid") else "")
        answer = ask(stranger, operation, path, document)
        assert_problem(answer, 404, "not-found")
        if operation.method == "GET" and not operation.path.endswith("/events"):
            own = owner.request("GET", path, redirect=False)
            # The id is one that exists; a tile of a classifier without maps has no explanation.
            if operation.path.endswith("/explanation"):
                assert_problem(own, 404, "no-explanation")
            else:
                assert own.status in {200, 303, 307, 302}, (path, own.status)
        tried += 1
    assert tried > 25
    assert fingerprint(database) == before


def test_no_list_shows_anything_of_another_tenant(owner: Api, stranger: Api, owned: Owned, settings: Settings) -> None:
    lists = [one.path for one in operations(settings) if one.method == "GET" and "{" not in one.path]
    assert {"/v1/jobs", "/v1/webhooks", "/v1/deliveries", "/v1/receipts"} <= set(lists)
    filters = {
        "/v1/deliveries": (f"?job={owned.ids['job_id']}", f"?endpoint={owned.ids['endpoint_id']}"),
        "/v1/receipts": (f"?job_id={owned.ids['job_id']}",),
    }
    ids = [value for name, value in owned.ids.items() if name not in {"seq", "tile"}]
    for path in set(lists) - GLOBAL:
        for query in ("", *filters.get(path, ())):
            seen = stranger.get(f"{path}{query}").data.decode()
            assert not [one for one in ids if one in seen], path
    shown = "".join(owner.get(path).data.decode() for path in ("/v1/jobs", "/v1/webhooks", "/v1/deliveries"))
    assert owned.ids["job_id"] in shown
    assert owned.ids["endpoint_id"] in shown
    assert owned.ids["delivery_id"] in shown


def test_a_cursor_of_another_tenant_opens_nothing(stranger: Api, owned: Owned) -> None:
    stranger.new_job()
    for path, cursor in (("/v1/jobs", "job_id"), ("/v1/webhooks", "endpoint_id"), ("/v1/deliveries", "delivery_id")):
        page = stranger.get(f"{path}?after={owned.ids[cursor]}").json()
        page.pop("after")  # An empty page hands the caller's own cursor back.
        assert not [one for one in owned.ids.values() if len(one) > 1 and one in str(page)]
