"""The SDK says whatever the API takes, and keeps whatever it answers.

Each operation of the OpenAPI document is called through the SDK with a value in every field; a server records what
comes, and answers with a value in every field.
"""

import email
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from api.main import create_app
from phytobatch import ApiError, Phytobatch, RetryPolicy
from phytobatch.problems import problem_of
from tests.contract.openapi.nowhere import NOWHERE
from tests.contract.sdk.calls import CALLS, FILE, VIEWS, Json
from tests.contract.sdk.samples import Samples

DOCUMENT: Json = create_app(NOWHERE).openapi()
OPERATIONS: Mapping[str, tuple[str, str, Json]] = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if not operation.get("deprecated")  # An alias of another one.
}
OBJECT = "/objects/1"
EVENT = {"type": "job.completed", "timestamp": "2026-06-01T08:00:00Z", "data": {"state": "completed"}}
STREAM = f"id: 7\nevent: job.completed\ndata: {json.dumps(EVENT)}\n\n".encode()


@dataclass(slots=True)
class Recorder:
    """The request that the server got, and the answer that it gives."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b""
    method: str = ""
    target: str = ""
    sent: Message = field(default_factory=Message)
    body: bytes = b""

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def client(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Iterator[Phytobatch]:
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            if self.path == OBJECT:
                self._send(200, {}, b"bytes")
                return
            recorder.method, recorder.target, recorder.sent = self.command, self.path, self.headers
            recorder.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._send(recorder.status, recorder.headers, recorder.answer)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815  # names of the standard library

        def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    monkeypatch.delenv("HTTP_PROXY", raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        with Phytobatch(f"http://127.0.0.1:{server.server_port}", "pb_key") as connected:
            yield connected
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_every_operation_has_a_method_and_no_line_is_left_over() -> None:
    assert set(CALLS) == set(OPERATIONS)
    schemas = DOCUMENT["components"]["schemas"]
    assert [key for key in VIEWS if key[1] not in schemas.get(key[0], {}).get("properties", {})] == []


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_the_sdk_sends_every_field_and_keeps_every_field(
    name: str, client: Phytobatch, recorder: Recorder, tmp_path: Path
) -> None:
    method, path, operation = OPERATIONS[name]
    samples = Samples(DOCUMENT)
    (tmp_path / FILE).write_bytes(b"\xff\xd8")
    values: Json = {
        "folder": str(tmp_path),
        **{one["name"]: samples.of(one["schema"]) for one in operation.get("parameters", ())},
    }
    if "origin" in values:
        values["origin"] = "1.5,2.5"
    media_types = operation.get("requestBody", {}).get("content", {})
    is_form = "multipart/form-data" in media_types
    content = media_types.get("application/json") or media_types.get("multipart/form-data")
    if content:
        values["body"] = samples.of(content["schema"])
    schema, wire = _answer_of(operation, samples, recorder, client)

    seen = CALLS[name](client, values)

    assert (recorder.method, urlsplit(recorder.target).path) == (method, path.format(**values))
    for parameter in operation.get("parameters", ()):
        _check_parameter(parameter, values[parameter["name"]], recorder)
    if is_form:
        _check_form(content["schema"], values["body"], recorder)
    elif content:
        _check(content["schema"], values["body"], json.loads(recorder.body), "request")
    elif media_types:
        assert recorder.body == b"a table"
        assert recorder.sent["Content-Type"] in media_types
    if schema:
        _check(schema, wire, seen, name)


def _answer_of(
    operation: Json, samples: Samples, recorder: Recorder, client: Phytobatch
) -> tuple[Json | None, Json | None]:
    """Let the server answer as the document says; returns the schema and the answer where it is JSON."""
    status = min(status for status in operation["responses"] if status[0] in "23")
    contents = operation["responses"][status].get("content", {})
    recorder.status = int(status)
    found = next(
        (contents[one]["schema"] for one in ("application/json", "application/geo+json") if one in contents), None
    )
    if operation["operationId"] == "get_image_file":
        recorder.status, recorder.headers = 307, {"Location": f"{client.url}{OBJECT}"}
    elif "text/event-stream" in contents:
        recorder.headers, recorder.answer = {"Content-Type": "text/event-stream"}, STREAM
    elif found is not None and operation["operationId"] != "export_job":
        wire: Json = samples.of(found)
        recorder.answer = json.dumps(wire).encode()
        return found, wire
    return None, None


def _check_parameter(parameter: Json, value: Any, recorder: Recorder) -> None:  # noqa: ANN401  # JSON
    name = parameter["name"]
    match parameter["in"]:
        case "query" if name == "origin":
            assert [float(one) for one in recorder.query[name][0].split(",")] == [1.5, 2.5]
        case "query":
            expected = value if isinstance(value, list) else [value]
            assert recorder.query[name] == [str(one).lower() if one is True else str(one) for one in expected], name
        case "header":
            assert recorder.sent[name] == value


def _check_form(schema: Json, body: Json, recorder: Recorder) -> None:
    head = f"Content-Type: {recorder.sent['Content-Type']}\r\n\r\n".encode()
    parts = email.message_from_bytes(head + recorder.body).get_payload()
    assert isinstance(parts, list)
    sent = {}
    for part in parts:
        assert isinstance(part, Message)
        sent[part.get_param("name", header="Content-Disposition")] = part.get_payload(decode=True)
    assert set(sent) == set(schema["properties"])
    for name, value in body.items():
        text = str(value).lower() if value is True else str(value)
        assert sent[name] == (b"\xff\xd8" if name in {"file", "files"} else text.encode())


def _check(schema: Json, wire: Any, seen: Any, where: str) -> None:  # noqa: ANN401  # JSON, and whatever the SDK makes of it
    """Compare what was sent with what is seen, field by field."""
    name = schema.get("$ref", "").rpartition("/")[2] or next(
        (one["$ref"].rpartition("/")[2] for one in schema.get("anyOf") or schema.get("oneOf") or () if "$ref" in one),
        "",
    )
    schema = Samples(DOCUMENT).resolve(schema)
    if "properties" in schema:
        for key, part in schema["properties"].items():
            if "const" not in part:  # A constant says nothing.
                _check(part, wire[key], _field(name, key, seen, f"{where}.{key}"), f"{where}.{key}")
    elif isinstance(wire, dict):
        assert isinstance(seen, Mapping), where
        assert list(seen) == list(wire), where
        others = schema.get("additionalProperties")
        for key, value in wire.items():
            _check(others if isinstance(others, dict) else {}, value, seen[key], f"{where}.{key}")
    elif isinstance(wire, list):
        assert isinstance(seen, Sequence), where
        assert len(seen) == len(wire), where
        parts = schema.get("prefixItems") or [schema.get("items", {})] * len(wire)
        for place, part in enumerate(parts):
            _check(part, wire[place], seen[place], f"{where}[{place}]")
    else:
        moment = datetime.fromisoformat(wire) if schema.get("format") == "date-time" else wire
        told = datetime.fromisoformat(seen) if schema.get("format") == "date-time" and isinstance(seen, str) else seen
        assert told == moment, where


def _field(schema: str, name: str, seen: Any, where: str) -> Any:  # noqa: ANN401  # as above
    if (schema, name) in VIEWS:
        return VIEWS[schema, name](seen)
    if isinstance(seen, Mapping):
        assert name in seen, f"{where} is missing"
        return seen[name]
    assert hasattr(seen, name), f"{where}: {type(seen).__name__} has no attribute {name}"
    return getattr(seen, name)


def test_a_problem_keeps_every_member() -> None:
    schema = DOCUMENT["components"]["schemas"]["Problem"]
    wire = Samples(DOCUMENT).of(schema)
    wire["type"] = "urn:phytobatch:problem:job-empty"
    problem = problem_of(wire["status"], {}, json.dumps(wire).encode())
    assert problem.code == "job-empty"
    _check({**schema, "properties": {k: v for k, v in schema["properties"].items() if k != "type"}}, wire, problem, "")


def test_a_field_that_is_lost_is_found() -> None:
    job = {"$ref": "#/components/schemas/Job"}
    wire = Samples(DOCUMENT).of(job)
    with pytest.raises(AssertionError, match="keep_days"):
        _check(job, wire, {name: value for name, value in wire.items() if name != "keep_days"}, "job")


def test_a_server_that_is_not_ready_says_what_is_missing(client: Phytobatch, recorder: Recorder) -> None:
    check = {"ok": False, "required": True, "milliseconds": 1.5, "detail": "no answer"}
    recorder.status, recorder.answer = 503, json.dumps({"ready": False, "checks": {"database": check}}).encode()
    answer = client.ready()
    assert (answer.ready, answer.checks["database"].detail) == (False, "no answer")
    with pytest.raises(ApiError):
        client.with_retry(RetryPolicy(total_seconds=0)).classifiers()
