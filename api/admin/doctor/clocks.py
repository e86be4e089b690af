"""The clocks of this machine, of the database and of the object store.

Leases and schedules go by the database alone. Signatures of S3 and of webhooks, and certificates, go by the others.
"""

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from api.admin.doctor.finding import Check, Finding, fail, ok, warn
from api.admin.doctor.subject import Subject

# Receivers of webhooks refuse what is more than five minutes off (Standard Webhooks); S3 refuses a quarter of an hour.
NOTED_SECONDS = 5.0
REFUSED_SECONDS = 240.0
DO = "let NTP set the clock of this machine and of that server"


def _judge(check: str, theirs: float, before: float, after: float, *, exact: float) -> Finding:
    """Judge how far a clock is from ours at the least, when its time was read between two moments of ours."""
    off = max(before - theirs - exact, theirs - after, 0.0)
    detail = f"{off:.1f} s away from this machine"
    if off > REFUSED_SECONDS:
        return fail(check, f"{detail}: signatures are refused", DO)
    if off > NOTED_SECONDS:
        return warn(check, detail, DO)
    return ok(check, "goes with this machine")


def clock_of_database(subject: Subject) -> Iterator[Finding]:
    """Compare the clock that leases and schedules go by."""
    subject.row("SELECT 1")  # Connecting takes its time.
    before = time.time()
    theirs = float(subject.row("SELECT extract(epoch FROM clock_timestamp()) AS now").now)
    yield _judge("clock of the database", theirs, before, time.time(), exact=0.0)


def clock_of_store(subject: Subject) -> Iterator[Finding]:
    """Compare the ``Date`` of an answer, which is cut off to the second."""
    before = time.time()
    answer = subject.s3.head_bucket(Bucket=subject.settings.s3_bucket)
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date is None:
        yield ok("clock of the store", "does not say its time")
        return
    theirs = parsedate_to_datetime(date).timestamp()
    yield _judge("clock of the store", theirs, before, time.time(), exact=1.0)


CHECKS: tuple[Check, ...] = (clock_of_database, clock_of_store)
