"""Text that is not UTF-8: from names, arguments, files, and to streams that cannot hold all of it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from phytobatch import multipart
from phytobatch.calls import Query, path_of
from phytobatch.configuration import api_key, base_url
from phytobatch.errors import ConfigurationError
from phytobatch.text import json_line, printable, utf8
from phytobatch.transport import Request
from tests.patience import PATIENCE_SECONDS

BROKEN = os.fsdecode(b"caf\xe9")


@pytest.mark.parametrize(
    "send",
    [
        lambda: multipart.json_body({"name": BROKEN}),
        lambda: multipart.json_body({"metadata": {"crop": ["x", BROKEN]}}),
        lambda: multipart.encode([], {"name": BROKEN}),
        lambda: path_of("jobs", BROKEN),
        lambda: Request("GET", "/v1/jobs", {"label": BROKEN}).target,
        lambda: Request("GET", "/v1/jobs", {"by": ["row", BROKEN]}).target,
    ],
)
def test_what_is_no_text_is_refused_with_the_place(send: object) -> None:
    with pytest.raises(ConfigurationError, match="caf"):
        send()  # type: ignore[operator]  # as above


def test_text_of_every_kind_is_sent() -> None:
    assert utf8("ñ🌿") == "ñ🌿".encode()
    query: Query = {"label": "roya ñ", "by": ["a&b", "c"], "limit": 5, "status": None}
    assert Request("GET", "/v1/jobs", query).target == "/v1/jobs?label=roya+%C3%B1&by=a%26b&by=c&limit=5"


def test_a_file_whose_name_is_no_utf8_is_sent_under_one_that_is(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.jpg")
    path.write_bytes(b"x")
    assert 'filename="caf\ufffd.jpg"'.encode() in multipart.encode([("file", path)], {}).body
    assert printable("\ud83c.jpg") == "\ufffd.jpg"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_key_file_of_any_editor_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "key"
    path.write_bytes("pb_key\r\n".encode(encoding))
    assert api_key(path) == "pb_key"


def test_a_key_file_that_is_no_text_is_named_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"pb_secret\xff")
    with pytest.raises(ConfigurationError, match="no text in UTF-8") as caught:
        api_key(path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://[x", "http://x:99999", "http://x:0", f"http://{BROKEN}", "http://a\x07b"])
def test_an_address_that_is_none_ends_with_a_sentence(url: str) -> None:
    with pytest.raises(ConfigurationError, match="no address"):
        base_url(url)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_json_stays_json_in_the_encoding_of_the_stream(encoding: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace")
    given = {"name": f"ñ 🌿 {BROKEN}"}
    stream.write(json_line(given, stream))
    stream.flush()
    assert json.loads(raw.getvalue().decode(encoding)) == given


@pytest.mark.skipif(os.name == "nt", reason="a shell of Unix closes the streams")
@pytest.mark.parametrize(
    ("streams", "code", "said"),
    [(">&-", 0, ""), ("2>&- >&-", 0, ""), ("> /dev/full", 1, "No space left on device"), ("| true", 0, "")],
)
def test_streams_that_take_nothing_end_without_a_traceback(streams: str, code: int, said: str) -> None:
    command = f"'{sys.executable}' -m phytobatch version {streams}; exit ${{PIPESTATUS[0]}}"
    environment = {**os.environ, "PHYTOBATCH_URL": "http://127.0.0.1:1"}
    ended = subprocess.run(
        ["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert (ended.returncode, "Traceback" in ended.stderr, "Exception" in ended.stderr) == (code, False, False)
    assert said in ended.stderr
