"""What is kept of an answer, and how long a receiver may ask to be left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.webhooks.answer import MAX_RETRY_AFTER, excerpt, retry_after

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
