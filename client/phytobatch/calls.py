"""The calls of one group of the API: what is sent, with which headers, and what may be repeated."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Union
from urllib.parse import quote

from phytobatch import multipart
from phytobatch.resources import Job, JsonObject
from phytobatch.text import utf8
from phytobatch.transport import IDEMPOTENCY_HEADER, Answer, Request, Transport

Query = Mapping[str, Union[str, float, Sequence[str], None]]


class Calls:
    """Sends JSON and forms through one transport. Thread-safe like that."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def get(
        self,
        path: str,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        also: Collection[int] = (),
    ) -> Answer:
        """Send a GET; parameters that are None are left out."""
        return self.transport.send(Request("GET", path, query or {}, headers or {}, answers=frozenset(also)))

    def post(
        self,
        path: str,
        body: JsonObject | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> Answer:
        """Send a POST of JSON; ``repeatable`` where sending it twice does the same as sending it once."""
        return self._send_json("POST", path, body, headers or {}, repeatable=repeatable)

    def patch(self, path: str, body: JsonObject) -> Answer:
        """Send a PATCH of JSON. What it sets it sets again, so it is repeated where that helps."""
        return self._send_json("PATCH", path, body, {}, repeatable=True)

    def put(self, path: str, body: bytes, *, content_type: str, query: Query | None = None) -> Answer:
        """Send a PUT of a file."""
        return self.transport.send(Request("PUT", path, query or {}, {"Content-Type": content_type}, body))

    def delete(self, path: str, *, query: Query | None = None) -> Answer:
        """Send a DELETE; parameters that are None are left out."""
        return self.transport.send(Request("DELETE", path, query or {}))

    def post_form(self, target: str, form: multipart.Form, *, idempotency_key: str | None) -> Answer:
        """Send a POST of a form to a path that may have a query."""
        headers = {"Content-Type": form.content_type, **idempotency(idempotency_key)}
        return self.transport.send(Request("POST", target, {}, headers, form.body))

    def _send_json(
        self, method: str, path: str, body: JsonObject | None, headers: Mapping[str, str], *, repeatable: bool
    ) -> Answer:
        typed = {"Content-Type": "application/json", **headers}
        return self.transport.send(Request(method, path, {}, typed, multipart.json_body(body), repeatable))


def idempotency(key: str | None) -> dict[str, str]:
    """Return the header that makes a POST repeatable; a new key unless one is given."""
    return {IDEMPOTENCY_HEADER: key or str(uuid.uuid4())}


def path_of(collection: str, thing_id: str) -> str:
    """Return ``/v1/COLLECTION/ID`` with the id quoted whole: one that was typed must not become another path."""
    return f"/v1/{collection}/{quote(utf8(thing_id), safe='')}"


def job_of(answer: Answer) -> Job:
    """Read the job in an answer."""
    return answer.parse(lambda data: Job.from_json(data, answer.date))
