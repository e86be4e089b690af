"""The programs of `make checks`, where they are installed. A test that cannot have one says so and is skipped."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.prefix) / "checks" / "bin"


def tool(name: str) -> Path:
    """Return the path of a program; skip the test where it is not installed."""
    path = TOOLS / name
    if not path.exists():
        pytest.skip(f"{name} is not installed: run `make checks`")
    return path


def run(name: str, *arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a program and return its output; nothing is raised when it fails."""
    command: Sequence[str | Path] = (tool(name), *arguments)
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
