"""What a stream sends next, by what it has sent."""

import uuid
from datetime import UTC, datetime

import pytest

from api.waiting.snapshot import Snapshot, StreamEvent
from api.waiting.stream import Cursor, cursor_of
from shared.contracts.states import JobState
from shared.db.models import Job
from shared.jobs.queries import JobDetail

NOW = datetime(2026, 6, 1, tzinfo=UTC)
STARTED, ENDED = StreamEvent(3, b"started"), StreamEvent(7, b"ended")


def snapshot(state: JobState, revision: int, *events: StreamEvent, position: int | None = None) -> Snapshot:
    job = Job(
        id=uuid.UUID(int=1), tenant_id=uuid.UUID(int=2), state=state, revision=revision, retries=0, total=4,
        succeeded=1, failed=0, rejected=0, canceled=0,
    )  # fmt: skip
    return Snapshot(JobDetail(job, None, read_at=NOW, queue_position=position), events=events, events_until=revision)


def sent(cursor: Cursor, seen: Snapshot) -> list[str]:
    return ["progress" if b"job.progress" in frame else frame.decode() for frame in cursor.take(seen)]


def test_a_new_client_gets_no_history_but_how_far_it_is() -> None:
    cursor = Cursor(None)
    running = snapshot(JobState.RUNNING, 4, STARTED)
    assert sent(cursor, running) == ["progress"]
    assert cursor.revision == 4
    assert sent(cursor, running) == []


def test_a_new_client_of_a_job_that_is_over_gets_its_end() -> None:
    over = snapshot(JobState.COMPLETED, 7, STARTED, ENDED)
    cursor = Cursor(None)
    assert not cursor.is_at_end(over)
    assert sent(cursor, over) == ["ended"]
    assert cursor.is_at_end(over)


def test_an_end_without_an_event_is_told_by_how_far_it_is() -> None:
    over = snapshot(JobState.COMPLETED, 7)
    cursor = Cursor(None)
    assert sent(cursor, over) == ["progress"]
    assert cursor.is_at_end(over)


def test_who_goes_on_gets_every_event_and_then_how_far_it_is_if_that_says_more() -> None:
    assert sent(Cursor(1), snapshot(JobState.RUNNING, 3, STARTED)) == ["started"]
    assert sent(Cursor(1), snapshot(JobState.RUNNING, 4, STARTED)) == ["started", "progress"]
    assert sent(Cursor(3), snapshot(JobState.RUNNING, 4, STARTED)) == ["progress"]
    assert sent(Cursor(1), snapshot(JobState.COMPLETED, 7, STARTED, ENDED)) == ["started", "ended"]


def test_a_job_that_ended_before_and_runs_again_is_not_at_its_end() -> None:
    again = snapshot(JobState.QUEUED, 8, ENDED, StreamEvent(8, b"retried"))
    assert not Cursor(7).is_at_end(again)
    assert sent(Cursor(7), again) == ["retried"]


def test_a_move_in_the_queue_is_told() -> None:
    cursor = Cursor(None)
    assert sent(cursor, snapshot(JobState.QUEUED, 2, position=2)) == ["progress"]
    assert sent(cursor, snapshot(JobState.QUEUED, 2, position=2)) == []
    assert sent(cursor, snapshot(JobState.QUEUED, 2, position=1)) == ["progress"]
    # The event says nothing of the place.
    assert sent(cursor, snapshot(JobState.QUEUED, 3, StreamEvent(3, b"validated"), position=1)) == [
        "validated",
        "progress",
    ]


@pytest.mark.parametrize(
    ("given", "revision"),
    [("4", 4), ("0", 0), ("7", 7), ("8", None), ("-1", None), ("4.0", None), ("٤", None), ("", None), (None, None)],
)
def test_an_id_that_cannot_be_is_as_good_as_none(given: str | None, revision: int | None) -> None:
    assert cursor_of(given, snapshot(JobState.RUNNING, 7)).revision == revision
