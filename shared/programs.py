"""The running programs: each writes a heartbeat every few seconds, in a row of its own."""

import os
import socket
import time
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.orm import Session

# Seconds between two heartbeats of a program; seconds after the last one at which it counts as gone.
HEARTBEAT_SECONDS = 15.0
GONE_SECONDS = 60.0
# The row of a killed program is deleted after this.
FORGET_HOURS = 24

SEEN = text(
    "INSERT INTO programs (kind, name, seen_at) VALUES (:kind, :name, now()) "
    "ON CONFLICT (kind, name) DO UPDATE SET seen_at = now()"
)
ENDED = text("DELETE FROM programs WHERE kind = :kind AND name = :name")
FORGET = text("DELETE FROM programs WHERE seen_at < now() - make_interval(hours => :hours) RETURNING 1")
RUNNING = text("SELECT count(*) FROM programs WHERE kind = :kind AND seen_at > now() - make_interval(secs => :gone)")


class ProgramKind(StrEnum):
    """The programs without a port, which only their heartbeat shows."""

    WORKER = "worker"
    DELIVERER = "deliverer"


def own_name() -> str:
    """Name this process by its host and process id."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Heartbeat:
    """The heartbeat of this process in the database, at most every :data:`HEARTBEAT_SECONDS`."""

    def __init__(self, kind: ProgramKind, name: str) -> None:
        self._who = {"kind": kind, "name": name}
        self._written_at = float("-inf")

    def write(self, session: Session) -> None:
        """Write the row if it is due, in the caller's transaction."""
        if time.monotonic() - self._written_at >= HEARTBEAT_SECONDS:
            session.execute(SEEN, self._who)
            self._written_at = time.monotonic()

    def end(self, session: Session) -> None:
        """Delete the row, because this process ends."""
        session.execute(ENDED, self._who)


def count_running(session: Session, kind: ProgramKind) -> int:
    """Count the programs of a kind with a heartbeat in the last minute."""
    return int(session.execute(RUNNING, {"kind": kind, "gone": GONE_SECONDS}).scalar_one())


def forget(session: Session) -> int:
    """Delete the rows of programs that were killed long ago; return their number."""
    return len(session.execute(FORGET, {"hours": FORGET_HOURS}).all())
