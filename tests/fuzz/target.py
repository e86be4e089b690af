"""The service that is fuzzed: real servers and processes, with something of each kind in it, and short waits."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3

from deploy.local.servers import LocalServers
from deploy.local.synthetic import render
from tests.acceptance.system import System

# A fuzzer asks as fast as it can, and has no time to wait.
SETTINGS = {
    "PHYTOBATCH_REQUESTS_PER_MINUTE": "0",
    "PHYTOBATCH_PREDICT_WAIT_SECONDS": "0.2",
    "PHYTOBATCH_MAX_WAIT_SECONDS": "0.2",
    "PHYTOBATCH_STREAM_SECONDS": "0.5",
    "PHYTOBATCH_MAX_OPEN_JOBS": "0",
    "PHYTOBATCH_MAX_PENDING_IMAGES": "0",
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where it is, and the ids of what is in it, by the names that they have in paths."""

    system: System
    ids: dict[str, str]

    @property
    def faults(self) -> list[str]:
        """Log lines of requests that no error of ours explains."""
        logs = sorted(self.system.folder.glob("*-api.log"))
        lines = [line for log in logs for line in log.read_text(errors="replace").splitlines()]
        return [line for line in lines if '"request_fault"' in line]


@contextmanager
def running(folder: Path) -> Iterator[Target]:
    """The service, until the block ends."""
    with LocalServers.temporary(fast=True) as servers:
        system = System(servers, folder, **SETTINGS)
        try:
            system.prepare()
            system.start_api()
            system.start_worker()
            system.start_beat()
            yield Target(system, _fill(system, folder))
        finally:
            system.stop()


def _fill(system: System, folder: Path) -> dict[str, str]:
    photos = [folder / f"leaf-{number}.jpg" for number in range(3)]
    for number, photo in enumerate(photos):
        render("rust", (256, 256), seed=number).save(photo, "JPEG")
    job = system.submit(photos)
    system.wait_for_end(job)
    with urllib3.PoolManager(timeout=30, retries=False) as pool:

        def ask(method: str, path: str, body: object = None) -> urllib3.BaseHTTPResponse:
            return pool.request(
                method,
                f"{system.url}{path}",
                body=None if body is None else json.dumps(body),
                headers={"X-API-Key": system.api_key, "Content-Type": "application/json"},
            )

        endpoint = ask("POST", "/v1/webhooks", {"url": "https://farm.example.org/hooks"}).json()["id"]
        delivery = ask("POST", f"/v1/webhooks/{endpoint}/test").json()["id"]
        export = ask("POST", f"/v1/jobs/{job}/exports", {"format": "csv"}).json()["id"]
        gone = ask("POST", "/v1/jobs", {}).json()["id"]
        receipt = ask("DELETE", f"/v1/jobs/{gone}").headers["Location"].rpartition("/")[2]
    return {
        "job_id": job,
        "seq": "1",
        "endpoint_id": endpoint,
        "delivery_id": delivery,
        "export_id": export,
        "receipt_id": receipt,
    }
