"""The programs of PostgreSQL: found, checked for their version, and run without a password on their command line."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from psycopg.conninfo import make_conninfo

from deploy.backup.errors import ProgramFailed
from deploy.local.errors import NotPossibleHere
from deploy.local.postgres_programs import installed_package, major_version
from shared.addresses.postgres import libpq_parameters

TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class Server:
    """Which database: ``address`` is a connection string without the password."""

    address: str
    password: str | None = field(repr=False)

    @classmethod
    def of(cls, url: str) -> "Server":
        """From the address of the settings; what stands behind its ``?`` is for libpq."""
        given = libpq_parameters(url)
        password = given.pop("password", None)
        return cls(make_conninfo("", **given), password)

    @property
    def whole(self) -> str:
        """The connection string with the password, for psycopg."""
        return self.address if self.password is None else make_conninfo(self.address, password=self.password)


def find(name: str, *, server: int, folder: Path | None) -> Path:
    """A program for a server of this major version: of the folder, else of PATH, else of the embedded wheel.

    The oldest that will do: what a newer ``pg_restore`` says first, an older server may not understand.

    Raises:
        ProgramFailed: there is none, or each is too old.
    """
    found = sorted((major_version(program), program) for program in _candidates(name, folder))
    for major, program in found:
        if major >= server:
            return program
    seen = ", ".join(f"{program} ({major})" for major, program in found)
    raise ProgramFailed(
        f"no {name} of PostgreSQL {server} or newer here (found: {seen or 'none'}); install "
        f"postgresql-client-{server}, or name the folder of its programs with --programs"
    )


def _candidates(name: str, folder: Path | None) -> Iterator[Path]:
    found = shutil.which(name, path=None if folder is None else str(folder))
    if found is not None:
        yield Path(found)
    if folder is None:
        try:
            yield installed_package() / "pginstall" / "bin" / name
        except NotPossibleHere:
            return


def run(program: Path, arguments: Sequence[str], server: Server) -> None:
    """Run a program on a server, to its end.

    Raises:
        ProgramFailed: with what it said last.
    """
    with _password_file(server) as variables:
        done = subprocess.run(  # noqa: S603  # a program of PostgreSQL
            [program, *arguments, f"--dbname={server.address}", "--no-password"],
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        said = "\n".join(done.stderr.strip().splitlines()[-TAIL_LINES:])
        raise ProgramFailed(f"{program.name} failed:\n{said}")


@contextmanager
def _password_file(server: Server) -> Iterator[dict[str, str]]:
    """A file that only we can read: an argument would stand in the list of processes for everybody."""
    if server.password is None:
        yield {}
        return
    with tempfile.NamedTemporaryFile("w", prefix="phytobatch-", encoding="utf-8") as file:  # made with mode 0600
        escaped = server.password.replace("\\", "\\\\").replace(":", "\\:")
        file.write(f"*:*:*:*:{escaped}\n")
        file.flush()
        yield {"PGPASSFILE": file.name}
