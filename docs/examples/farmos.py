"""Writes what a job found into farmOS: one observation log, with the number of photographs of each class.

    export FARMOS_URL=https://farm.example.org FARMOS_CLIENT_ID=... FARMOS_CLIENT_SECRET=...
    export FARMOS_LOCATION=...           # optional: the UUID of the land asset that the photographs show
    python farmos.py JOB_ID

JSON:API of farmOS 2 to 4 (https://farmos.org/development/api/), with an OAuth client that has the scope farm_worker.
Every record has an id that is made from the job's id, so a repeat, or a retry of the job, changes the same records.

Tried against a stand-in that does what that documentation says, in the tests. Not tried against a real farmOS.
"""

import html
import json
import os
import sys
from collections import Counter
from typing import Any
from uuid import UUID, uuid5

import urllib3

from phytobatch import Job, Phytobatch

PHYTOBATCH = UUID("5c4ff1a9-2c5f-4a53-9d1c-6d7f0f1f3a7e")  # any UUID of your own: the ids are made from it
JSON_API = {"Accept": "application/vnd.api+json", "Content-Type": "application/vnd.api+json"}
PERSON, NOTHING = "look at these yourself", "without a classification"


def tally(phytobatch: Phytobatch, job: Job) -> Counter[str]:
    """Photographs by class; what a person has to look at, and what has no answer, stands by itself."""
    counted = Counter({PERSON: 0, NOTHING: 0})
    for result in phytobatch.results(job.id):
        counted.update(dict.fromkeys(result.probabilities or {}, 0))  # every class has a line, also with 0
        counted[PERSON if result.needs_review else result.label or NOTHING] += 1
    return counted


class FarmOS:
    """The few calls that this needs."""

    def __init__(self, url: str, client_id: str, client_secret: str) -> None:
        self._url = url.rstrip("/")
        self._pool = urllib3.PoolManager(timeout=30, retries=urllib3.Retry(3, backoff_factor=0.5))
        fields = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
            "scope": "farm_worker",
        }
        answer = self._pool.request("POST", f"{self._url}/oauth/token", fields=fields, encode_multipart=False)
        self._headers = {**JSON_API, "Authorization": f"Bearer {_good(answer)['access_token']}"}

    def write(self, kind: str, record_id: UUID, attributes: object, relationships: object) -> dict[str, str]:
        """Create the record, or change it where it is there already; what points to it."""
        name = {"type": kind.replace("/", "--"), "id": str(record_id)}
        body = json.dumps({"data": {**name, "attributes": attributes, "relationships": relationships}})
        address = f"{self._url}/api/{kind}"
        answer = self._pool.request("POST", address, body=body, headers=self._headers)
        if answer.status == 409:  # noqa: PLR2004  # Drupal: an entity with this id exists
            answer = self._pool.request("PATCH", f"{address}/{record_id}", body=body, headers=self._headers)
        _good(answer)
        return name


def _good(answer: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    if answer.status >= 300:  # noqa: PLR2004
        sys.exit(f"farmOS answered {answer.status}: {answer.data.decode(errors='replace')[:500]}")
    found: dict[str, Any] = answer.json()
    return found


def main(job_id: str) -> None:
    """Take the results and write them."""
    with Phytobatch() as phytobatch:
        job = phytobatch.job(job_id)
        if not job.is_terminal or job.finished_at is None:
            sys.exit(f"job {job.id} is {job.state}; wait for its end")
        counted = tally(phytobatch, job)
    farm = FarmOS(*(os.environ[f"FARMOS_{name}"] for name in ("URL", "CLIENT_ID", "CLIENT_SECRET")))
    quantities = [
        farm.write(
            "quantity/standard",
            uuid5(PHYTOBATCH, f"{job.id}/{label}"),
            {"measure": "count", "label": f"photographs: {label}", "value": {"decimal": str(count)}},
            {},
        )
        for label, count in counted.items()
    ]
    location = os.environ.get("FARMOS_LOCATION")
    farm.write(
        "log/observation",
        uuid5(PHYTOBATCH, job.id),
        {
            "name": f"Plant health: {job.name or job.id}"[:255],
            "timestamp": job.finished_at.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "status": "done",
            "notes": {"value": _notes(job, counted), "format": "default"},
            "data": json.dumps({"phytobatch_job": job.id, "classifier": str(job.classifier)}),
        },
        {
            "quantity": {"data": quantities},
            "location": {"data": [{"type": "asset--land", "id": location}] if location else []},
        },
    )
    print(f"farmOS: {job.counts.total} photographs of job {job.id} in one observation, {len(quantities)} quantities")


def _notes(job: Job, counted: Counter[str]) -> str:
    lines = [f"{count} of {job.counts.total}: {label}" for label, count in counted.most_common()]
    source = f"Classified by {job.classifier}, Phytobatch job {job.id}. A classification is no diagnosis."
    return "<br>".join(html.escape(line) for line in [*lines, source])


if __name__ == "__main__":
    main(sys.argv[1])
