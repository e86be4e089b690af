"""Waiting for the end of a job: by its stream, by questions that are held back, by questions again and again."""

from __future__ import annotations

import time

import pytest

from phytobatch import Job, NotFound, Phytobatch, RetryPolicy, ServerUnavailable, WaitTimeout
from phytobatch.waiting import job_stream, until_terminal
from tests.unit.client.waiting.scripted import (
    IDLE_SECONDS,
    JOB_ID,
    UNCHANGED,
    Reply,
    Scripted,
    event,
    job,
    problem,
    stream,
)

HELLO = b"retry: 2500\n\n"


def wait(client: Phytobatch, pauses: list[float], *, timeout: float | None = None) -> tuple[Job, list[tuple[str, int]]]:
    """The job at its end, and what was told on the way."""
    told: list[tuple[str, int]] = []
    ended = client.wait(
        JOB_ID,
        timeout=timeout,
        on_change=lambda seen: told.append((seen.state, seen.counts.done)),
        sleep=pauses.append,
    )
    return ended, told


def test_the_stream_tells_every_change_and_the_last_word_is_the_whole_job(
    server: Scripted, client: Phytobatch, pauses: list[float]
) -> None:
    parts = [HELLO, event(3, "running", "job.started"), event(4, "running", "job.progress", done=5)]
    server.replies = {
        "job": [job("queued"), job("completed", done=10)],
        "events": [stream(*parts, event(5, "completed", "job.completed", done=10), after="hang")],
    }

    ended, told = wait(client, pauses)

    assert told == [("queued", 0), ("running", 0), ("running", 5), ("completed", 10)]
    assert ended.is_terminal
    assert server.kinds == ["job", "events", "job"]
    assert pauses == []


def test_progress_comes_with_the_time_left_by_the_servers_clock(
    server: Scripted, client: Phytobatch, pauses: list[float]
) -> None:
    seen: list[Job] = []
    server.replies = {
        "job": [job("queued"), job("completed")],
        "events": [
            stream(event(3, "running", "job.progress", done=5), event(4, "completed", "job.completed", done=10))
        ],
    }

    client.wait(JOB_ID, on_change=seen.append, sleep=pauses.append)

    progress = seen[1].progress
    assert progress is not None
    assert (progress.images_per_second, progress.seconds_left) == (2.0, 30.0)


def test_a_stream_that_breaks_goes_on_after_the_last_event(
    server: Scripted, client: Phytobatch, pauses: list[float]
) -> None:
    server.replies = {
        "job": [job("queued"), job("running"), job("completed", done=10)],
        "events": [
            stream(HELLO, event(3, "running", "job.started"), after="cut"),
            stream(event(4, "completed", "job.completed", done=10)),
        ],
    }

    _, told = wait(client, pauses)

    assert told[-1] == ("completed", 10)
    assert [seen.headers.get("Last-Event-ID") for seen in server.seen if seen.kind == "events"] == [None, "3"]
    assert pauses == [2.5]


def test_a_proxy_that_keeps_the_stream_back_is_asked_instead(
    server: Scripted, client: Phytobatch, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_stream, "FIRST_SECONDS", 0.2)
    server.replies = {
        "job": [job("queued")],
        "events": [Reply(silent=True)],
        "wait": [job("running", etag='"2"'), job("completed", etag='"3"')],
    }

    _, told = wait(client, pauses)

    assert server.kinds == ["job", "events", "wait", "wait"]
    assert [seen.headers["If-None-Match"] for seen in server.seen if seen.kind == "wait"] == ['"1"', '"2"']
    assert [state for state, _ in told] == ["queued", "running", "completed"]
    assert pauses == []


@pytest.mark.parametrize(
    "no_stream",
    [
        problem(404, "not-found"),
        problem(405, "method-not-allowed"),
        Reply(200, {"Content-Type": "text/html"}, [b"<html>"]),
        stream(b"data: no JSON\n\n"),
    ],
)
def test_without_a_stream_questions_are_held_back(
    server: Scripted, client: Phytobatch, pauses: list[float], no_stream: Reply
) -> None:
    server.replies = {
        "job": [job("queued")],
        "events": [no_stream],
        "wait": [job("running", etag='"2"'), job("completed")],
    }

    wait(client, [])

    assert server.kinds.count("events") == 1
    assert [seen.wait for seen in server.seen if seen.kind == "wait"] == ["30", "30"]
    assert pauses == []


def test_an_old_server_is_asked_at_its_own_pace(server: Scripted, client: Phytobatch, pauses: list[float]) -> None:
    server.replies = {
        "job": [job("queued")],
        "events": [problem(404, "not-found")],
        "wait": [UNCHANGED, UNCHANGED, job("completed")],
    }

    wait(client, pauses)

    assert pauses == [3.0, 3.0]


def test_a_server_that_does_not_hold_so_long_is_asked_plainly(
    server: Scripted, client: Phytobatch, pauses: list[float]
) -> None:
    server.replies = {
        "job": [job("queued"), UNCHANGED, job("completed")],
        "events": [problem(404, "not-found")],
        "wait": [problem(422, "limit-exceeded", setting="PHYTOBATCH_MAX_WAIT_SECONDS")],
    }

    wait(client, pauses)

    assert server.kinds == ["job", "events", "wait", "job", "job"]
    assert pauses == [3.0]


def test_a_server_with_too_many_who_wait_is_asked_and_tried_again(
    server: Scripted, client: Phytobatch, pauses: list[float]
) -> None:
    server.replies = {
        "job": [job("queued"), UNCHANGED, job("completed")],
        "events": [problem(503, "too-many-waiting"), stream(event(4, "completed", "job.completed"))],
        "wait": [problem(503, "too-many-waiting")],
    }

    wait(client, pauses)

    assert server.kinds == ["job", "events", "wait", "job", "events", "job"]
    assert pauses == [3.0]


def test_a_job_that_runs_anew_is_followed_from_where_it_stands(
    server: Scripted, client: Phytobatch, pauses: list[float]
) -> None:
    # The run ended, but when the job was looked at it ran anew.
    server.replies = {
        "job": [job("running"), job("queued"), job("queued"), job("queued"), job("completed")],
        "events": [
            stream(event(4, "completed", "job.completed"), after="cut"),
            Reply(204),
            stream(event(9, "completed", "job.completed")),
        ],
    }

    ended, _ = wait(client, pauses)

    assert ended.state == "completed"
    connections = [seen.headers.get("Last-Event-ID") for seen in server.seen if seen.kind == "events"]
    assert connections == [None, "4", None]


def test_a_silent_stream_is_checked_by_a_question(
    server: Scripted, client: Phytobatch, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(until_terminal, "POLL_SECONDS", 0.0)
    server.replies = {
        "job": [job("running"), job("completed")],
        "events": [stream(b": still here\n\n", after="hang")],
    }

    ended, _ = wait(client, pauses)

    assert ended.state == "completed"


@pytest.mark.parametrize("parts", [[], [event(3, "running", "job.started")]])
def test_a_timeout_ends_also_a_stream_that_says_nothing(
    server: Scripted, client: Phytobatch, pauses: list[float], parts: list[bytes]
) -> None:
    server.replies = {"job": [job("queued")], "events": [stream(*parts, after="hang")], "wait": [UNCHANGED]}
    began = time.monotonic()

    with pytest.raises(WaitTimeout, match="goes on"):
        wait(client, pauses, timeout=0.5)
    assert time.monotonic() - began < IDLE_BOUND


IDLE_BOUND = IDLE_SECONDS / 2  # Well below the time after which the server itself would end the stream.


def test_a_timeout_ends_questions_too(server: Scripted, client: Phytobatch, pauses: list[float]) -> None:
    server.replies = {"job": [job("queued"), UNCHANGED], "events": [problem(404, "not-found")], "wait": [UNCHANGED]}

    with pytest.raises(WaitTimeout):
        wait(client, pauses, timeout=2.5)
    assert pauses == []


def test_a_job_that_is_not_there_is_not_waited_for(server: Scripted, client: Phytobatch) -> None:
    server.replies = {"job": [problem(404, "not-found")]}

    with pytest.raises(NotFound):
        client.wait(JOB_ID)


def test_a_server_that_stays_away_ends_the_wait(server: Scripted, pauses: list[float]) -> None:
    server.replies = {
        "job": [job("running"), Reply(502)],
        "events": [stream(event(3, "running", "job.started"), after="cut")],
    }
    with (
        Phytobatch(server.url, "pb_key", retry=RetryPolicy(total_seconds=0)) as hasty,
        pytest.raises(ServerUnavailable, match="502"),
    ):
        hasty.wait(JOB_ID, sleep=pauses.append)


def test_a_job_that_is_over_needs_no_stream(server: Scripted, client: Phytobatch, pauses: list[float]) -> None:
    server.replies = {"job": [job("failed")]}

    assert wait(client, pauses)[0].state == "failed"
    assert server.kinds == ["job"]
