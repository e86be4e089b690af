"""The receivers of the manual, in each language, against the reference library of the specification."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import urllib3
from standardwebhooks import Webhook

from deploy.local.ports import free_port
from shared.webhooks.signing import new_secret
from tests.acceptance.docs.running import serving
from tests.patience import PATIENCE_SECONDS

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
BODY = (
    b'{"type": "job.completed", "timestamp": "2026-06-01T08:09:12Z", "data": {"job_id": "j-1", "state": "completed"}}'
)


def program(language: str, folder: Path) -> list[str]:
    """The command that runs a receiver; skips where the language is not installed."""
    if language == "python":
        return [sys.executable, str(EXAMPLES / "webhook_receiver.py")]
    found = shutil.which(language)
    if found is None:
        pytest.skip(f"no `{language}` on this machine: the receiver in that language is not run")
    if language == "node":
        return [found, str(EXAMPLES / "webhook_receiver.mjs")]
    built = folder / "receiver"
    subprocess.run(
        [found, "build", "-o", str(built), str(EXAMPLES / "webhook_receiver.go")], check=True, timeout=PATIENCE_SECONDS
    )
    return [str(built)]


@dataclass(frozen=True)
class Running:
    """A receiver at work."""

    port: int
    secret: str
    log: Path

    def post(self, headers: dict[str, str], body: bytes = BODY, *, host: str = "127.0.0.1") -> int:
        """The status that a delivery gets."""
        with urllib3.PoolManager(retries=False, timeout=PATIENCE_SECONDS) as pool:
            return pool.request("POST", f"http://{host}:{self.port}/hooks", body=body, headers=headers).status

    def accepted(self) -> list[str]:
        """Return the lines that it printed of the events that it believed."""
        return [line for line in self.log.read_text(encoding="utf-8").splitlines() if line.startswith("job.")]


@pytest.fixture(scope="module", params=["python", "node", "go"])
def receiver(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("receiver")
    made = Running(free_port(), new_secret(), folder / "receiver.log")
    command = [*program(request.param, folder), str(made.port)]
    with serving(command, made.port, made.log, {**os.environ, "WEBHOOK_SECRET": made.secret}):
        yield made


def signed(secret: str, webhook_id: str, *, at: datetime | None = None, body: bytes = BODY) -> dict[str, str]:
    moment = at or datetime.now(UTC)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, moment, body.decode()),
        "content-type": "application/json",
    }


def test_what_the_server_signed_is_believed_once(receiver: Running) -> None:
    before = len(receiver.accepted())
    headers = signed(receiver.secret, "msg-once")
    assert [receiver.post(headers), receiver.post(headers)] == [204, 204]
    assert receiver.accepted()[before:] == ["job.completed j-1 completed"]


@pytest.mark.parametrize("language", ["python", "node", "go"])
def test_a_receiver_for_a_sender_elsewhere_listens_everywhere(language: str, tmp_path: Path) -> None:
    """127.0.0.2 stands for an address of this machine that is not the one a receiver listens at by itself."""
    made = Running(free_port(), new_secret(), tmp_path / "receiver.log")
    command = [*program(language, tmp_path), str(made.port)]
    environment = {**os.environ, "WEBHOOK_SECRET": made.secret}
    with serving(command, made.port, made.log, environment), pytest.raises(urllib3.exceptions.HTTPError):
        made.post(signed(made.secret, "msg-near"), host="127.0.0.2")
    with serving(command, made.port, made.log, {**environment, "WEBHOOK_BIND": "0.0.0.0"}):  # noqa: S104  # as the page says
        assert made.post(signed(made.secret, "msg-far"), host="127.0.0.2") == 204


def test_one_of_several_signatures_is_enough_while_a_secret_changes(receiver: Running) -> None:
    headers = signed(receiver.secret, "msg-rotated")
    other = signed(new_secret(), "msg-rotated")["webhook-signature"]
    assert receiver.post({**headers, "webhook-signature": f"{other} {headers['webhook-signature']}"}) == 204


@pytest.mark.parametrize("minutes", [-6, 6])
def test_what_is_too_old_or_too_new_is_refused(receiver: Running, minutes: int) -> None:
    headers = signed(receiver.secret, "msg-time", at=datetime.now(UTC) + timedelta(minutes=minutes))
    assert receiver.post(headers) == 400


@pytest.mark.parametrize("what", ["another secret", "another id", "another body", "no signature", "another version"])
def test_what_was_changed_or_signed_by_somebody_else_is_refused(receiver: Running, what: str) -> None:
    before = len(receiver.accepted())
    headers, body = signed(receiver.secret, "msg-changed"), BODY
    if what == "another secret":
        headers = signed(new_secret(), "msg-changed")
    elif what == "another id":
        headers["webhook-id"] = "msg-other"
    elif what == "another body":
        body = json.dumps(json.loads(BODY)).replace("j-1", "j-2").encode()
    elif what == "no signature":
        del headers["webhook-signature"]
    else:
        headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v2,")
    assert receiver.post(headers, body) == 400
    assert receiver.accepted()[before:] == []


def test_the_headers_are_needed(receiver: Running) -> None:
    assert receiver.post({"content-type": "application/json"}) == 400


def test_a_signature_that_is_no_base64_is_refused(receiver: Running) -> None:
    headers = signed(receiver.secret, "msg-broken")
    for text in ("v1,", "v1,%%%", "", "v1", base64.b64encode(b"x").decode()):
        assert receiver.post({**headers, "webhook-signature": text}) == 400
