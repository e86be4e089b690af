"""Channels between threads."""

from __future__ import annotations

import threading

import pytest

from phytobatch.errors import Interrupted
from phytobatch.submission.channel import Channel
from tests.patience import PATIENCE_SECONDS


def test_items_come_out_in_order_and_end_when_every_writer_has_closed() -> None:
    channel: Channel[int] = Channel(10, writers=2)
    channel.put(1)
    channel.close()
    channel.put(2)
    channel.close()

    assert list(channel) == [1, 2]


def test_a_full_channel_holds_its_writer_back_until_something_is_taken() -> None:
    channel: Channel[int] = Channel(1)
    written: list[int] = []

    def write() -> None:
        for number in range(5):
            channel.put(number)
            written.append(number)
        channel.close()

    thread = threading.Thread(target=write)
    thread.start()
    reader = iter(channel)
    assert next(reader) == 0
    assert len(written) <= 3
    assert list(reader) == [1, 2, 3, 4]
    thread.join(PATIENCE_SECONDS)
    assert written == [0, 1, 2, 3, 4]


def test_an_abort_wakes_a_reader_that_waits() -> None:
    channel: Channel[int] = Channel(1)
    threading.Timer(0.05, channel.abort).start()

    with pytest.raises(Interrupted):
        next(iter(channel))


def test_nothing_goes_in_after_an_abort() -> None:
    channel: Channel[int] = Channel(1)
    channel.abort()

    with pytest.raises(Interrupted):
        channel.put(1)
