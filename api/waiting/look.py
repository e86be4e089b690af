"""The one look at Postgres for all jobs that are waited for: a short statement for all, rows for those that changed."""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from sqlalchemy.orm import Session

from api.waiting.snapshot import Snapshot, Told
from shared.db.session import Database
from shared.jobs import queries

# Jobs of one statement.
PART = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job that somebody waits for: what is known of it, and whether its events are wanted."""

    job_id: uuid.UUID
    known: Snapshot | None
    events: bool


class Looker:
    """Reads jobs, one short transaction for each thousand. Call it in a thread, one at a time."""

    def __init__(self, database: Database, *, public_url: str | None) -> None:
        self._database = database
        self._public_url = public_url

    def __call__(self, wanted: Collection[Wanted]) -> Mapping[uuid.UUID, Snapshot | None]:
        """Each job as it stands now: the known snapshot where nothing has changed, ``None`` where the job is gone.

        Raises:
            DatabaseUnavailable: Postgres is away.
        """
        found: dict[uuid.UUID, Snapshot | None] = {one.job_id: None for one in wanted}
        left = iter(wanted)
        while part := list(islice(left, PART)):
            with self._database.begin() as session:
                found.update(self._part(session, part))
        return found

    def _part(self, session: Session, wanted: Sequence[Wanted]) -> dict[uuid.UUID, Snapshot]:
        seen = dict(_unchanged(session, [one for one in wanted if one.known is not None]))
        rest = [one for one in wanted if one.job_id not in seen]
        known = {one.job_id: one.known for one in wanted}
        for row in queries.look_at_jobs(session, [one.job_id for one in rest]) if rest else ():
            seen[row.job.id] = _snapshot(row, known[row.job.id], self._public_url)
        return self._with_events(session, seen, {one.job_id for one in wanted if one.events})

    def _with_events(
        self, session: Session, seen: dict[uuid.UUID, Snapshot], wanted: Collection[uuid.UUID]
    ) -> dict[uuid.UUID, Snapshot]:
        """Load what has happened since the events that are known."""
        missing = {
            job_id: (one.events_until, one.revision)
            for job_id, one in seen.items()
            if job_id in wanted and one.events_until < one.revision
        }
        if not missing:
            return seen
        new: dict[uuid.UUID, list[Told]] = {job_id: [] for job_id in missing}
        for job_id, revision, event_type, data, at in queries.events_between(session, missing):
            new[job_id].append(Told.of(event_type, at, data, revision=revision, public_url=self._public_url))
        return seen | {
            job_id: replace(seen[job_id], events=(*seen[job_id].events, *told), events_until=seen[job_id].revision)
            for job_id, told in new.items()
        }


def _unchanged(session: Session, wanted: Sequence[Wanted]) -> Iterator[tuple[uuid.UUID, Snapshot]]:
    """What is known and still so."""
    known = {one.job_id: one.known for one in wanted}
    for standing in queries.standings(session, list(known)) if known else ():
        snapshot = known[standing.job_id]
        now = (standing.revision, standing.queue_position, standing.paused)
        if snapshot is not None and snapshot.standing == now:
            yield standing.job_id, snapshot


def _snapshot(row: queries.SeenJob, known: Snapshot | None, public_url: str | None) -> Snapshot:
    """A new one, unless nothing that clients see of the job has changed."""
    if known is None:
        return Snapshot(row, public_url)
    if known.standing == (row.job.revision, row.queue_position, row.paused):
        return known
    return Snapshot(row, public_url, known.events, known.events_until)
