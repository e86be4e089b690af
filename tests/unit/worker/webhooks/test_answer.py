"""What is kept of an answer, and how long a receiver may ask to be left alone."""

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.webhooks.answer import (
    MAX_BODY,
    MAX_HEAD,
    MAX_RETRY_AFTER,
    PIECE,
    AnswerBroken,
    AnswerReader,
    Head,
    excerpt,
    retry_after,
)

NOW = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the moment of the examples of RFC 9110


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("120", 120),
        (" 0 ", 0),
        ("86401", MAX_RETRY_AFTER),
        ("9" * 400, MAX_RETRY_AFTER),
        ("Sun, 06 Nov 1994 08:51:37 GMT", 120),
        ("Sunday, 06-Nov-94 08:51:37 GMT", 120),
        ("Sun Nov  6 08:51:37 1994", 120),
        ("Tue, 08 Nov 1994 08:49:37 GMT", MAX_RETRY_AFTER),
        ("Sun, 06 Nov 1994 08:49:36 GMT", None),  # over
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("²", None),
        ("soon", None),
        ("", None),
        ("Sun, 99 Nov 1994 08:51:37 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", MAX_RETRY_AFTER),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, now=NOW) == seconds


@given(st.text(max_size=60))
def test_no_header_breaks_it(value: str) -> None:
    seconds = retry_after(value, now=NOW)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", None),
        (b"no\0thing", "nothing"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"a" * 1023 + "é".encode(), "a" * 1023 + "\ufffd"),
        (b"a" * 5000, "a" * 1024),
    ],
)
def test_the_first_kilobyte_as_text(body: bytes, text: str | None) -> None:
    assert excerpt(body) == text


PARTS = (
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 C\r\n\r\n",
    b"HTTP/1.0 404\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: 99999999999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Retry-After: 5\n",
    b": x\r\n",
    b"\r\n",
    b"\n",
    b"\0",
    b"3\r\nabc\r\n",
    b"ffffffffffffffff\r\nabc",
    b"0\r\n\r\n",
    b"a" * (MAX_HEAD // 3),
    b"HTTP/1.1 ",
)


def read(sent: bytes) -> tuple[Head, bytes, bool]:
    async def reading() -> tuple[Head, bytes, bool]:
        stream = asyncio.StreamReader()
        stream.feed_data(sent)
        stream.feed_eof()
        reader, body = AnswerReader(stream), bytearray()
        head = await reader.head()
        ended = await reader.body(head, body)
        return head, bytes(body), ended

    return asyncio.run(reading())


@given(st.lists(st.sampled_from(PARTS) | st.binary(max_size=20), max_size=12).map(b"".join))
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * (MAX_BODY + 9))
@example(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(MAX_BODY + PIECE))
def test_no_answer_breaks_the_reader_and_what_it_keeps_is_bounded(sent: bytes) -> None:
    try:
        head, body, _ = read(sent)
    except AnswerBroken:
        return
    assert 100 <= head.status <= 999
    assert str(head.status).encode() in sent
    assert len(body) <= MAX_BODY


def test_the_end_of_an_answer_is_known() -> None:
    assert read(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")[1:] == (b"ok", True)
    assert read(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok")[1:] == (b"ok", False)
    assert read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")[1:] == (b"ok", True)
    assert read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok")[1:] == (b"ok", False)
    assert read(b"HTTP/1.1 204 No\r\n\r\n")[1:] == (b"", True)
