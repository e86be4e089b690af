"""Which programs are at work: each says so every few seconds, in a row of its own."""

import os
import socket
import time
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.orm import Session

# How often a program says that it lives; by this many seconds after that it counts as gone.
SAY_SECONDS = 15.0
GONE_SECONDS = 60.0
# What a killed program left is forgotten after this.
FORGET_HOURS = 24

SEEN = text(
    "INSERT INTO programs (kind, name, seen_at) VALUES (:kind, :name, now()) "
    "ON CONFLICT (kind, name) DO UPDATE SET seen_at = now()"
)
ENDED = text("DELETE FROM programs WHERE kind = :kind AND name = :name")
FORGET = text("DELETE FROM programs WHERE seen_at < now() - make_interval(hours => :hours) RETURNING 1")
AT_WORK = text("SELECT count(*) FROM programs WHERE kind = :kind AND seen_at > now() - make_interval(secs => :gone)")


class ProgramKind(StrEnum):
    """Programs that have no port, so that nothing but their word shows that they are there."""

    WORKER = "worker"
    DELIVERER = "deliverer"


def own_name() -> str:
    """Name this process by its host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


class SignOfLife:
    """Says in the database that this process is at work, at most every :data:`SAY_SECONDS`."""

    def __init__(self, kind: ProgramKind, name: str) -> None:
        self._who = {"kind": kind, "name": name}
        self._said_at = float("-inf")

    def say(self, session: Session) -> None:
        """Write the row where it is time, in the caller's transaction."""
        if time.monotonic() - self._said_at >= SAY_SECONDS:
            session.execute(SEEN, self._who)
            self._said_at = time.monotonic()

    def end(self, session: Session) -> None:
        """Take the row away: this process ends."""
        session.execute(ENDED, self._who)


def at_work(session: Session, kind: ProgramKind) -> int:
    """Count the programs of a kind that have shown within a minute that they live."""
    return int(session.execute(AT_WORK, {"kind": kind, "gone": GONE_SECONDS}).scalar_one())


def forget(session: Session) -> int:
    """Forget programs that were killed long ago; how many."""
    return len(session.execute(FORGET, {"hours": FORGET_HOURS}).all())
