"""The body of an event on the wire: the same in a webhook and in an event stream."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.times import rfc3339


def envelope(
    event_type: str, created_at: datetime, data: Mapping[str, Any], *, public_url: str | None
) -> dict[str, Any]:
    """Build an event as JSON: its type, its time and its data; links are added to what is about a job.

    Args:
        event_type: as ``job.completed``.
        created_at: when it happened.
        data: what was recorded of it.
        public_url: where clients reach the API; without it the links are paths.
    """
    job_id = data.get("job_id")
    links = {} if job_id is None else {"links": _links(str(job_id), public_url)}
    return {"type": event_type, "timestamp": rfc3339(created_at), "data": {**data, **links}}


def encode(event: Mapping[str, Any]) -> bytes:
    """Encode the bytes that are signed and sent: the same for the same event, at every attempt."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _links(job_id: str, public_url: str | None) -> dict[str, str]:
    job = f"{(public_url or '').rstrip('/')}/v1/jobs/{job_id}"
    return {"job": job, "results": f"{job}/results"}
