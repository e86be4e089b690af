"""The programs of `make checks`."""

import subprocess
import sys
from pathlib import Path

from deploy.vulnerabilities.errors import ToolMissing

TOOLS = Path(sys.prefix) / "checks" / "bin"
# One lock asks some 200 questions of an advisory database.
SECONDS = 600


def run(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program of the check tools and return its output, also if it fails.

    Raises:
        ToolMissing: it is not installed.
    """
    program = TOOLS / name
    if not program.exists():
        raise ToolMissing(f"{name} is not installed; run `make checks`")
    return subprocess.run(  # noqa: S603  # our own check tools, with paths and names of ours
        (program, *arguments), capture_output=True, text=True, timeout=SECONDS, check=False
    )
