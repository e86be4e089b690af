"""Signatures of the Standard Webhooks specification, version 1: HMAC-SHA256 over id, timestamp and body.

(https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, "Signature scheme".)
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

SECRET_PREFIX = "whsec_"  # noqa: S105  # what every secret begins with
# The specification asks for 24 to 64 bytes.
SECRET_BYTES = 32
VERSION = "v1"


def new_secret() -> str:
    """Make a secret of 32 random bytes: ``whsec_`` and base64."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, *, webhook_id: str, timestamp: int, body: bytes) -> str:
    """Compute one signature, as ``v1,`` and base64.

    Args:
        secret: ``whsec_`` and base64.
        webhook_id: the header ``webhook-id``.
        timestamp: the header ``webhook-timestamp``, in Unix seconds.
        body: the bytes that are sent.
    """
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.digest(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"{VERSION},{base64.b64encode(digest).decode()}"


def signature_header(valid_secrets: Iterable[str], *, webhook_id: str, timestamp: int, body: bytes) -> str:
    """Build the header ``webhook-signature``: one signature for each valid secret, separated by spaces."""
    return " ".join(sign(secret, webhook_id=webhook_id, timestamp=timestamp, body=body) for secret in valid_secrets)
