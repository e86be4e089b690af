"""An operator follows one job through the programs: by its trace, and by the id of its request in the logs."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from deploy.local.servers import LocalServers
from tests.acceptance.collector import Collector, SeenSpan
from tests.acceptance.system import System
from tests.acceptance.test_deliverer import add_endpoint
from tests.integration.webhooks.receiver import Receiver
from tests.patience import wait_for

REQUEST_ID = "field-7-round-3"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[System]:
    """The whole service, sending its spans; the SDK's own batches leave after a fifth of a second."""
    with LocalServers.temporary(fast=True) as servers:
        settings = {"PHYTOBATCH_TRACES_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        made = System(servers, tmp_path_factory.mktemp("traced"), **settings)
        try:
            made.prepare()
            made.start_api()
            made.start_worker()
            made.start_deliverer()
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="module")
def job_id(traced: System, leaf_files: list[Path]) -> Iterator[str]:
    """A job of two photographs whose webhooks have arrived, made by one POST with a request id."""
    with Receiver() as receiver, urllib3.PoolManager() as http:
        add_endpoint(traced, receiver.url)
        answer = http.request(
            "POST",
            f"{traced.url}/v1/jobs/upload",
            headers={"X-API-Key": traced.api_key, "X-Request-Id": REQUEST_ID},
            fields=[("files", (file.name, file.read_bytes(), "image/jpeg")) for file in leaf_files[:2]],
        )
        assert answer.status == 202, answer.data
        made = answer.json()["id"]
        wait_for(lambda: len(receiver.requests), lambda count: count >= 3)
        yield made


def spans_of(collector: Collector, job_id: str) -> list[SeenSpan]:
    first = next((s for s in collector.spans if s.attributes.get("phytobatch.job_id") == job_id), None)
    return [] if first is None else [span for span in collector.spans if span.trace_id == first.trace_id]


def test_one_trace_leads_from_the_post_to_the_webhooks(collector: Collector, job_id: str) -> None:
    wanted = {
        ("phytobatch-api", "POST /v1/jobs/upload"),
        ("phytobatch-worker", "chunk validate"),
        ("phytobatch-worker", "chunk classify"),
        ("phytobatch-worker", "store results"),
        ("phytobatch-deliverer", "webhook attempt"),
    }
    events = {"job.validated", "job.started", "job.completed"}

    def arrived(seen: list[SeenSpan]) -> bool:
        attempts = {span.attributes["phytobatch.event"] for span in seen if span.name == "webhook attempt"}
        return wanted <= {(span.service, span.name) for span in seen} and events <= attempts

    spans = wait_for(lambda: spans_of(collector, job_id), arrived)
    assert [span for span in spans if span.is_error] == []


def test_the_logs_of_every_program_name_the_request_and_the_job(traced: System, job_id: str) -> None:
    wanted = {
        ("api", "request"),
        ("api", "job_created"),
        ("worker", "job_validated"),
        ("worker", "chunk_finished"),
        ("deliverer", "webhook_attempt"),
    }

    def seen() -> set[tuple[str, str]]:
        lines = [line for log in traced.folder.glob("*.log") for line in log.read_text().splitlines()]
        events = [json.loads(line) for line in lines if line.startswith("{")]
        ours = [event for event in events if event.get("request_id") == REQUEST_ID]
        assert [event for event in ours if "trace_id" not in event] == []
        # The API has lines before there is a job ("rate_limits_not_counted", on a busy machine).
        of_the_job = [e for e in ours if e["program"] != "api" or e["event"] == "job_created"]
        assert [event for event in of_the_job if event.get("job_id") != job_id] == []
        return {(event["program"], event["event"]) for event in ours}

    wait_for(seen, lambda found: wanted <= found)
