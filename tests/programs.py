"""Programs that are no part of the project, which some tests run: Debian has each of them.

`.ci/run` installs them. Where one is missing, its tests are skipped and say so; in CI they fail, because nobody reads
there what was skipped.
"""

import os
import shutil
from pathlib import Path

import pytest

# The program, and the package of Debian 12 that has it.
PACKAGES = {
    "promtool": "prometheus",
    "amtool": "prometheus-alertmanager",
    "ogrinfo": "gdal-bin",
    "exiftool": "libimage-exiftool-perl",
    "pgbouncer": "pgbouncer",
    "/usr/lib/postgresql/15/bin/postgres": "postgresql-15",
}
# Root has it on its path, others have not.
FOLDERS = ("/usr/sbin",)


def find(name: str) -> Path | None:
    """Where a program of the table lies; ``None``: it is not installed."""
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(FOLDERS))
    return None if found is None else Path(found)


def in_ci() -> bool:
    """Whether this is CI, where every program of the table is installed."""
    return os.environ.get("CI") == "true"


def missing(name: str) -> str:
    """What to say where a program is missing."""
    return f"{name} is not installed (Debian: apt-get install {PACKAGES[name]})"


def program(name: str) -> Path:
    """Where a program of the table lies; skips the test where it is not installed, in CI the test fails."""
    found = find(name)
    if found is None and in_ci():
        pytest.fail(f"{missing(name)}; `.ci/run` installs it")
    if found is None:
        pytest.skip(missing(name))
    return found
