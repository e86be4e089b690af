"""The programs of PostgreSQL: search, check of the version, and runs without a password on the command line."""

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
    """A database: ``address`` is a connection string without the password."""

    address: str
    password: str | None = field(repr=False)

    @classmethod
    def of(cls, url: str) -> "Server":
        """Parse the address of the settings; parameters behind its ``?`` are those of libpq."""
        parameters = libpq_parameters(url)
        password = parameters.pop("password", None)
        return cls(make_conninfo("", **parameters), password)

    @property
    def conninfo(self) -> str:
        """The connection string with the password, for psycopg."""
        return self.address if self.password is None else make_conninfo(self.address, password=self.password)


def find(name: str, *, server: int, folder: Path | None) -> Path:
    """Find a program for a server of this major version: in the folder, else in PATH, else in the embedded wheel.

    The oldest suitable one is taken: an older server may not understand the first statements of a newer ``pg_restore``.

    Raises:
        ProgramFailed: there is none, or each is too old.
    """
    candidates = sorted((major_version(program), program) for program in _candidates(name, folder))
    for major, program in candidates:
        if major >= server:
            return program
    too_old = ", ".join(f"{program} ({major})" for major, program in candidates)
    raise ProgramFailed(
        f"no {name} of PostgreSQL {server} or newer here (found: {too_old or 'none'}); install "
        f"postgresql-client-{server}, or name the folder of its programs with --programs"
    )


def _candidates(name: str, folder: Path | None) -> Iterator[Path]:
    program = shutil.which(name, path=None if folder is None else str(folder))
    if program is not None:
        yield Path(program)
    if folder is None:
        try:
            yield installed_package() / "pginstall" / "bin" / name
        except NotPossibleHere:
            return


def run(program: Path, arguments: Sequence[str], server: Server) -> None:
    """Run a program on a server, to its end.

    Raises:
        ProgramFailed: it failed; the message ends with its last output.
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
        tail = "\n".join(done.stderr.strip().splitlines()[-TAIL_LINES:])
        raise ProgramFailed(f"{program.name} failed:\n{tail}")


@contextmanager
def _password_file(server: Server) -> Iterator[dict[str, str]]:
    """Write a file that only its owner can read: an argument would be visible to all users in the list of processes."""
    if server.password is None:
        yield {}
        return
    with tempfile.NamedTemporaryFile("w", prefix="phytobatch-", encoding="utf-8") as file:  # made with mode 0600
        escaped = server.password.replace("\\", "\\\\").replace(":", "\\:")
        file.write(f"*:*:*:*:{escaped}\n")
        file.flush()
        yield {"PGPASSFILE": file.name}
