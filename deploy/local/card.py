"""The card of a running stack and its settings, for other commands: files in ``DATA/run``."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local.errors import LocalStackError
from deploy.local.folder import DataFolder, running_pid
from deploy.local.server import write_private

WAIT_SECONDS = 180.0
POLL_SECONDS = 0.2
SETTINGS = "PHYTOBATCH_"  # what their variables begin with


@dataclass(frozen=True)
class StackCard:
    """The stack's process, the API's address, the process ids of its parts, and their addresses of metrics."""

    pid: int
    url: str
    processes: dict[str, int]
    metrics: dict[str, str]


def write_card(folder: DataFolder, card: StackCard) -> None:
    """Write the card in one step."""
    new = _path(folder).with_suffix(".new")
    new.write_text(json.dumps(asdict(card)), encoding="utf-8")
    new.replace(_path(folder))


def remove_card(folder: DataFolder) -> None:
    """Remove the card and the settings, if they are there."""
    _path(folder).unlink(missing_ok=True)
    _settings_path(folder).unlink(missing_ok=True)


def write_settings(folder: DataFolder, environment: Mapping[str, str]) -> None:
    """Write the settings that lead programs to the servers, with their passwords: only the user can read them."""
    settings = {name: value for name, value in environment.items() if name.startswith(SETTINGS)}
    write_private(_settings_path(folder), json.dumps(settings))


def read_settings(folder: DataFolder) -> dict[str, str] | None:
    """Read the settings of the running stack; None if no stack runs or it is not ready yet."""
    if read_card(folder) is None:
        return None
    settings: dict[str, str] = json.loads(_settings_path(folder).read_text(encoding="utf-8"))
    return settings


def read_card(folder: DataFolder) -> StackCard | None:
    """Read the card of the running stack; None if no stack runs or it is not ready yet."""
    pid = running_pid(folder)
    try:
        card = StackCard(**json.loads(_path(folder).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return card if card.pid == pid else None


def wait_for_card(folder: DataFolder) -> StackCard | None:
    """Read the card of the running stack, waiting while it starts; None if no stack runs.

    Raises:
        LocalStackError: the stack is not ready in time.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    while (pid := running_pid(folder)) is not None:
        if (card := read_card(folder)) is not None:
            return card
        if time.monotonic() > deadline:
            raise LocalStackError(f"process {pid} uses {folder.path} and serves no API; stop it first")
        time.sleep(POLL_SECONDS)
    return None


def _settings_path(folder: DataFolder) -> Path:
    return folder.run / "settings.json"


def _path(folder: DataFolder) -> Path:
    return folder.run / "stack.json"
