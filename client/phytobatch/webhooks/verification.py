"""For receivers: is this request really from the server, and meant for us, now?

Standard Webhooks specification, version 1 (https://github.com/standard-webhooks/standard-webhooks,
spec/standard-webhooks.md). Any of its libraries does the same; this one needs the standard library alone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence

from phytobatch.errors import ConfigurationError, VerificationError
from phytobatch.resources import JsonObject

SECRET_PREFIX = "whsec_"  # noqa: S105  # what every secret begins with
VERSION = "v1"
TOLERANCE_SECONDS = 300.0


def verify(
    secrets: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> JsonObject:
    """Return the event of a webhook, if it can be believed.

    Deliveries may come twice: keep the header ``webhook-id`` and pass over what you have seen.

    Args:
        secrets: ``whsec_...``; several while you change from one to the next.
        headers: of the request; their names are read in any case.
        body: of the request, the bytes as they came: JSON that was read and written again has another signature.
        tolerance: how many seconds the clocks may differ and the request may have been on its way.
        now: Unix seconds; the clock of this machine unless given.

    Returns:
        ``{"type", "timestamp", "data"}``; see ``docs/http-api.md``.

    Raises:
        VerificationError: it cannot be believed. Answer with 400.
        ConfigurationError: a secret is none.
    """
    keys = [_key(secret) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    sent = {name.lower(): value for name, value in headers.items()}
    webhook_id, timestamp, signatures = (_header(sent, f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    _check_time(timestamp, tolerance, time.time() if now is None else now)
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    if not _is_signed(keys, signed, signatures):
        raise VerificationError("No signature fits: the body was changed, or was signed with another secret.")
    return _event(body)


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        # An empty key would believe everybody.
        raise ConfigurationError("This is no secret of a webhook: whsec_ and base64 are expected.")
    return key


def _header(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name, "")
    if not value:
        raise VerificationError(f"The header {name} is missing.")
    return value


def _check_time(timestamp: str, tolerance: float, now: float) -> None:
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise VerificationError("The header webhook-timestamp is no number of seconds.")
    if abs(now - int(timestamp)) > tolerance:
        raise VerificationError("The header webhook-timestamp is too old or too new: look at this machine's clock.")


def _is_signed(keys: Sequence[bytes], signed: bytes, signatures: str) -> bool:
    expected = [hmac.digest(key, signed, hashlib.sha256) for key in keys]
    candidates = [_signature(text) for text in signatures.split(" ")]
    # A list and no generator: how long it takes must not tell which of them fits.
    return any([hmac.compare_digest(one, other) for one in expected for other in candidates])  # noqa: C419  # see above


def _signature(text: str) -> bytes:
    version, _, encoded = text.partition(",")
    if version != VERSION:
        return b""
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _event(body: bytes) -> JsonObject:
    try:
        event = json.loads(body)
    except ValueError as error:
        raise VerificationError("The body is no JSON.") from error
    if not isinstance(event, dict):
        raise VerificationError("The body is no JSON object.")
    return event
