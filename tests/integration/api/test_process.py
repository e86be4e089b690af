"""``python -m api`` as a process: how it starts, refuses to start, and stops."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest
import urllib3

from deploy.local.ports import free_port
from shared.access import keys
from shared.db.session import Database
from shared.settings import Settings
from tests.integration.api.event_stream import following
from tests.integration.conftest import Api, MakeSettings
from tests.integration.metrics.scrape import scrape
from tests.patience import PATIENCE_SECONDS, wait_for

ROOT = Path(__file__).parents[3]


def environment(settings: Settings, **more: str) -> dict[str, str]:
    given = {
        name: value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        for name, value in settings
        if value is not None
    }
    return {**os.environ, **{f"PHYTOBATCH_{name.upper()}": value for name, value in {**given, **more}.items()}}


def start(settings: Settings, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "api"],
        cwd=ROOT,
        env=environment(settings, **{"api_port": "0", **more}),
        stderr=subprocess.PIPE,
        text=True,
    )


def lines(process: subprocess.Popen[str]) -> Iterator[dict[str, object]]:
    assert process.stderr is not None
    for line in process.stderr:
        yield json.loads(line)


def base_url(process: subprocess.Popen[str]) -> str:
    """From the line in which the API says where it listens."""
    return addresses(process)[0]


def addresses(process: subprocess.Popen[str]) -> list[str]:
    for line in lines(process):
        if line["event"] == "api_running":
            return cast("list[str]", line["addresses"])
    pytest.fail("the API did not start")


def stop(process: subprocess.Popen[str]) -> tuple[int, list[dict[str, object]]]:
    process.send_signal(signal.SIGTERM)
    rest = list(lines(process))
    return process.wait(PATIENCE_SECONDS), rest


def test_it_serves_at_every_address_logs_without_secrets_and_stops_when_told(make_settings: MakeSettings) -> None:
    key = keys.generate().text
    process = start(make_settings(), api_host="::", bootstrap_api_key=key)
    with process, urllib3.PoolManager(timeout=PATIENCE_SECONDS) as pool:
        at = [url.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]") for url in addresses(process)]  # noqa: S104  # read
        assert len(at) == (2 if socket.has_dualstack_ipv6() else 1)
        assert [pool.request("GET", f"{url}/healthz").status for url in at] == [200] * len(at)
        api = Api(at[0], key, pool)
        assert api.post("/v1/jobs", {"name": "hello"}, headers={"X-Request-Id": "traced"}).status == 201
        assert api.get(f"/v1/jobs?limit={key}").status == 422
        status, rest = stop(process)
    assert status == 0
    (request,) = [line for line in rest if line.get("request_id") == "traced" and line["event"] == "request"]
    assert (request["method"], request["path"], request["status"]) == ("POST", "/v1/jobs", 201)
    assert request["program"] == "api"
    assert key not in json.dumps(rest)


def test_those_who_wait_do_not_hold_up_its_end(make_settings: MakeSettings) -> None:
    key = keys.generate().text
    metrics_port = free_port()
    process = start(make_settings(stream_heartbeat_seconds=3600, metrics_port=metrics_port), bootstrap_api_key=key)
    with process, urllib3.PoolManager(timeout=PATIENCE_SECONDS) as pool, ThreadPoolExecutor(1) as threads:
        api = Api(base_url(process), key, pool)
        job_id = api.new_job()
        with following(api, job_id, seconds=PATIENCE_SECONDS) as stream:
            stream.until("job.progress")
            waiting = threads.submit(api.get, f"/v1/jobs/{job_id}?wait=60")
            wait_for(lambda: scrape(metrics_port).value("phytobatch_http_waiting_clients"), lambda count: count == 2)
            status, rest = stop(process)
            assert stream.rest() == []
        assert (waiting.result().status, waiting.result().json()["state"]) == (200, "draft")
    assert status == 0
    # Uvicorn says so when it had to break something off.
    assert not [line for line in rest if "Cancel" in str(line["event"])]


def test_several_processes_may_make_the_bootstrap_key_at_once(make_settings: MakeSettings) -> None:
    settings = make_settings()
    key = keys.generate().text
    processes = [start(settings, bootstrap_api_key=key) for _ in range(2)]
    with urllib3.PoolManager(timeout=PATIENCE_SECONDS) as pool:
        for process in processes:
            assert Api(base_url(process), key, pool).get("/v1/jobs").status == 200
        for process in processes:
            with process:
                assert stop(process)[0] == 0


@pytest.mark.parametrize("key", ["secret", "pb_short_key"])
def test_a_malformed_bootstrap_key_stops_the_start_and_is_not_logged(make_settings: MakeSettings, key: str) -> None:
    with start(make_settings(), bootstrap_api_key=key) as process:
        said = list(lines(process))
        assert process.wait(PATIENCE_SECONDS) != 0
    assert any("PHYTOBATCH_BOOTSTRAP_API_KEY" in str(line.get("reason")) for line in said)
    assert not any(f'"{key}"' in json.dumps(line) or f"'{key}'" in json.dumps(line) for line in said)


def test_a_database_without_tables_stops_the_start_with_what_to_do(
    make_settings: MakeSettings, database: Database
) -> None:
    empty = database.engine.url.set(database="postgres").render_as_string(hide_password=False)
    with start(make_settings(database_url=empty), bootstrap_api_key=keys.generate().text) as process:
        said = list(lines(process))
        assert process.wait(PATIENCE_SECONDS) != 0
    assert any("migrate" in str(line.get("reason")) for line in said)


def test_a_port_that_is_taken_stops_the_start_with_a_line_that_says_so(make_settings: MakeSettings) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        start(make_settings(), api_port=str(taken.getsockname()[1])) as process,
    ):
        (line,) = [line for line in lines(process) if line["event"] == "cannot_listen"]
        assert process.wait(PATIENCE_SECONDS) == 1
    assert line["reason"] == "Address already in use"
