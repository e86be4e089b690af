"""A job is followed to its end over the real API: by its stream, by held questions, after a break, after a retry."""

import threading

import pytest

from phytobatch import Conflict, Job, NotFound, Phytobatch, WaitTimeout
from phytobatch.errors import Problem
from phytobatch.waiting.job_stream import JobStream
from shared.jobs.results import NewResult
from tests.integration.api.conftest import Hands, rust, truncated
from tests.integration.client.conftest import Beside, Shell
from tests.patience import PATIENCE_SECONDS, wait_for


def second_is_truncated(seq: int) -> NewResult:
    return truncated(seq) if seq == 2 else rust(seq)


def test_the_stream_tells_each_change_and_counts_add_up(
    sdk: Phytobatch, committed: str, hands: Hands, beside: Beside
) -> None:
    told: list[Job] = []
    seen = threading.Event()

    def on_change(job: Job) -> None:
        told.append(job)
        seen.set()

    def work() -> None:
        assert seen.wait(PATIENCE_SECONDS)
        hands.run(committed)

    beside(work)
    ended = sdk.wait(committed, timeout=PATIENCE_SECONDS, on_change=on_change)

    assert ended.state == "completed"
    assert ended.finished_at is not None
    assert told[0].state == "validating"
    assert [job.counts.done for job in told] == sorted(job.counts.done for job in told)
    for job in told:
        counts = job.counts
        assert counts.total == sum((counts.pending, counts.succeeded, counts.failed, counts.rejected, counts.canceled))


def test_a_reader_of_events_goes_on_where_it_stopped(sdk: Phytobatch, committed: str, hands: Hands) -> None:
    events = sdk.events(committed)
    first = next(events)
    assert (first.type, first.state) == ("job.progress", "validating")
    hands.run(committed)

    resumed = list(sdk.events(committed, last_event_id=first.id))

    assert [each.type for each in resumed] == ["job.validated", "job.started", "job.completed"]
    assert [each.type for each in events][-1] == "job.completed"
    assert list(sdk.events(committed, last_event_id=resumed[-1].id)) == []


def test_a_question_is_held_back_until_something_changes(
    sdk: Phytobatch, committed: str, hands: Hands, beside: Beside
) -> None:
    now = sdk.poll(committed)
    beside(lambda: hands.step(committed))

    changed = sdk.poll(committed, now.etag, wait=30)

    assert changed.job is not None
    assert changed.job.state == "queued"
    assert sdk.poll(committed, changed.etag, wait=1).job is None


def test_without_a_stream_the_end_is_told_too(
    sdk: Phytobatch, committed: str, hands: Hands, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_here(_self: JobStream, *_: object) -> object:
        raise NotFound(Problem(404, "not-found", "an old server has no streams"))

    monkeypatch.setattr(JobStream, "connect", not_here)
    beside(lambda: hands.run(committed))

    assert sdk.wait(committed, timeout=PATIENCE_SECONDS).state == "completed"


def test_a_wait_that_is_too_short_leaves_the_job_alone(sdk: Phytobatch, committed: str) -> None:
    with pytest.raises(WaitTimeout):
        sdk.wait(committed, timeout=0.5)
    assert sdk.job(committed).state == "validating"


def test_what_failed_is_tried_again_and_followed(sdk: Phytobatch, committed: str, hands: Hands, beside: Beside) -> None:
    hands.run(committed, second_is_truncated)
    assert sdk.wait(committed).state == "completed_with_errors"

    again = sdk.retry(committed)
    assert (again.state, again.retries, again.counts.pending) == ("queued", 1, 1)
    with pytest.raises(Conflict) as caught:
        sdk.retry(committed)
    assert caught.value.code == "job-active"
    beside(lambda: hands.run(committed))
    ended = sdk.wait(committed, timeout=PATIENCE_SECONDS)

    assert (ended.state, ended.counts.succeeded) == ("completed", 5)
    with pytest.raises(Conflict) as caught:
        sdk.retry(committed)
    assert caught.value.code == "nothing-to-retry"


def test_a_job_that_is_deleted_while_it_is_watched_is_not_found(sdk: Phytobatch, committed: str, hands: Hands) -> None:
    hands.run(committed)
    sdk.delete(committed)

    with pytest.raises(NotFound):
        sdk.wait(committed)


def test_watch_into_a_file_is_a_line_for_each_state_and_a_summary(
    shell: Shell, committed: str, hands: Hands, beside: Beside
) -> None:
    beside(lambda: hands.run(committed, second_is_truncated))

    ended = shell.run("watch", committed, code=3)

    assert "\x1b" not in ended.stdout + ended.stderr
    lines = ended.stderr.splitlines()
    assert lines[-1].startswith("completed_with_errors: 5 of 5 done, 1 failed")
    states = [line.split(":")[0] for line in lines]
    assert len(set(states)) == len(states), "a state is said once"
    assert ended.stdout.splitlines()[0] == f"job {committed} completed_with_errors"
    assert ended.stdout.splitlines()[1].startswith("5 images: 4 succeeded, 1 failed")


def test_retry_from_the_command_line(
    sdk: Phytobatch, shell: Shell, committed: str, hands: Hands, beside: Beside
) -> None:
    assert shell.json("retry", committed, code=8)["error"]["code"] == "job-active"
    hands.run(committed, second_is_truncated)

    def work() -> None:
        wait_for(lambda: not sdk.job(committed).is_terminal)
        hands.run(committed)

    beside(work)
    assert shell.json("retry", committed, "--watch")["job"]["retries"] == 1
    assert "nothing-to-retry" in shell.run("retry", committed, code=8).stderr
