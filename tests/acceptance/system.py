"""A whole Phytobatch of real processes on real servers, that a test may kill, pause and cut off piece by piece."""

import copy
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import urllib3

from deploy.local.child import Child, Program
from deploy.local.ports import free_port
from deploy.local.servers import LocalServers
from deploy.local.state import new_api_key
from phytobatch import ImageSpec, Job, Phytobatch, Result
from tests.patience import PATIENCE_SECONDS, wait_for

T = TypeVar("T")

ROOT = Path(__file__).parents[2]

# Short times, so that what takes a minute in production takes seconds here. The relations are those of the defaults.
FAST = {
    "PHYTOBATCH_LEASE_SECONDS": "6",
    "PHYTOBATCH_LEASE_RENEW_SECONDS": "1.5",
    "PHYTOBATCH_SWEEP_SECONDS": "1",
    "PHYTOBATCH_IDLE_LOOK_SECONDS": "1",
    "PHYTOBATCH_RELEASE_BACKOFF_SECONDS": "1",
    "PHYTOBATCH_CHUNK_IMAGES": "16",
    "PHYTOBATCH_BATCH_SIZE": "16",
}
# For tests whose images must be answered at the first attempt: a worker that gets no processor for a while keeps its
# lease.
LONG_LEASE = {"PHYTOBATCH_LEASE_SECONDS": "60", "PHYTOBATCH_LEASE_RENEW_SECONDS": "5"}
# Receivers of webhooks are in the test's own process.
LOOPBACK_WEBHOOKS = {
    # With their ports: of a network that is listed as a whole, no answer is shown.
    "PHYTOBATCH_WEBHOOK_NETWORKS": "127.0.0.0/8:1-65535,[::1/128]:1-65535",
}


class System:
    """Servers, one API, and as many workers as a test starts."""

    def __init__(self, servers: LocalServers, folder: Path, **overrides: str) -> None:
        self.servers = servers
        self.folder = folder
        self.code = ROOT
        self.api_key = new_api_key()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PHYTOBATCH_")},
            **servers.environment,
            **FAST,
            **LOOPBACK_WEBHOOKS,
            "PHYTOBATCH_PUBLIC_URL": self.url,
            "PHYTOBATCH_API_PORT": str(self.port),
            "PHYTOBATCH_BOOTSTRAP_API_KEY": self.api_key,
            "PHYTOBATCH_URL": self.url,
            "PHYTOBATCH_API_KEY": self.api_key,
            "PHYTOBATCH_LOG_FORMAT": "json",
            "PYTHONUNBUFFERED": "1",
            **overrides,
        }
        self.children: list[Child] = []
        self._started = 0

    def admin(self, *command: str) -> None:
        """Run an operator command to its end."""
        child = self.start("admin", "-m", "api.admin", *command)
        if child.wait(PATIENCE_SECONDS):
            raise child.failure(f"{command} failed")

    def for_another_tenant(self, name: str) -> "System":
        """The same service, as a new tenant sees it."""
        self.admin("create-tenant", name)
        command = [sys.executable, "-m", "api.admin", "create-key", "--tenant", name]
        command += ["--name", "test", "--scopes", "submit,read"]
        made = subprocess.run(command, cwd=self.code, env=self.environment, capture_output=True, text=True, check=True)
        seen = copy.copy(self)
        seen.api_key = next(word for word in made.stdout.split() if word.startswith("pb_"))
        return seen

    def prepare(self) -> None:
        """Schema, bucket, classifier: by one program, because each takes more than a second of a processor to start."""
        self.admin("prepare")

    def start(self, name: str, *arguments: str, **environment: str) -> Child:
        """Start one of our programs, with a log of its own."""
        self._started += 1
        child = Child(
            Program(
                name,
                (sys.executable, *arguments),
                self.folder / f"{self._started:02d}-{name}.log",
                {**self.environment, **environment},
                folder=self.code,
                stop_seconds=40.0,
            )
        )
        self.children.append(child)
        return child

    def start_api(self) -> Child:
        """The API, ready."""
        child = self.start("api", "-m", "api")
        child.wait_ready(self._api_ready, PATIENCE_SECONDS)
        return child

    def start_worker(self, program: str = "worker", **environment: str) -> Child:
        """A worker whose model is warm."""
        ready = self.folder / f"{self._started}.ready"
        child = self.start("worker", "-m", program, "--ready-file", str(ready), **environment)
        child.wait_ready(ready.exists, PATIENCE_SECONDS)
        return child

    def start_beat(self) -> Child:
        """The process that asks for sweeps."""
        return self.start("beat", "-m", "worker", "beat")

    def start_deliverer(self, **environment: str) -> Child:
        """The process that delivers webhooks, at work."""
        ready = self.folder / f"{self._started}.ready"
        child = self.start("deliverer", "-m", "worker", "deliver", "--ready-file", str(ready), **environment)
        child.wait_ready(ready.exists, PATIENCE_SECONDS)
        return child

    def stop(self) -> None:
        """Stop every program; a paused one is continued first."""
        for child in self.children:
            child.send(signal.SIGCONT)
            child.send(signal.SIGTERM)
        for child in self.children:
            child.stop()
        self.children.clear()

    def stop_workers(self) -> None:
        """Stop every program but the API."""
        others = [child for child in self.children if child.program.name not in {"api", "admin"}]
        for child in others:
            child.send(signal.SIGCONT)
            child.send(signal.SIGTERM)
        for child in others:
            child.stop()
            self.children.remove(child)

    def client(self) -> Phytobatch:
        """The SDK, with the key of this system."""
        return Phytobatch(self.url, api_key=self.api_key)

    @contextmanager
    def sql(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection to the database of this system, for looking."""
        url = self.environment["PHYTOBATCH_DATABASE_URL"].replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection

    def submit(self, files: list[Path], **job: Any) -> str:  # noqa: ANN401  # what create_job takes
        """Create a job, upload the files under their paths below the folder that all share, commit; the job's id."""
        root = Path(os.path.commonpath([file.parent for file in files]))
        with self.client() as api:
            created = api.create_job(**job)
            for start in range(0, len(files), 1000):
                page = files[start : start + 1000]
                for target, file in zip(
                    api.add_images(created.id, [ImageSpec.of_file(f, f.relative_to(root).as_posix()) for f in page]),
                    page,
                    strict=True,
                ):
                    api.upload(target, file)
            return api.commit(created.id).id

    def job(self, job_id: str) -> Job:
        """The job as the API shows it."""
        with self.client() as api:
            return api.job(job_id)

    def wait_until(self, job_id: str, reached: Callable[[Job], bool], seconds: float = PATIENCE_SECONDS) -> Job:
        """Read the job until it is as wanted; fail with what was read last."""
        return wait_for(lambda: self.job(job_id), reached, seconds)

    def wait_for_end(self, job_id: str, seconds: float = PATIENCE_SECONDS) -> Job:
        """Read the job until it is over."""
        return self.wait_until(job_id, lambda job: job.is_terminal, seconds)

    def results(self, job_id: str) -> list[Result]:
        """Every result of the job, in the order of the images."""
        with self.client() as api:
            return sorted(api.results(job_id), key=lambda result: result.seq)

    def _api_ready(self) -> bool:
        try:
            with urllib3.PoolManager(retries=False, timeout=PATIENCE_SECONDS) as pool:
                return pool.request("GET", f"{self.url}/readyz").status == 200
        except urllib3.exceptions.HTTPError:
            return False
