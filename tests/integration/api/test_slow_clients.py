"""Clients that send or take so slowly that they would hold a connection for ever, with a key and without."""

import socket
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from urllib3.util import parse_url

from api.limits import body
from shared.settings import Settings
from tests.integration.conftest import Api, MakeSettings, assert_problem
from tests.patience import PATIENCE_SECONDS, wait_for

SHORT = 2.0
FORM = "Content-Type: multipart/form-data; boundary=x\r\n"
CHUNKED = "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
PART = '--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(head_seconds=SHORT, body_seconds=SHORT, answer_seconds=SHORT, least_bytes_per_second=10**6)


@dataclass
class Line:
    """A connection on which one byte after the other is sent until the server ends it."""

    socket: socket.socket
    byte: bytes = b"x"
    reads: bool = True
    answer: bytes = field(default=b"")
    is_over: bool = False

    def go_on(self) -> None:
        """Send a byte, read what is there."""
        try:
            if self.byte:
                self.socket.send(self.byte)
            if self.reads:
                self.answer += self._read()
        except BlockingIOError:
            pass
        except OSError:  # The server has closed it; where sending failed, its answer is still to be read.
            with suppress(OSError):
                self.answer += self.socket.recv(65536) if self.reads else b""
            self.is_over = True

    def _read(self) -> bytes:
        found = self.socket.recv(65536)
        self.is_over = not found
        return found


def line(api: Api, begin: str, *, byte: bytes = b"x", reads: bool = True, times: int = 1) -> Line:
    """A connection that has begun to send."""
    where = parse_url(api.base)
    made = socket.socket()
    if not reads:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.settimeout(PATIENCE_SECONDS)
    made.connect((where.host, where.port))
    made.sendall(begin.encode() * times)
    made.setblocking(False)  # the socket's own way to say it
    return Line(made, byte, reads)


def post(path: str, headers: str, begin: str = "", *, method: str = "POST") -> str:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: 1000000\r\n\r\n{begin}"


def test_no_connection_is_held_open_by_going_slowly(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "LINGER_SECONDS", 0.1)
    key = f"X-API-Key: {api.key}\r\n"
    job_id = api.new_job()
    answered = {
        "a head": (b"408", line(api, "GET /v1/jobs HTTP/1.1\r\nX-Slow: ")),
        "a head that stops": (b"408", line(api, "GET /v1/jobs HTTP/1.1\r\nX-Slow: ", byte=b"")),
        "the head after an answer": (b"200", line(api, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /heal")),
        "empty lines": (b"200", line(api, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", byte=b"\r\n")),
        "JSON without a key": (b"401", line(api, post("/v1/jobs", "Content-Type: application/json\r\n", "{"))),
        "a form without a key": (b"401", line(api, post("/v1/jobs/upload", FORM, PART))),
        "JSON as a form without a key": (b"401", line(api, post("/predict", "Content-Type: application/json\r\n"))),
        "a table without a key": (b"401", line(api, post(f"/v1/jobs/{job_id}/sidecar", "", method="PUT"))),
        "a body where none is": (b"401", line(api, post("/v1/jobs", "", method="GET"))),
        "no address": (b"404", line(api, post("/nowhere", ""))),
        "no method": (b"405", line(api, post("/v1/jobs", "", method="PATCH"))),
        "too large": (b"413", line(api, post("/v1/jobs", "").replace("1000000", "9" * 12))),
        "in pieces, without a key": (
            b"401",
            line(api, CHUNKED, byte=b"1\r\nx\r\n"),
        ),
        "JSON": (b"408", line(api, post("/v1/jobs", key + "Content-Type: application/json\r\n", "{"))),
        "a form": (b"408", line(api, post("/v1/jobs/upload", key + FORM, PART))),
        "an image": (b"408", line(api, post("/predict", key + FORM, PART))),
        "a sidecar": (b"408", line(api, post(f"/v1/jobs/{job_id}/sidecar", key, method="PUT"))),
        "corrections": (b"408", line(api, post(f"/v1/jobs/{job_id}/corrections", key + "Content-Type: text/csv\r\n"))),
        "a wait with a body": (b"408", line(api, post(f"/v1/jobs/{job_id}?wait=50", key, method="GET"))),
        "in pieces": (
            b"408",
            line(
                api, f"POST /v1/jobs HTTP/1.1\r\nHost: x\r\n{key}Transfer-Encoding: chunked\r\n\r\n", byte=b"1\r\nx\r\n"
            ),
        ),
    }
    silent = line(api, "", byte=b"")
    reader = line(api, "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", byte=b"\r\n", reads=False, times=100)
    lines = [*(one for _, one in answered.values()), silent, reader]

    def still_open() -> list[Line]:
        for one in lines:
            if not one.is_over:
                one.go_on()
        return [one for one in lines if not one.is_over]

    wait_for(still_open, lambda open_lines: not open_lines)
    for one in lines:
        one.socket.close()
    assert [what for what, (_, one) in answered.items() if not one.is_over] == []
    assert (silent.is_over, reader.is_over) == (True, True)
    statuses = {what: one.answer[9:12] for what, (_, one) in answered.items()}
    assert statuses == {what: status for what, (status, _) in answered.items()}
    assert b"urn:phytobatch:problem:body-too-slow" in answered["JSON"][1].answer
    assert b"PHYTOBATCH_LEAST_BYTES_PER_SECOND" in answered["JSON"][1].answer
    assert b"connection: close" in answered["JSON"][1].answer.lower()
    assert len(api.get("/v1/jobs").json()["jobs"]) == 1


def test_a_client_that_sends_everything_first_finds_its_refusal(anonymous: Api) -> None:
    large = b"x" * 1_500_000
    answer = anonymous.request("POST", "/v1/jobs/upload", fields=[("files", ("a.jpg", large))])
    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers.get("Connection") in {None, "close"}


def test_a_key_that_may_not_submit_is_refused_before_its_body(anonymous: Api) -> None:
    waiting = "Expect: 100-continue\r\nContent-Type: application/json\r\n"
    asked = line(anonymous, post("/v1/jobs", waiting), byte=b"")
    asked.socket.settimeout(PATIENCE_SECONDS)
    assert asked.socket.recv(12) == b"HTTP/1.1 401"
    asked.socket.close()
