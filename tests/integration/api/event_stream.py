"""A reader of event streams, as simple as the format."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.integration.conftest import Api
from tests.patience import PATIENCE_SECONDS


@dataclass(frozen=True, slots=True)
class Told:
    """One event."""

    id: int
    type: str
    body: dict[str, Any]

    @property
    def data(self) -> dict[str, Any]:
        """The job in the event."""
        return dict(self.body["data"])


class Stream:
    """An open answer, read block by block."""

    def __init__(self, answer: http.client.HTTPResponse, *, seconds: float) -> None:
        self._answer = answer
        # Comments keep a connection alive, but a test that waits in vain must end.
        self._end = time.monotonic() + seconds
        self.status = answer.status
        self.headers = answer.headers

    def block(self) -> dict[str, str] | None:
        """The fields up to the next empty line (comments have the name ``""``); ``None`` at the end of the stream."""
        fields: dict[str, str] = {}
        while line := self._answer.readline().decode():
            assert time.monotonic() < self._end, "nothing came but comments"
            if line == "\n":
                return fields
            name, _, value = line.rstrip("\n").partition(":")
            fields[name] = value.removeprefix(" ")
        assert not fields, "the stream ended in the middle of a block"
        return None

    def next(self) -> Told | None:
        """The next event; ``None`` at the end of the stream."""
        while (fields := self.block()) is not None:
            if "data" in fields:
                told = Told(int(fields["id"]), fields["event"], json.loads(fields["data"]))
                assert told.type == told.body["type"]
                assert told.id == told.data["revision"]
                return told
        return None

    def rest(self) -> list[Told]:
        """Everything until the end."""
        return list(iter(self.next, None))

    def until(self, event_type: str) -> list[Told]:
        """Everything up to the next event of a type."""
        seen = []
        while (told := self.next()) is not None:
            seen.append(told)
            if told.type == event_type:
                return seen
        raise AssertionError([one.type for one in seen])


@contextmanager
def following(
    api: Api, job_id: str, *, last_event_id: object = None, seconds: float = PATIENCE_SECONDS
) -> Iterator[Stream]:
    """Open the stream of a job; the connection is closed at the end of the block."""
    at = urlsplit(api.base)
    connection = http.client.HTTPConnection(str(at.hostname), at.port, timeout=seconds)
    headers = {} if api.key is None else {"X-API-Key": api.key}
    if last_event_id is not None:
        headers["Last-Event-ID"] = str(last_event_id)
    try:
        connection.request("GET", f"/v1/jobs/{job_id}/events", headers=headers)
        answer = connection.getresponse()
        with answer:
            yield Stream(answer, seconds=seconds)
    finally:
        connection.close()


def types(told: list[Told]) -> list[str]:
    """What happened, without how far it was."""
    return [one.type for one in told if one.type != "job.progress"]
