import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from deploy.local.child import LAUNCHER, Child, Program, describe_exit, log_tail, rotate
from deploy.local.errors import ProcessFailed
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

PARENT = """
import subprocess, sys, os, time
launcher, how, signal_number = sys.argv[1:4]
prefix = [sys.executable, "-I", "-S", launcher, how, signal_number, str(os.getpid()), "-", "-"]
child = subprocess.Popen([*prefix, "/bin/sleep", "120"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(120)
"""


def program(tmp_path: Path, code: str, **overrides: object) -> Program:
    values = {"stop_seconds": 10.0, **overrides}
    command = (sys.executable, "-u", "-c", code)
    return Program("tried", command, tmp_path / "tried.log", {"LC_ALL": "C"}, **values)  # type: ignore[arg-type]


def test_a_child_that_ends_early_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    child = Child(program(tmp_path, "import sys; print('no such table'); sys.exit(4)"))
    with pytest.raises(ProcessFailed, match=r"(?s)tried ended at its start \(exit code 4\).*no such table"):
        child.wait_ready(lambda: False, PATIENCE_SECONDS)


def test_a_child_that_is_never_ready_is_an_error(tmp_path: Path) -> None:
    child = Child(program(tmp_path, "import time; time.sleep(60)"))
    with pytest.raises(ProcessFailed, match="was not ready within 0 seconds"):
        child.wait_ready(lambda: False, 0)
    child.kill()
    assert child.returncode == -signal.SIGKILL


def test_a_child_that_ignores_sigterm_is_killed_with_its_family(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(subprocess.Popen(['/bin/sleep', '60']).pid); time.sleep(60)"
    )
    child = Child(program(tmp_path, code, stop_seconds=0.2))
    child.wait_ready(lambda: bool(child.tail()), PATIENCE_SECONDS)
    grandchild = psutil.Process(int(child.tail()))
    child.stop()
    assert child.returncode == -signal.SIGKILL
    assert psutil.wait_procs([grandchild], timeout=PATIENCE_SECONDS)[1] == []


def test_the_tail_is_of_this_run_alone(tmp_path: Path) -> None:
    for word in ("first", "second"):
        child = Child(program(tmp_path, f"print('{word}')"))
        assert child.wait(PATIENCE_SECONDS) == 0
        child.kill()
        assert child.tail() == word
    assert log_tail(tmp_path / "tried.log") == "first\nsecond"


def test_a_large_log_is_rotated(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_bytes(b"")
    os.truncate(log, 10_000_001)
    rotate(log)
    assert not log.exists()
    assert (tmp_path / "api.old.log").stat().st_size == 10_000_001


def test_ends_are_described_for_people() -> None:
    assert describe_exit(3) == "exit code 3"
    assert describe_exit(-15) == "killed by SIGTERM"


@pytest.mark.parametrize(
    "how", [pytest.param("kernel", marks=pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux")), "watch"]
)
def test_the_launcher_ties_a_program_to_its_parent(how: str) -> None:
    command = [sys.executable, "-c", PARENT, str(LAUNCHER), how, str(int(signal.SIGTERM))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        tied = psutil.Process(int(parent.stdout.readline()))
        family = [tied, *tied.children()]
        parent.kill()
    assert psutil.wait_procs(family, timeout=PATIENCE_SECONDS)[1] == []


def test_the_launcher_starts_nothing_for_a_parent_that_has_gone(tmp_path: Path) -> None:
    prefix = [sys.executable, "-I", "-S", str(LAUNCHER), "watch", "9", "1", "-", "-"]
    done = subprocess.run([*prefix, "/bin/touch", str(tmp_path / "made")], check=False, capture_output=True, text=True)
    assert done.returncode != 0
    assert "has ended already" in done.stderr
    assert not (tmp_path / "made").exists()
