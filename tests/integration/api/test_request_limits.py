"""Limits of a request besides its body."""

import gzip
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from api.connection import Bounds
from shared.settings import Settings
from tests.integration.conftest import Api, MakeKey, MakeSettings, assert_problem
from tests.patience import PATIENCE_SECONDS

SMALL = {"max_url_bytes": 600, "max_query_bytes": 100, "max_header_bytes": 2000, "max_json_depth": 8}


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(**SMALL)


def nested(depth: int) -> dict[str, Any]:
    """An object in an object ..., so many in all."""
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("path", "setting"),
    [
        ("/v1/jobs/" + "x" * 600, "MAX_URL_BYTES"),
        ("/v1/jobs?after=" + "x" * 600, "MAX_URL_BYTES"),
        ("/v1/jobs?after=" + "x" * 100, "MAX_QUERY_BYTES"),
    ],
)
def test_an_address_that_is_too_long_is_a_problem(api: Api, path: str, setting: str) -> None:
    assert assert_problem(api.get(path), 414, "url-too-long")["setting"] == f"PHYTOBATCH_{setting}"


def test_an_address_within_the_limit_is_looked_up(api: Api) -> None:
    assert_problem(api.get("/v1/jobs/" + "x" * 500), 404, "not-found")
    assert_problem(api.get("/v1/jobs?after=" + "x" * 90), 422, "invalid-request")


def test_header_fields_that_are_too_large_are_a_problem(api: Api) -> None:
    answer = api.get("/v1/classifiers", headers={"X-Large": "x" * 2000})
    assert assert_problem(answer, 431, "headers-too-large")["setting"] == "PHYTOBATCH_MAX_HEADER_BYTES"
    assert api.get("/v1/classifiers", headers={"X-Large": "x" * 1000}).status == 200


def test_a_head_that_never_ends_is_ended(api: Api, settings: Settings) -> None:
    """It is not kept in memory until somebody has enough."""
    host, port = urlsplit(api.base).hostname, urlsplit(api.base).port
    with socket.create_connection((host, port), timeout=PATIENCE_SECONDS) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Endless: ")
        sent = 0
        try:
            while sent < 100 * Bounds.of(settings).head_bytes:
                line.sendall(b"x" * 4096)
                sent += 4096
            answer = line.recv(100)
        except (ConnectionResetError, BrokenPipeError):
            answer = b""
    assert answer[:12] in {b"", b"HTTP/1.1 400"}
    assert sent < 100 * Bounds.of(settings).head_bytes or answer, "the server still takes it"
    assert api.get("/healthz").status == 200


@pytest.mark.parametrize("depth", [8, 9, 40, 400, 100_000])
def test_json_that_is_nested_too_deep_is_a_limit_and_not_a_fault(api: Api, depth: int) -> None:
    inner = depth - 1
    body = b'{"metadata": ' + b'{"a":' * (inner - 1) + b"{}" + b"}" * (inner - 1) + b"}"
    answer = api.request("POST", "/v1/jobs", body=body, headers={"Content-Type": "application/json"})
    if depth <= 8:
        assert answer.status == 201
    else:
        assert assert_problem(answer, 422, "limit-exceeded")["setting"] == "PHYTOBATCH_MAX_JSON_DEPTH"


def test_lists_are_as_deep_as_objects(api: Api) -> None:
    body = {"metadata": {"a": json.loads("[" * 8 + "]" * 8)}}
    assert_problem(api.post("/v1/jobs", body), 422, "limit-exceeded")


def test_depth_comes_after_what_is_no_json_at_all(api: Api) -> None:
    answer = api.request("POST", "/v1/jobs", body=b"{" * 50, headers={"Content-Type": "application/json"})
    assert_problem(answer, 422, "invalid-request")
    answer = api.request("POST", "/v1/jobs/upload", body=b"{", headers={"Content-Type": "application/json"})
    assert_problem(answer, 422, "invalid-request")


def test_a_document_that_comes_back_is_as_deep_as_it_was(api: Api) -> None:
    made = api.post("/v1/jobs", {"metadata": nested(7)})
    assert made.json()["metadata"] == nested(7)


def test_fields_behind_a_body_are_ended_where_they_do_not_end(anonymous: Api) -> None:
    """httptools gathers a field in one string, slower with each piece: 60 MB stopped the process for ten seconds."""
    host, port = urlsplit(anonymous.base).hostname, urlsplit(anonymous.base).port
    is_ended = False
    with socket.create_connection((host, port), timeout=PATIENCE_SECONDS) as line:
        line.sendall(b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Endless: ")
        try:
            for _ in range(256):  # Buffers of the system hold a part of 16 MiB.
                line.sendall(b"x" * 65536)
        except (ConnectionResetError, BrokenPipeError):
            is_ended = True
    assert is_ended, "the server still takes it"
    assert anonymous.get("/healthz").status == 200


def test_fields_behind_a_body_give_no_access(anonymous: Api, make_key: MakeKey) -> None:
    """They would lead past what a proxy has checked or set in the head (RFC 9110, 6.5.1)."""
    host, port = urlsplit(anonymous.base).hostname, urlsplit(anonymous.base).port
    with socket.create_connection((host, port), timeout=PATIENCE_SECONDS) as line:
        line.sendall(
            b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\n{}\r\n0\r\nX-API-Key: " + make_key().encode() + b"\r\n\r\n"
        )
        assert line.recv(100)[:12] == b"HTTP/1.1 401"


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "identity, br", "zstd"])
def test_a_body_that_is_said_to_be_compressed_is_refused_by_its_head(api: Api, coding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    answer = api.request("POST", "/v1/jobs", body=gzip.compress(b"{}"), headers=headers)
    assert_problem(answer, 415, "body-compressed")
    assert answer.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("coding", ["identity", "utf-8"])
def test_a_word_that_is_no_compression_changes_nothing(api: Api, coding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": coding}
    assert api.request("POST", "/v1/jobs", body=b"{}", headers=headers).status == 201
