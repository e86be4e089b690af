"""Receives webhooks of Phytobatch: checks each signature, prints each event once, and runs a command for each result.

    WEBHOOK_SECRET=whsec_... python webhook_receiver.py PORT [COMMAND...]

With a command, `COMMAND... JOB_ID` runs when a job has ended with results. When it fails the sender gets 500, and comes
again later; so nothing is lost, and the command must bear to be run twice for the same job.

It listens on this machine alone. Where the sender is another machine or a container, WEBHOOK_BIND=0.0.0.0 has it listen
everywhere, preferably behind a proxy with TLS: whoever has no secret gets 400.

Python's standard library is enough. `phytobatch.verify` and the library `standardwebhooks` make the same check.
"""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

TOLERANCE_SECONDS = 300
MAX_BODY_BYTES = 256 * 1024
COMMAND_SECONDS = 15  # the sender waits 20
WITH_RESULTS = {"job.completed", "job.completed_with_errors"}


class Refused(Exception):
    """This request is not from the server, or not from now."""


def verify(secret: str, headers: Message | Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Return the event in `body`, the bytes as they came, if one of the signatures fits.

    Raises:
        Refused: it cannot be believed; answer with 400.
    """
    given = {name.lower(): value for name, value in headers.items()}
    webhook_id, timestamp, signatures = (given.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        raise Refused("webhook-timestamp is missing, or too far from this machine's clock")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    if not key:  # would believe everybody
        raise Refused("the secret of this receiver is none")
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    # Several signatures come while a secret is being changed.
    if not any([hmac.compare_digest(expected, text.encode()) for text in signatures.split(" ")]):  # noqa: C419
        raise Refused("no signature fits")
    event: dict[str, Any] = json.loads(body)
    return event


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 when the work is done, 400 to what is not signed, 500 when it shall be sent again."""

    secret = os.environ.get("WEBHOOK_SECRET", "")
    program = sys.argv[2:]
    seen: ClassVar[set[str]] = set()  # yours: a unique column, written in the transaction that does the work

    def do_POST(self) -> None:
        """One delivery."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            self.send_error(HTTPStatus.BAD_REQUEST)
            return
        body = self.rfile.read(int(length))
        try:
            event = verify(self.secret, self.headers, body)
        except Refused as error:
            self.send_error(HTTPStatus.BAD_REQUEST, str(error))
            return
        self._answer(HTTPStatus.NO_CONTENT if self._done(event) else HTTPStatus.INTERNAL_SERVER_ERROR)

    def _done(self, event: dict[str, Any]) -> bool:
        webhook_id = self.headers["webhook-id"]
        if webhook_id in self.seen:
            return True
        data = event["data"]
        # In one piece, with its end: print() writes the end by itself, and another delivery may come between.
        sys.stdout.write(f"{event['type']} {data.get('job_id', '')} {data.get('state', '')}\n")
        sys.stdout.flush()
        if self.program and event["type"] in WITH_RESULTS:
            try:
                subprocess.run([*self.program, data["job_id"]], check=True, timeout=COMMAND_SECONDS)  # noqa: S603
            except (OSError, subprocess.SubprocessError) as error:
                print(error, file=sys.stderr)
                return False
        self.seen.add(webhook_id)
        return True

    def _answer(self, status: HTTPStatus) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log requests that were refused, to standard error."""
        if len(args) > 1 and str(args[1]) != str(HTTPStatus.NO_CONTENT.value):
            super().log_message(format, *args)


if __name__ == "__main__":
    if not Receiver.secret:
        sys.exit("set WEBHOOK_SECRET to the secret of the webhook (whsec_...)")
    ThreadingHTTPServer((os.environ.get("WEBHOOK_BIND", "127.0.0.1"), int(sys.argv[1])), Receiver).serve_forever()
