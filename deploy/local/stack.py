"""All of Phytobatch on one machine: servers, schema, bucket, classifier, API, worker, beat, deliverer."""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Self

from deploy.local.card import StackCard, remove_card, write_card, write_settings
from deploy.local.child import Program
from deploy.local.errors import NotPossibleHere, ProcessFailed
from deploy.local.external import embedded_services, merged
from deploy.local.keeper import Keeper, Process, ProgramProcess
from deploy.local.metrics import MetricsPorts
from deploy.local.ports import LOOPBACK, free_port, is_free
from deploy.local.programs import COMMANDS, api_ready, prepare_servers, program, ready_file
from deploy.local.servers import LocalServers
from deploy.local.state import new_api_key

API_SECONDS = 120.0
API_ATTEMPTS = 3
USUAL_API_PORT = 8000
CHECK_SECONDS = 0.5
ANY_ADDRESS = {"0.0.0.0": LOOPBACK, "::": "[::1]"}  # noqa: S104  # the user's choice, only read here
API_KEY = "api-key"


class Stack:
    """A running Phytobatch.

    Args:
        data_dir: folder of data, logs and secrets; reused if it exists.
        say: receives a line for a person at every step.
        fast: no fsync; for tests.
    """

    def __init__(self, data_dir: Path | str, *, say: Callable[[str], None], fast: bool = False) -> None:
        self._say = say
        self._user = dict(os.environ)
        self.servers = LocalServers(data_dir, services=embedded_services(self._user), fast=fast, say=say)
        self.folder = self.servers.folder
        self._environment: dict[str, str] = {}
        self._port = 0
        self._keepers: list[Keeper] = []
        self._programs: list[ProgramProcess] = []
        self._metrics: MetricsPorts | None = None
        self._worker_loads = False

    @property
    def api_key(self) -> str:
        """The development API key."""
        return self.servers.state.secret(API_KEY, new_api_key)

    @property
    def url(self) -> str:
        """The address of the API."""
        host = self._user.get("PHYTOBATCH_API_HOST") or LOOPBACK
        return f"http://{ANY_ADDRESS.get(host, host)}:{self._port}"

    def start(self) -> None:
        """Start everything and return when the API is ready; the worker may still load its classifier.

        Raises:
            LocalStackError: see :meth:`LocalServers.start`, or a program of ours does not start.
        """
        self.servers.start()
        try:
            self._environment = merged(self._user, self.servers.environment)
            prepare_servers(self.folder, self._environment, self._say)
            self._start_programs()
        except BaseException:
            self.stop()
            raise
        processes: list[Process] = [*self.servers.all, *self._programs]
        self._keepers = [Keeper(process, self._say) for process in processes]
        self._note_processes()

    def stop(self) -> None:
        """Stop the programs, then the servers; harmless if nothing runs."""
        remove_card(self.folder)
        self._keepers = []
        self._stop_programs()
        self.servers.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def check(self) -> None:
        """Check everything once: restart parts that ended by themselves, say when the worker is ready."""
        restarted = [keeper.process for keeper in self._keepers if keeper.check()]
        if restarted:
            if merged(self._user, self.servers.environment) != self._environment:
                self._move_programs()
            self._say(f"{' and '.join(process.name for process in restarted)} started again")
            self._note_processes()
        if self._worker_loads and ready_file(self.folder).exists():
            self._say("worker ready, its model is loaded")
            self._worker_loads = False

    def serve(self) -> None:
        """Check everything again and again until an exception (KeyboardInterrupt) ends it."""
        while True:
            self.check()
            time.sleep(CHECK_SECONDS)

    def _start_programs(self) -> None:
        self._choose_port()
        self._metrics = MetricsPorts(self.servers.state)
        ready_file(self.folder).unlink(missing_ok=True)
        self._programs = [ProgramProcess(name, partial(self._program, name)) for name in COMMANDS]
        for process in self._programs:
            process.start()
        self._worker_loads = True
        self._wait_for_api()

    def _stop_programs(self) -> None:
        # All get their signal first, so that they end at the same time and not one after the other.
        for process in self._programs:
            process.request_stop()
        for process in self._programs:
            process.stop()

    def _move_programs(self) -> None:
        """Restart the programs after a server came back on another port."""
        self._say("a server has a new address: starting the programs again")
        self._environment = merged(self._user, self.servers.environment)
        self._stop_programs()
        for process in self._programs:
            process.start()

    def _program(self, name: str) -> Program:
        environment = self._environment | {
            "PHYTOBATCH_API_HOST": self._user.get("PHYTOBATCH_API_HOST") or LOOPBACK,
            "PHYTOBATCH_API_PORT": str(self._port),
            "PHYTOBATCH_PUBLIC_URL": self._user.get("PHYTOBATCH_PUBLIC_URL") or self.url,
        }
        if self._metrics is not None:
            environment |= self._metrics.settings(name, self._user)
        if name == "api":
            environment["PHYTOBATCH_BOOTSTRAP_API_KEY"] = self.api_key
        return program(name, self.folder, environment)

    def _choose_port(self) -> None:
        requested = self._user.get("PHYTOBATCH_API_PORT") or "0"
        if not requested.isdecimal():
            raise NotPossibleHere(f"PHYTOBATCH_API_PORT is {requested!r}; set a number, or unset it for a free port")
        self._port = int(requested) or self.servers.state.port(
            "api", lambda: USUAL_API_PORT if is_free(USUAL_API_PORT) else free_port(), is_free
        )

    def _wait_for_api(self) -> None:
        begin = time.monotonic()
        api = self._programs[0]
        for attempt in range(1, API_ATTEMPTS + 1):
            try:
                api.wait_ready(lambda: api_ready(self.url), API_SECONDS)
                break
            except ProcessFailed:
                lost_port = api.exit_code() is not None and not is_free(self._port)
                if self._user.get("PHYTOBATCH_API_PORT") or not lost_port or attempt == API_ATTEMPTS:
                    raise
                self._choose_port()
                api.start()
        self._say(f"API ready ({time.monotonic() - begin:.1f} s)")

    def _note_processes(self) -> None:
        pids = {keeper.process.name: keeper.process.pid for keeper in self._keepers if not keeper.waiting}
        metrics = self._metrics.urls if self._metrics is not None else {}
        write_settings(self.folder, self._environment)
        write_card(self.folder, StackCard(os.getpid(), self.url, pids, metrics))
