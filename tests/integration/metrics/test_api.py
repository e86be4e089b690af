"""What an API process tells Prometheus, scraped over HTTP."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from api.main import ROUTERS
from api.metrics.zeros import api_zeros
from deploy.local.ports import free_port
from shared.contracts.states import Priority
from shared.db.session import Database
from shared.errors import ConfigurationError
from shared.jobs import claims, pauses
from shared.jobs.claims import Offer
from shared.jobs.pauses import EVERYTHING_THERE_IS, Subject
from shared.metrics.definition import Program
from shared.metrics.definitions import TABLE
from shared.metrics.exposition import Exposition
from shared.settings import Settings
from tests.integration.conftest import Api, MakeSettings
from tests.integration.metrics.scrape import scrape
from tests.patience import wait_for

pytestmark = pytest.mark.usefixtures("always_read")


def commit_job(api: Api, *names: str, **body: object) -> str:
    job_id = api.new_job(**body)
    api.add(job_id, *names)
    api.commit(job_id)
    return job_id


def test_requests_are_counted_by_the_template_of_their_route(api: Api, settings: Settings) -> None:
    before = scrape(settings.metrics_port)
    for _ in range(3):
        assert api.get(f"/v1/jobs/{uuid.uuid4()}").status == 404
    assert api.request("PROPFIND", "/v1/coffee").status == 404
    requests, route = "phytobatch_http_requests_total", "/v1/jobs/{job_id}"
    # A request is counted when it is over, which is after its client has the answer.
    seen = wait_for(
        lambda: scrape(settings.metrics_port), lambda seen: seen.total(requests) >= before.total(requests) + 4
    )

    # The registry is that of the process: other tests have counted into it.
    def more(name: str, **labels: str) -> float:
        return seen.total(name, **labels) - before.total(name, **labels)

    assert more(requests, method="GET", route=route, status="404") == 3
    assert more(requests, method="other", route="other", status="404") == 1
    assert more("phytobatch_http_request_seconds_count", method="GET", route=route) == 3
    # Nothing that was counted had no series before: Prometheus would have missed it.
    assert set(seen.values) == set(before.values)
    assert seen.types["phytobatch_http_request_seconds"] == "histogram"


def test_who_waits_is_counted_apart(api: Api, settings: Settings) -> None:
    job_id = api.new_job()
    route = {"method": "GET", "route": "/v1/jobs/{job_id}"}
    before = scrape(settings.metrics_port).total("phytobatch_http_request_seconds_count", **route)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(api.get, f"/v1/jobs/{job_id}?wait=2")
        wait_for(
            lambda: scrape(settings.metrics_port).value("phytobatch_http_waiting_clients"), lambda count: count == 1
        )
        assert waiting.result().status == 200
    seen = scrape(settings.metrics_port)
    assert seen.total("phytobatch_http_wait_seconds_count", **route) >= 1
    assert seen.total("phytobatch_http_request_seconds_count", **route) == before
    assert seen.value("phytobatch_http_waiting_clients") == 0


def test_what_waits_in_postgres_is_told(api: Api, settings: Settings) -> None:
    before = scrape(settings.metrics_port)
    commit_job(api, "a.jpg", "b.jpg", priority="interactive")
    commit_job(api, "c.jpg")
    seen = scrape(settings.metrics_port)
    assert seen.value("phytobatch_database_up") == 1

    def more(name: str, **labels: str) -> float:
        return seen.total(name, **labels) - before.total(name, **labels)

    assert more("phytobatch_jobs", state="validating") == 2
    assert more("phytobatch_images_waiting") == 3
    assert more("phytobatch_chunks", state="ready", kind="validate") == 2
    for priority in Priority:
        assert seen.total("phytobatch_oldest_image_waiting_seconds", priority=priority) > 0
    assert seen.total("phytobatch_oldest_ready_chunk_seconds", kind="validate") > 0
    assert seen.total("phytobatch_database_bytes") > 1_000_000
    assert seen.labels("phytobatch_webhook_endpoints", "state") == {"enabled", "paused", "disabled"}


def test_a_chunk_moves_from_ready_to_running_to_an_expired_lease(
    api: Api, settings: Settings, database: Database
) -> None:
    job_id = commit_job(api, "a.jpg")
    with database.begin() as session:
        held = claims.claim(session, [Offer("validate", Priority.BULK)], worker="w", lease_seconds=60)
    assert held is not None
    before = scrape(settings.metrics_port)
    assert before.total("phytobatch_chunks", state="running", kind="validate") >= 1
    assert before.total("phytobatch_expired_leases") == 0
    with database.begin() as session:
        session.execute(text("UPDATE chunks SET lease_until = now() - interval '1 s' WHERE state = 'running'"))
    assert scrape(settings.metrics_port).total("phytobatch_expired_leases") >= 1
    with database.begin() as session:
        session.execute(text("UPDATE chunks SET lease_until = now() + interval '60 s' WHERE state = 'running'"))
        claims.release(session, held, pause_seconds=60)
    assert scrape(settings.metrics_port).total("phytobatch_chunks", state="delayed", kind="validate") == 1
    assert job_id


def test_what_is_paused_has_no_age_and_is_counted(api: Api, settings: Settings, database: Database) -> None:
    commit_job(api, "a.jpg")
    ages = ("phytobatch_oldest_image_waiting_seconds", "phytobatch_oldest_ready_chunk_seconds")
    with database.begin() as session:
        pauses.pause(session, EVERYTHING_THERE_IS, actor="mia@host")
    paused = scrape(settings.metrics_port)
    assert [paused.total(name) for name in ages] == [0, 0]
    assert paused.total("phytobatch_tenant_oldest_image_waiting_seconds") == 0
    assert paused.total("phytobatch_pauses", scope="everything") == 1
    assert paused.total("phytobatch_images_waiting") == paused.total("phytobatch_images_paused") > 0
    with database.begin() as session:
        tenants = session.scalars(text("SELECT DISTINCT tenant_id FROM jobs")).all()
        pauses.resume(session, EVERYTHING_THERE_IS)
        for tenant in tenants:
            pauses.pause(session, Subject(tenant_id=tenant), actor="mia@host")
    paused = scrape(settings.metrics_port)
    assert [paused.total(name) for name in ages] == [0, 0]
    assert paused.total("phytobatch_pauses", scope="tenant") == len(tenants)
    with database.begin() as session:
        for tenant in tenants:
            pauses.resume(session, Subject(tenant_id=tenant))
    seen = scrape(settings.metrics_port)
    assert all(seen.total(name) > 0 for name in ages)
    assert (seen.total("phytobatch_pauses"), seen.total("phytobatch_images_paused")) == (0, 0)


def test_it_shows_every_metric_of_the_api_and_of_no_other_program(api: Api, settings: Settings) -> None:
    assert api.get("/healthz").status == 200
    assert api.get("/readyz").status == 200
    shown = set(scrape(settings.metrics_port).types.items())
    ours = {(line.name.removesuffix("_total"), str(line.kind)): line.programs for line in TABLE}
    assert {name for name, programs in ours.items() if Program.API in programs} - shown == set()
    assert {name for name in shown if name in ours and Program.API not in ours[name]} == set()
    assert ("process_resident_memory_bytes", "gauge") in shown
    assert not [name for name, _ in shown if name.endswith("_created")]


def test_the_port_of_the_clients_shows_none(api: Api) -> None:
    assert api.get("/metrics").status == 404


def test_a_port_that_is_taken_is_said_clearly(make_settings: MakeSettings) -> None:
    settings = make_settings(metrics_port=free_port())
    first, second = (Exposition(Program.API, api_zeros(ROUTERS)) for _ in range(2))
    first.serve(settings)
    try:
        with pytest.raises(ConfigurationError, match="PHYTOBATCH_METRICS_PORT"):
            second.serve(settings)
    finally:
        first.close()
        second.close()
