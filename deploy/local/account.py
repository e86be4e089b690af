"""Which user PostgreSQL runs as: it refuses root, so root hands it to ``nobody``."""

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
    """A user that a child runs as."""

    uid: int
    gid: int

    def can(self, script: str, *arguments: Path) -> bool:
        """Whether a line of shell succeeds when this user runs it: the only sure way to learn what a user can reach.

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

    def own(self, path: Path) -> None:
        """Give ``path``, and everything in it, to this user."""
        for entry in (path, *path.rglob("*")):
            os.chown(entry, self.uid, self.gid, follow_symlinks=False)


def postgres_account() -> Account | None:
    """The user to become for PostgreSQL, or None to stay who we are.

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
    if not account.can("exit 0"):
        raise NotPossibleHere(
            f"PostgreSQL refuses to run as root, and root may not become the user {UNPRIVILEGED_USER} here; "
            f"start the stack as a normal user, {ELSEWHERE}"
        )
    return account
