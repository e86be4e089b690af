"""The user of PostgreSQL, which refuses root: root runs it as ``nobody``."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import NotPossibleHere

UNPRIVILEGED_USER = "nobody"
CHECK_SECONDS = 20
ELSEWHERE = "or point PHYTOBATCH_DATABASE_URL at a PostgreSQL that runs elsewhere"


@dataclass(frozen=True)
class Account:
    """The user of a child process."""

    uid: int
    gid: int

    def can_run(self, script: str, *arguments: Path) -> bool:
        """Return True if a line of shell succeeds for this user: the only sure test of what a user can reach.

        ``arguments`` are ``$1``, ``$2`` and so on in ``script``.
        """
        try:
            done = subprocess.run(  # noqa: S603  # scripts of ours, with the paths as arguments
                ["/bin/sh", "-c", script, "sh", *map(str, arguments)],
                user=self.uid,
                group=self.gid,
                extra_groups=[],
                check=False,
                capture_output=True,
                cwd="/",
                env={"LC_ALL": "C"},
                timeout=CHECK_SECONDS,
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0

    def take_over(self, path: Path) -> None:
        """Make this user the owner of ``path`` and everything in it."""
        for entry in (path, *path.rglob("*")):
            os.chown(entry, self.uid, self.gid, follow_symlinks=False)


def postgres_account() -> Account | None:
    """Return the user to switch to for PostgreSQL, or None to stay the current one.

    Raises:
        NotPossibleHere: this user has no passwd entry (``initdb`` needs one), or root finds no ``nobody``.
    """
    uid = os.geteuid()
    if uid == 0:
        return _unprivileged()
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise NotPossibleHere(
            f"user {uid} has no entry in the passwd database, and PostgreSQL needs one; "
            f"run as a user that has one (in a container: add a line to /etc/passwd), {ELSEWHERE}"
        ) from None
    return None


def _unprivileged() -> Account:
    try:
        entry = pwd.getpwnam(UNPRIVILEGED_USER)
    except KeyError:
        raise NotPossibleHere(
            f"PostgreSQL refuses to run as root, and there is no user {UNPRIVILEGED_USER} to run it as; "
            f"start the stack as a normal user, {ELSEWHERE}"
        ) from None
    account = Account(entry.pw_uid, entry.pw_gid)
    if not account.can_run("exit 0"):
        raise NotPossibleHere(
            f"PostgreSQL refuses to run as root, and root may not become the user {UNPRIVILEGED_USER} here; "
            f"start the stack as a normal user, {ELSEWHERE}"
        )
    return account
