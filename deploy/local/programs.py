"""Our own programs as processes: API, worker, beat, deliverer, and the operator commands that prepare the servers."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import urllib3

from deploy.local.child import Child, Program, describe_exit
from deploy.local.folder import DataFolder

ADMIN_SECONDS = 120.0
PROBE_SECONDS = 3.0
# Longer than PHYTOBATCH_SHUTDOWN_SECONDS, in which a worker hands its chunks back.
STOP_SECONDS = 30.0
COMMANDS = {
    "api": ("-m", "api"),
    "worker": ("-m", "worker", "--ready-file", "{run}/worker.ready"),
    "beat": ("-m", "worker", "beat"),
    "deliverer": ("-m", "worker", "deliver"),
}
# On one machine, what receives webhooks is on that machine: a developer's own program, at one of these ports. They are
# named, because a tenant chooses where webhooks go: databases, object stores and consoles listen on a developer's
# machine, too. The stack's own servers are never among them (``deploy.local.ports``).
RECEIVER_PORTS = range(9000, 9100)
_NAMED = f"{RECEIVER_PORTS.start}-{RECEIVER_PORTS.stop - 1}"
DEFAULTS = {"PHYTOBATCH_WEBHOOK_NETWORKS": f"127.0.0.0/8:{_NAMED},[::1/128]:{_NAMED}"}
# In this order; the commands of one step run side by side. All are idempotent.
# The worker serves the classifier that came with this version, so that one has to be the default.
PREPARATIONS = ((("migrate",), ("create-bucket",)), (("register-classifier", "--default"),))


def program(name: str, folder: DataFolder, environment: Mapping[str, str]) -> Program:
    """Return one of ``COMMANDS``, logging to ``logs/NAME.log``; ``DEFAULTS`` complete ``environment``."""
    arguments = [argument.format(run=folder.run) for argument in COMMANDS[name]]
    return Program(
        name,
        (sys.executable, *arguments),
        folder.logs / f"{name}.log",
        {**DEFAULTS, **environment, "PYTHONUNBUFFERED": "1"},
        stop_seconds=STOP_SECONDS,
    )


def prepare_servers(folder: DataFolder, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Bring the schema, the bucket and the list of classifiers to the state that this version needs.

    Raises:
        ProcessFailed: a command failed; the message shows its output.
    """
    for step in PREPARATIONS:
        begin = time.monotonic()
        with ThreadPoolExecutor(len(step)) as pool:
            for done in [pool.submit(run_admin, command, folder, environment) for command in step]:
                done.result()
        say(f"{' and '.join(name for name, *_ in step)} ({time.monotonic() - begin:.1f} s)")


def run_admin(command: Sequence[str], folder: DataFolder, environment: Mapping[str, str]) -> None:
    """Run ``python -m api.admin COMMAND [OPTION...]`` to its end, logging to ``logs/COMMAND.log``.

    Raises:
        ProcessFailed: it failed or did not end in time.
    """
    log = folder.logs / f"{command[0]}.log"
    arguments = (sys.executable, "-m", "api.admin", *command)
    child = Child(Program(f"api.admin {command[0]}", arguments, log, environment))
    try:
        code = child.wait(ADMIN_SECONDS)
        if code != 0:
            raise child.failure(f"failed ({describe_exit(code)})")
    finally:
        child.kill()


def api_ready(url: str) -> bool:
    """Return True if ``GET /readyz`` says that the API is ready."""
    try:
        with urllib3.PoolManager(retries=False, timeout=PROBE_SECONDS) as pool:
            return pool.request("GET", f"{url}/readyz").status == 200  # noqa: PLR2004  # HTTP's "OK"
    except urllib3.exceptions.HTTPError:
        return False


def ready_file(folder: DataFolder) -> Path:
    """Return the file that the worker touches when its classifier is warm."""
    return folder.run / "worker.ready"
