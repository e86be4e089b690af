import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.folder import DataFolder, running_pid
from deploy.local.servers import LocalServers
from tests.patience import PATIENCE_SECONDS

HOLD = """
import sys, time
from deploy.local.servers import LocalServers
with LocalServers(sys.argv[1], services=["valkey"]):
    print("up", flush=True)
    time.sleep(120)
"""


@pytest.fixture
def folder() -> Iterator[DataFolder]:
    """A data folder that servers have used; nothing runs."""
    with LocalServers.temporary(services=["valkey"]) as servers:
        servers.stop()
        yield servers.folder


@pytest.fixture
def holder(folder: DataFolder) -> Iterator["subprocess.Popen[str]"]:
    """A process that runs servers on the data folder."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(folder.path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def run(command: str, folder: DataFolder | Path) -> "subprocess.CompletedProcess[str]":
    path = folder.path if isinstance(folder, DataFolder) else folder
    return subprocess.run(
        [sys.executable, "-m", "deploy.local", command],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        env={**os.environ, "PHYTOBATCH_LOCAL_DATA": str(path)},
    )


def test_without_a_stack_down_is_harmless_and_status_says_so(folder: DataFolder, tmp_path: Path) -> None:
    for place in (folder, tmp_path / "never"):
        done = run("down", place)
        assert (done.returncode, "nothing runs" in done.stdout) == (0, True)
        assert run("status", place).returncode == 3
    assert not (tmp_path / "never").exists()


def test_down_stops_what_runs_on_the_folder(folder: DataFolder, holder: "subprocess.Popen[str]") -> None:
    assert running_pid(folder) == holder.pid
    done = run("down", folder)
    assert done.returncode == 0, done.stderr
    assert holder.wait(PATIENCE_SECONDS) == -signal.SIGTERM
    assert running_pid(folder) is None


def test_status_tells_servers_without_an_api(folder: DataFolder, holder: "subprocess.Popen[str]") -> None:
    done = run("status", folder)
    assert done.returncode == 1
    assert f"process {holder.pid}" in done.stdout


def test_clean_refuses_while_something_runs_and_removes_after(
    folder: DataFolder, holder: "subprocess.Popen[str]"
) -> None:
    refused = run("clean", folder)
    assert refused.returncode == 1
    assert f"process {holder.pid} already runs" in refused.stderr
    assert folder.is_ours
    run("down", folder)
    assert run("clean", folder).returncode == 0
    assert not folder.path.exists()
    assert run("clean", folder).returncode == 0


def test_clean_touches_no_folder_that_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    done = run("clean", tmp_path)
    assert done.returncode == 1
    assert "nothing removed" in done.stderr
    assert (tmp_path / "thesis.txt").exists()


def test_a_missing_photo_folder_is_said_before_anything_starts(folder: DataFolder, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local", "demo", "--dir", str(tmp_path / "nowhere")],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        env={**os.environ, "PHYTOBATCH_LOCAL_DATA": str(folder.path)},
    )
    assert done.returncode == 1
    assert "is no folder" in done.stderr
