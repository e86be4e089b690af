"""The parser of event streams; the examples are those of WHATWG HTML, section 9.2.6, and its corner cases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytobatch.waiting.event_stream import EventStreamParser, ServerEvent


def parsed(stream: bytes, *, last_event_id: str = "") -> list[ServerEvent]:
    return EventStreamParser(last_event_id).feed(stream)


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [("message", "YHOO\n+2\n10", "")]),
        (
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            [("message", "first event", "1"), ("message", "second event", ""), ("message", " third event", "")],
        ),
        (b"data\n\ndata\ndata\n\ndata:", [("message", "", ""), ("message", "\n", "")]),
        (b"data:test\n\ndata: test\n\n", [("message", "test", ""), ("message", "test", "")]),
        (b"event: add\ndata: 1\n\ndata: 2\n\n", [("add", "1", ""), ("message", "2", "")]),
        (b"event: add\n\ndata: 1\n\n", [("message", "1", "")]),
        (b"id: 7\n\ndata: 1\n\n", [("message", "1", "7")]),
        (b"id: 7\nid: a\0b\ndata: 1\n\n", [("message", "1", "7")]),
        (b"Data: 1\n data: 2\nnothing\nother: 3\n\n", []),
        (b"data: never ended\n", []),
        (b"\xef\xbb\xbfdata: 1\n\n\xef\xbb\xbfdata: 2\n\n", [("message", "1", "")]),
        (b"data: a\r\ndata: b\rdata: c\n\r\n", [("message", "a\nb\nc", "")]),
        (b"data: a\r\r", [("message", "a", "")]),
        (b"data: \xff\n\n", [("message", "\ufffd", "")]),
        ("data: a\u2028b\x85c\n\n".encode(), [("message", "a\u2028b\x85c", "")]),
    ],
)
def test_events_are_those_of_the_standard(stream: bytes, events: list[tuple[str, str, str]]) -> None:
    assert [(event.type, event.data, event.id) for event in parsed(stream)] == events


FIELDS = st.sampled_from(["data", "event", "id", "retry", "", "other"])
VALUES = st.text(st.sampled_from("ab: 1\0é\u2028\ufeff"), max_size=5)
LINES = st.tuples(FIELDS, st.sampled_from(["", ":", ": "]), VALUES).map("".join) | st.just("")
STREAMS = st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r", "\r\n"])).map("".join), max_size=20).map("".join)


@given(stream=STREAMS, data=st.data())
def test_it_does_not_matter_where_the_network_cuts(stream: str, data: st.DataObject) -> None:
    whole = stream.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    blocks = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)])]
    parser, once = EventStreamParser(), EventStreamParser()

    events = [event for block in blocks for event in parser.feed(block)]

    assert events == once.feed(whole)
    assert (parser.last_event_id, parser.retry_seconds) == (once.last_event_id, once.retry_seconds)


@given(stream=st.binary(max_size=200))
def test_no_bytes_are_too_strange(stream: bytes) -> None:
    assert all(isinstance(event.data, str) for event in parsed(stream))


@pytest.mark.parametrize(
    ("stream", "seconds"),
    [(b"retry: 2500\n", 2.5), (b"retry: 2.5\n", None), (b"retry:\n", None), ("retry: \u0663\n".encode(), None)],
)
def test_the_server_says_when_to_come_back(stream: bytes, seconds: float | None) -> None:
    parser = EventStreamParser()
    parser.feed(stream)

    assert parser.retry_seconds == seconds


def test_the_id_to_go_on_with_is_that_of_the_last_whole_event() -> None:
    parser = EventStreamParser("5")
    parser.feed(b"id: 6\ndata: 1\n\nid: 7\ndata: not ended")

    assert parser.last_event_id == "6"


def test_an_id_from_before_the_reconnect_holds_until_another_comes() -> None:
    assert parsed(b"data: 1\n\n", last_event_id="5")[0].id == "5"
