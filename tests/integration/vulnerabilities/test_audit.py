"""The real pip-audit against a database on this machine that speaks the protocol of OSV."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from deploy.vulnerabilities import __main__ as vulnerabilities
from tests.contract.check_tools import tool
from tests.unit.vulnerabilities.osv import PILLOW

OLD = (
    f"pillow==12.1.1 \\\n    --hash=sha256:{1:064}\nnumpy==2.4.6 ; python_version < '3' \\\n    --hash=sha256:{2:064}\n"
)

# Nobody listens on the first port.
NOBODY = "http://127.0.0.1:1/v1/query"


class Database(BaseHTTPRequestHandler):
    """Knows one advisory."""

    asked: ClassVar[list[tuple[str, str]]] = []

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, version = question["package"]["name"], question["version"]
        self.asked.append((name, version))
        answer = json.dumps({"vulns": [PILLOW]} if (name, version) == ("pillow", "12.1.1") else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """The test is its log."""


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    tool("pip-audit")
    with ThreadingHTTPServer(("127.0.0.1", 0), Database) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "old.txt"
    path.write_text(OLD)
    return path


def test_a_known_problem_is_named_and_the_audit_fails(
    database: str, lock: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert vulnerabilities.main(["audit", str(lock), "--service", "osv", "--osv-url", database]) == 1
    said = capsys.readouterr().out
    assert "old.txt: 2 packages, 1 with known problems" in said
    assert "pillow 12.1.1: CVE-2026-40192 (fixed in 12.2.0)" in said


def test_what_is_pinned_for_another_python_is_asked_about_too(database: str, lock: Path) -> None:
    Database.asked.clear()
    vulnerabilities.main(["audit", str(lock), "--service", "osv", "--osv-url", database])
    assert sorted(Database.asked) == [("numpy", "2.4.6"), ("pillow", "12.1.1")]


def test_a_database_that_cannot_be_reached_makes_nothing_clean(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tool("pip-audit")
    assert vulnerabilities.main(["audit", str(lock), "--service", "osv", "--osv-url", NOBODY]) == 2
    assert "Nothing can be said: old.txt: pip-audit could not ask" in capsys.readouterr().err
