import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local.errors import FolderInUse
from deploy.local.folder import running_pid
from deploy.local.servers import LocalServers
from tests.patience import PATIENCE_SECONDS

PARENT = """
import json, sys, time
from deploy.local.servers import LocalServers
with LocalServers(sys.argv[1], fast=True) as servers:
    print(json.dumps([server.pid for server in servers.all]), flush=True)
    time.sleep(120)
"""


@pytest.fixture
def servers() -> Iterator[LocalServers]:
    """Servers that are not started yet, on a folder that is removed."""
    with LocalServers.temporary(services=["valkey"]) as running:
        running.stop()
        yield running


def start_parent(folder: Path) -> tuple["subprocess.Popen[str]", list[psutil.Process]]:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(folder)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = json.loads(parent.stdout.readline())
    family = [psutil.Process(pid) for pid in pids]
    return parent, [*family, *(child for process in family for child in process.children(recursive=True))]


def test_nothing_outlives_a_parent_that_was_killed(servers: LocalServers) -> None:
    parent, family = start_parent(servers.folder.path)
    assert parent.stdout is not None
    assert len(family) > 3
    parent.kill()
    parent.wait()
    parent.stdout.close()
    _, alive = psutil.wait_procs(family, timeout=PATIENCE_SECONDS)
    assert alive == []
    with LocalServers(servers.folder.path, fast=True) as again:
        assert again.postgres.database_exists("phytobatch")


def test_a_second_stack_on_the_same_folder_is_told_who_has_it(servers: LocalServers) -> None:
    with LocalServers(servers.folder.path, services=["valkey"]):
        other = LocalServers(servers.folder.path, services=["valkey"])
        with pytest.raises(FolderInUse, match=f"process {os.getpid()} already runs"):
            other.start()
        assert running_pid(servers.folder) == os.getpid()
    assert running_pid(servers.folder) is None


def test_removing_waits_for_no_one_and_touches_nothing_in_use(servers: LocalServers) -> None:
    with LocalServers(servers.folder.path, services=["valkey"]) as running, pytest.raises(FolderInUse):
        running.remove()
    assert servers.folder.is_ours


def test_a_server_that_a_thread_started_outlives_the_thread(servers: LocalServers) -> None:
    with LocalServers(servers.folder.path, services=["valkey"]) as running:
        running.valkey.kill()
        thread = threading.Thread(target=running.valkey.restart)
        thread.start()
        thread.join()
        with pytest.raises(psutil.TimeoutExpired):
            psutil.Process(running.valkey.pid).wait(1)
        assert running.valkey.answers()


def test_an_orderly_stop_leaves_no_process(servers: LocalServers) -> None:
    with LocalServers(servers.folder.path, fast=True) as running:
        family = [psutil.Process(server.pid) for server in running.all]
        family += [child for process in family for child in process.children(recursive=True)]
    assert [process for process in family if process.is_running()] == []


def test_a_parent_that_is_interrupted_stops_its_servers(servers: LocalServers) -> None:
    parent, family = start_parent(servers.folder.path)
    assert parent.stdout is not None
    parent.send_signal(signal.SIGINT)
    parent.wait(PATIENCE_SECONDS)
    parent.stdout.close()
    assert [process for process in family if process.is_running()] == []
    assert not (servers.folder.path / "postgres" / "data" / "postmaster.pid").exists()
