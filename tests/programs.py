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
    """Return the path of a program of the table; ``None``: it is not installed."""
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(FOLDERS))
    return None if found is None else Path(found)


def in_ci() -> bool:
    """Return True in CI, where every program of the table is installed."""
    return os.environ.get("CI") == "true"


def missing(name: str) -> str:
    """Return the sentence for a program that is missing."""
    return f"{name} is not installed (Debian: apt-get install {PACKAGES[name]})"


def program(name: str) -> Path:
    """Return the path of a program of the table; skip the test where it is missing, and fail it in CI."""
    found = find(name)
    if found is None and in_ci():
        pytest.fail(f"{missing(name)}; `.ci/run` installs it")
    if found is None:
        pytest.skip(missing(name))
    return found
