"""The poll of Postgres for all jobs that are waited for: a short statement for all, rows for those that changed."""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from sqlalchemy.orm import Session

from api.waiting.snapshot import Snapshot, StreamEvent
from shared.db.session import Database
from shared.jobs import queries

# Jobs of one statement.
PART = 1000


@dataclass(frozen=True, slots=True)
class Polled:
    """A job that somebody waits for: its last snapshot, and whether its events are needed."""

    job_id: uuid.UUID
    known: Snapshot | None
    events: bool


class JobPoll:
    """A poll of many jobs, one short transaction for each thousand. Call it in a thread, one at a time."""

    def __init__(self, database: Database, *, public_url: str | None) -> None:
        self._database = database
        self._public_url = public_url

    def __call__(self, jobs: Collection[Polled]) -> Mapping[uuid.UUID, Snapshot | None]:
        """Return each job as it stands now: the known snapshot if nothing has changed, ``None`` if the job is gone.

        Raises:
            DatabaseUnavailable: Postgres is away.
        """
        found: dict[uuid.UUID, Snapshot | None] = {one.job_id: None for one in jobs}
        left = iter(jobs)
        while part := list(islice(left, PART)):
            with self._database.begin() as session:
                found.update(self._part(session, part))
        return found

    def _part(self, session: Session, jobs: Sequence[Polled]) -> dict[uuid.UUID, Snapshot]:
        seen = dict(_unchanged(session, [one for one in jobs if one.known is not None]))
        rest = [one for one in jobs if one.job_id not in seen]
        known = {one.job_id: one.known for one in jobs}
        for row in queries.read_jobs(session, [one.job_id for one in rest]) if rest else ():
            seen[row.job.id] = _snapshot(row, known[row.job.id], self._public_url)
        return self._with_events(session, seen, {one.job_id for one in jobs if one.events})

    def _with_events(
        self, session: Session, seen: dict[uuid.UUID, Snapshot], job_ids: Collection[uuid.UUID]
    ) -> dict[uuid.UUID, Snapshot]:
        """Load what has happened since the events that are known."""
        missing = {
            job_id: (one.events_until, one.revision)
            for job_id, one in seen.items()
            if job_id in job_ids and one.events_until < one.revision
        }
        if not missing:
            return seen
        new: dict[uuid.UUID, list[StreamEvent]] = {job_id: [] for job_id in missing}
        for job_id, revision, event_type, data, at in queries.events_between(session, missing):
            new[job_id].append(StreamEvent.of(event_type, at, data, revision=revision, public_url=self._public_url))
        return seen | {
            job_id: replace(seen[job_id], events=(*seen[job_id].events, *later), events_until=seen[job_id].revision)
            for job_id, later in new.items()
        }


def _unchanged(session: Session, jobs: Sequence[Polled]) -> Iterator[tuple[uuid.UUID, Snapshot]]:
    """Yield the jobs whose last snapshot still holds."""
    known = {one.job_id: one.known for one in jobs}
    for standing in queries.standings(session, list(known)) if known else ():
        snapshot = known[standing.job_id]
        now = (standing.revision, standing.queue_position, standing.paused)
        if snapshot is not None and snapshot.standing == now:
            yield standing.job_id, snapshot


def _snapshot(row: queries.JobDetail, known: Snapshot | None, public_url: str | None) -> Snapshot:
    """Make a new snapshot, unless nothing that clients see of the job has changed."""
    if known is None:
        return Snapshot(row, public_url)
    if known.standing == (row.job.revision, row.queue_position, row.paused):
        return known
    return Snapshot(row, public_url, known.events, known.events_until)
