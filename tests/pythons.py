"""The Pythons of this machine, for the tests of the client, which runs on older and newer ones than the server.

The one that runs the tests is always there. CI has Debian's alone (3.11): there the others are skipped, and whoever
works on the client has 3.9 and 3.13 by pyenv, uv or python.org.
"""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

# 3.9 is the oldest that is supported, 3.13 is newer than any that the locks of the server are made with.
MINORS = sorted({9, 13, sys.version_info.minor})


@cache
def find(minor: int) -> Path | None:
    """Return a working ``python3.MINOR`` of ``PATH``, of pyenv or of uv; None where there is none."""
    if minor == sys.version_info.minor:
        return Path(sys.executable)
    name = f"python3.{minor}"
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    uv = Path.home() / ".local" / "share" / "uv" / "python"
    found = [Path(first)] if (first := shutil.which(name)) else []
    found += [*pyenv.glob(f"3.{minor}*/bin/{name}"), *uv.glob(f"cpython-3.{minor}*/bin/{name}")]
    return next((path for path in found if _works(path, minor)), None)


def python(minor: int) -> Path:
    """Return ``python3.MINOR``; skip the test where it is not installed."""
    found = find(minor)
    if found is None:
        pytest.skip(f"there is no Python 3.{minor} here (neither on PATH nor by pyenv or uv)")
    return found


def _works(path: Path, minor: int) -> bool:
    """Return whether it starts: a shim of pyenv is there also for versions that are not."""
    code = f"import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, {minor}))"
    return (
        subprocess.run([path, "-c", code], capture_output=True, timeout=PATIENCE_SECONDS, check=False).returncode == 0
    )
