"""Server-sent events from bytes (WHATWG HTML, section 9.2.6, "Interpreting an event stream"). Pure: no network."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_LINE_END = re.compile(r"\r\n|\r|\n")
_BYTE_ORDER_MARK = "\ufeff"
_MILLISECONDS = 1000


@dataclass(frozen=True)
class ServerEvent:
    """One event. ``type`` is ``message`` unless the stream named one; ``id`` is the last id that the stream gave."""

    type: str
    data: str
    id: str


class EventStreamParser:
    """A parser of bytes as they come, cut anywhere. An event without a blank line behind it is never returned.

    Attributes:
        last_event_id: what to send as ``Last-Event-ID`` after a reconnect; may be empty.
        retry_seconds: how long the server wants to be left alone before a reconnect; None until it said so.
    """

    def __init__(self, last_event_id: str = "") -> None:
        self.last_event_id = last_event_id
        self.retry_seconds: float | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._at_start = True
        self._after_carriage_return = False
        self._rest = ""
        self._id = last_event_id
        self._type = ""
        self._data: list[str] = []
        # A line that begins with a colon is a comment: a field without a name, which stands nowhere here.
        self._fields: Mapping[str, Callable[[str], None]] = {
            "event": self._take_event,
            "data": self._take_data,
            "id": self._take_id,
            "retry": self._take_retry,
        }

    def feed(self, block: bytes) -> list[ServerEvent]:
        """Return the events that are complete now."""
        text = self._without_mark(self._decoder.decode(block))
        if not text:
            return []
        if self._after_carriage_return and text[0] == "\n":
            text = text[1:]  # The other half of a CRLF that was cut in two.
        self._after_carriage_return = text.endswith("\r")
        *lines, self._rest = _LINE_END.split(self._rest + text)
        return [event for line in lines if (event := self._line(line)) is not None]

    def _without_mark(self, text: str) -> str:
        if not (self._at_start and text):
            return text
        self._at_start = False
        return text.removeprefix(_BYTE_ORDER_MARK)

    def _line(self, line: str) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        take = self._fields.get(name)
        if take is not None:
            take(value.removeprefix(" "))
        return None

    def _dispatch(self) -> ServerEvent | None:
        self.last_event_id = self._id
        data, kind = self._data, self._type
        self._data, self._type = [], ""
        # "If the data buffer is an empty string": an event without any data line is none. One empty line is data.
        return ServerEvent(kind or "message", "\n".join(data), self._id) if data else None

    def _take_event(self, value: str) -> None:
        self._type = value

    def _take_data(self, value: str) -> None:
        self._data.append(value)

    def _take_id(self, value: str) -> None:
        if "\0" not in value:
            self._id = value

    def _take_retry(self, value: str) -> None:
        if value.isascii() and value.isdigit():
            self.retry_seconds = int(value[:12]) / _MILLISECONDS
