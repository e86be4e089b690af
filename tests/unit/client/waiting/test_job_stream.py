"""``events()``: an iterator over as many connections as it takes."""

from __future__ import annotations

import pytest

from phytobatch import ApiError, NetworkError, Phytobatch, RetryPolicy, ServerUnavailable
from tests.unit.client.waiting.scripted import JOB_ID, Reply, Scripted, event, problem, stream

STARTED = event(3, "running", "job.started")
PROGRESS = event(4, "running", "job.progress", done=5)
COMPLETED = event(5, "completed", "job.completed", done=10)


def test_events_come_once_each_over_broken_connections(
    server: Scripted, client: Phytobatch, pauses: list[float]
) -> None:
    server.replies = {
        "events": [
            stream(b"retry: 1500\n\n", STARTED, PROGRESS[:40], after="cut"),
            stream(PROGRESS),
            Reply(502),
            stream(COMPLETED, event(9, "queued", "job.retried"), after="hang"),
        ]
    }

    events = list(client.events(JOB_ID))

    assert [(each.id, each.type, each.counts.done) for each in events] == [
        ("3", "job.started", 0),
        ("4", "job.progress", 5),
        ("5", "job.completed", 10),
    ]
    assert [seen.headers.get("Last-Event-ID") for seen in server.seen] == [None, "3", "4", "4"]
    # After a cut and after an end what the server asked for; after an error what the policy says.
    assert pauses == [1.5, 1.5, 0.25]


def test_an_event_tells_state_and_progress(server: Scripted, client: Phytobatch) -> None:
    server.replies = {"events": [stream(PROGRESS, COMPLETED)]}

    progress, end = client.events(JOB_ID)

    assert progress.progress is not None
    assert (progress.state, progress.progress.percent, progress.progress.seconds_left) == ("running", 50.0, 30.0)
    assert end.is_terminal
    assert end.progress is None


def test_a_reader_goes_on_where_it_was(server: Scripted, client: Phytobatch, pauses: list[float]) -> None:
    server.replies = {"events": [Reply(204)]}

    assert list(client.events(JOB_ID, last_event_id="5")) == []
    assert pauses == []
    assert server.seen[0].headers["Last-Event-ID"] == "5"
    assert server.seen[0].headers["Accept"] == "text/event-stream"


def test_a_server_with_too_many_who_wait_is_asked_later(
    server: Scripted, client: Phytobatch, pauses: list[float]
) -> None:
    busy = problem(503, "too-many-waiting")
    server.replies = {"events": [Reply(503, {**busy.headers, "Retry-After": "7"}, busy.parts), stream(COMPLETED)]}

    assert len(list(client.events(JOB_ID))) == 1
    assert pauses == [7.0]


@pytest.mark.parametrize("body", [b"data: no JSON\n\n", b'data: {"type": "job.started"}\n\n', b"data: []\n\n"])
def test_another_kind_of_stream_is_no_stream_of_ours(server: Scripted, client: Phytobatch, body: bytes) -> None:
    server.replies = {"events": [stream(body)]}

    with pytest.raises(ApiError, match="something else"):
        list(client.events(JOB_ID))


def test_patience_is_counted_from_the_last_sign_of_life(server: Scripted) -> None:
    server.replies = {"events": [stream(b": hello\n\n", after="cut"), Reply(502)]}
    with Phytobatch(server.url, "pb_key") as client:
        hasty = client.with_retry(RetryPolicy(total_seconds=0), sleep=lambda _: None)
        with pytest.raises(ServerUnavailable):
            list(hasty.events(JOB_ID))
    assert server.kinds == ["events", "events"]


def test_no_server_is_a_network_error() -> None:
    nobody = Phytobatch("http://127.0.0.1:1", "pb_key", retry=RetryPolicy(total_seconds=0))

    with pytest.raises(NetworkError):
        list(nobody.events(JOB_ID))
