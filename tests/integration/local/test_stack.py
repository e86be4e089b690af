"""The whole stack as a user runs it: ``python -m deploy.local up`` in a process of its own."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest
import urllib3
from standardwebhooks import Webhook

from deploy.local.card import StackCard, read_card
from deploy.local.folder import DataFolder
from deploy.local.ports import is_free
from deploy.local.programs import RECEIVER_PORTS, api_ready
from deploy.local.servers import LocalServers
from deploy.local.stack import API_KEY
from deploy.local.state import StackState
from tests.integration.webhooks.receiver import Receiver
from tests.patience import PATIENCE_SECONDS, wait_for

UP = [sys.executable, "-m", "deploy.local", "up"]


class RunningUp:
    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            UP,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PHYTOBATCH_LOCAL_DATA": str(folder.path)},
        )

    def card(self) -> StackCard:
        def read() -> StackCard | None:
            assert self.process.poll() is None, self.said()
            return read_card(self.folder)

        card = wait_for(read)
        assert card is not None
        return card

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def said(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.read()

    def close(self) -> None:
        if self.process.poll() is None:
            self.end(signal.SIGTERM)
        assert self.process.stdout is not None
        self.process.stdout.close()


def family(card: StackCard) -> list[psutil.Process]:
    processes = [psutil.Process(pid) for pid in card.processes.values()]
    return [*processes, *(child for process in processes for child in process.children(recursive=True))]


def operator(folder: DataFolder, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "deploy.local", "admin", *command],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        env={**os.environ, "PHYTOBATCH_LOCAL_DATA": str(folder.path)},
    )


def metrics_at(url: str) -> str:
    """What a program shows, as soon as it listens."""
    with urllib3.PoolManager(retries=False) as pool:

        def read() -> str:
            return pool.request("GET", url).data.decode()

        return wait_for(read, not_yet=(urllib3.exceptions.HTTPError,))


@pytest.fixture(scope="module")
def folder() -> Iterator[DataFolder]:
    with LocalServers.temporary() as servers:
        servers.stop()
        yield servers.folder


@pytest.fixture
def stack(folder: DataFolder) -> Iterator[RunningUp]:
    running = RunningUp(folder)
    yield running
    running.close()


def test_up_serves_an_api_that_knows_the_printed_key_and_stops_cleanly(stack: RunningUp) -> None:
    card = stack.card()
    assert {"api", "worker", "beat", "deliverer"} <= set(card.processes)
    key = StackState(stack.folder.secrets).known_secret(API_KEY)
    assert key is not None
    with urllib3.PoolManager() as pool:
        assert pool.request("GET", f"{card.url}/v1/classifiers", headers={"X-API-Key": key}).status == 200
        assert pool.request("GET", f"{card.url}/v1/classifiers").status == 401
    assert set(card.metrics) == {"api", "worker", "beat", "deliverer"}
    for program, url in card.metrics.items():
        assert f'phytobatch_build_info{{program="{program}"' in metrics_at(url)
    listed = operator(stack.folder, "list-classifiers")
    assert (listed.returncode, "leaf@1" in listed.stdout) == (0, True), listed.stderr
    settings = stack.folder.run / "settings.json"
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    processes = family(card)
    assert stack.end(signal.SIGTERM) == 0
    said = stack.said()
    assert card.url in said
    assert key in said
    assert all(url in said for url in card.metrics.values())
    assert said.rstrip().endswith("stopped")
    assert [process for process in processes if process.is_running()] == []
    assert not settings.exists()
    refused = operator(stack.folder, "list-classifiers")
    assert (refused.returncode, "nothing runs" in refused.stderr) == (1, True)


def test_a_program_that_dies_is_started_again(stack: RunningUp) -> None:
    card = stack.card()
    os.kill(card.processes["api"], signal.SIGKILL)
    now = wait_for(
        stack.card, lambda now: now.processes.get("api") not in {None, card.processes["api"]} and api_ready(now.url)
    )
    assert (now.url, now.metrics) == (card.url, card.metrics)
    assert 'program="api"' in metrics_at(now.metrics["api"])
    assert stack.end(signal.SIGINT) == 0
    assert "api ended (killed by SIGKILL); it is started again in 1 s" in stack.said()


def test_a_webhook_comes_from_the_stack_to_this_machine(stack: RunningUp) -> None:
    card = stack.card()
    key = StackState(stack.folder.secrets).known_secret(API_KEY)
    assert key is not None
    port = next(port for port in RECEIVER_PORTS if is_free(port))
    with Receiver(port=port) as receiver, urllib3.PoolManager() as pool:
        headers = {"X-API-Key": key}
        # Not to any other port of this machine, where the stack's own servers and those of others listen.
        for other in (card.url, card.metrics["worker"], "http://127.0.0.1:9100/hooks"):
            refused = pool.request("POST", f"{card.url}/v1/webhooks", json={"url": other}, headers=headers)
            assert refused.json()["type"].endswith("webhook-url-refused"), other
        made = pool.request("POST", f"{card.url}/v1/webhooks", json={"url": receiver.url}, headers=headers)
        assert made.status == 201, made.data
        job = pool.request("POST", f"{card.url}/v1/jobs", json={}, headers=headers).json()
        assert pool.request("POST", f"{card.url}{job['links']['cancel']}", headers=headers).status == 200
        (request,) = receiver.wait_for(1)
    told = Webhook(made.json()["secret"]).verify(request.body, request.headers)
    assert told["type"] == "job.canceled"
    assert told["data"]["links"]["job"] == f"{card.url}/v1/jobs/{job['id']}"
    assert stack.end(signal.SIGTERM) == 0


def test_nothing_is_left_when_up_itself_is_killed(stack: RunningUp) -> None:
    processes = family(stack.card())
    stack.process.kill()
    stack.process.wait(PATIENCE_SECONDS)
    assert psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)[1] == []
    assert read_card(stack.folder) is None
