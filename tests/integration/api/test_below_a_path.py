"""Served below another address, with a proxy that takes the path away and one that leaves it."""

from typing import Any
from urllib.parse import urljoin

import pytest

from phytobatch.sdk import Phytobatch
from shared.settings import Settings
from tests.integration.conftest import Api, MakeSettings, assert_problem

PREFIX = "/farm/phyto"


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(public_url=f"https://farm.example{PREFIX}/")


def links_of(body: Any) -> list[str]:  # noqa: ANN401  # JSON
    if isinstance(body, list):
        return [one for item in body for one in links_of(item)]
    if not isinstance(body, dict):
        return []
    own = [one for one in body.get("links", {}).values() if one]
    return [*own, *(one for value in body.values() if isinstance(value, (dict, list)) for one in links_of(value))]


@pytest.mark.parametrize("sent", ["", PREFIX], ids=["taken-away", "left"])
def test_every_link_leads_below_the_path(api: Api, sent: str) -> None:
    made = api.post(f"{sent}/v1/jobs", {"name": "north"}, headers={"Idempotency-Key": f"key{sent}".replace("/", "-")})
    job = made.json()
    assert made.headers["Location"] == job["links"]["self"] == f"{PREFIX}/v1/jobs/{job['id']}"
    path = f"{sent}/v1/jobs/{job['id']}"
    assert api.post(f"{path}/images", {"images": [{"name": "a.jpg", "size": 4}]}).status == 200
    committed = api.post(f"{path}/commit")
    assert committed.headers["Location"] == job["links"]["self"]
    export = api.post(f"{path}/exports", {"format": "csv"})
    assert export.headers["Location"].startswith(f"{PREFIX}/v1/exports/")
    answers = [
        made,
        committed,
        export,
        api.get(f"{sent}/v1/jobs"),
        api.get(f"{path}?wait=0.1"),
        api.get(f"{path}/exports"),
    ]
    found = [one for answer in answers for one in links_of(answer.json())]
    assert [one for one in found if not one.startswith(f"{PREFIX}/v1/")] == []
    assert [api.get(one).status for one in {*found} if one.endswith(("results", job["id"]))].count(200) >= 2
    with api.pool.request(
        "GET", f"{api.base}{path}/events", headers={"X-API-Key": str(api.key)}, preload_content=False
    ) as stream:
        told = b""
        while b"\n\n" not in told.partition(b"data:")[2]:
            told += stream.read(1)
    assert f'"job":"https://farm.example{job["links"]["self"]}"'.encode() in told


def test_problems_name_the_address_that_was_asked_for(api: Api) -> None:
    assert assert_problem(api.get(f"{PREFIX}/v1/nothing"), 404, "not-found")["instance"] == f"{PREFIX}/v1/nothing"
    assert_problem(api.request("PATCH", f"{PREFIX}/v1/jobs/upload"), 405, "method-not-allowed")
    assert api.get(PREFIX).status == 404
    assert api.get(f"{PREFIX}x/v1/jobs").status == 404
    assert api.get(f"{PREFIX}/healthz").status == 200


def test_a_header_changes_no_link(api: Api) -> None:
    made = api.post("/v1/jobs", {}, headers={"X-Forwarded-Prefix": "/evil", "X-Forwarded-Host": "evil.example"})
    assert made.headers["Location"].startswith(f"{PREFIX}/v1/jobs/")


def test_the_manual_and_its_document_stand_below_the_path(api: Api) -> None:
    assert api.get(f"{PREFIX}/openapi.json").json()["servers"] == [{"url": PREFIX}]
    page = api.get(f"{PREFIX}/docs")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    here = f"{PREFIX}/docs"
    assert api.get(urljoin(here, "docs/start.js")).status == 200
    assert api.get(urljoin(here, "openapi.json")).status == 200


def test_the_client_takes_an_address_with_a_path(api: Api) -> None:
    with Phytobatch(f"{api.base}{PREFIX}/", api_key=str(api.key)) as client:
        job = client.create_job(name="by the client")
        assert client.job(job.id).name == "by the client"
        assert job.links["self"] == f"{PREFIX}/v1/jobs/{job.id}"
