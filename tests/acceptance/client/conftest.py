"""Real images, and the command as a process. ``stack`` is the whole service on real servers (see above this folder)."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest
from PIL import Image

from tests.patience import PATIENCE_SECONDS


class Stack(Protocol):
    """The parts of the stack that these tests use."""

    url: str
    api_key: str
    environment: dict[str, str]


class Command:
    """``phytobatch`` as users start it."""

    def __init__(self, stack: Stack, state: Path) -> None:
        self.state = state
        self._environment = {
            **os.environ,
            "PHYTOBATCH_URL": stack.url,
            "PHYTOBATCH_API_KEY": stack.api_key,
            "XDG_STATE_HOME": str(state),
        }

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """The process, with both streams piped."""
        command = [sys.executable, "-m", "phytobatch", *arguments]
        return subprocess.Popen(
            command, env=self._environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def run(self, *arguments: str, code: int = 0) -> str:
        """stdout of a process that must end with ``code``."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == code, f"{process.returncode} {out} {err}"
        return out

    def json(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401  # a JSON document
        """The document that a process prints with ``--json``."""
        return json.loads(self.run(*arguments, "--json", code=code))

    def json_lines(self, *arguments: str) -> list[Any]:
        """The documents that a process prints with ``--json``, one in each line."""
        return [json.loads(line) for line in self.run(*arguments, "--json").splitlines()]

    def journal(self) -> list[dict[str, Any]]:
        """The whole records of the only unfinished submission; empty before there is one."""
        for path in self.state.rglob("*.journal"):
            lines = path.read_bytes().split(b"\n")[:-1]
            return [json.loads(line) for line in lines]
        return []


@pytest.fixture
def command(stack: Stack, tmp_path: Path) -> Command:
    return Command(stack, tmp_path / "state")


@pytest.fixture
def make_images(tmp_path: Path) -> Callable[[int], Path]:
    """A folder with so many different JPEGs."""

    def make(count: int) -> Path:
        folder = tmp_path / "images"
        folder.mkdir(exist_ok=True)
        for number in range(count):
            Image.effect_noise((256, 256), 64).convert("RGB").save(folder / f"DJI_{number:04}.JPG", quality=90)
        return folder

    return make
