"""Puts what a job found on the map of John Deere Operations Center: a flag where a plant is diseased.

    export DEERE_URL=https://sandboxapi.deere.com/platform DEERE_TOKEN=...     # OAuth scopes ag1 (read), ag3 (write)
    export DEERE_ORGANIZATION=... DEERE_FIELD=... DEERE_FLAG_CATEGORY=...      # ids in Operations Center
    python john_deere.py JOB_ID

Flags API (https://developer.deere.com/dev-docs/flags). Photographs of healthy plants, of doubtful ones, and without a
position get no flag. The last line of a flag names its photograph, so that none is made twice.

Tried against a stand-in that does what that documentation says, in the tests. Not tried against John Deere.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

import urllib3

from phytobatch import Phytobatch, Result

MAX_FLAGS = 200  # of one job; the surest first
AXIOM = "application/vnd.deere.axiom.v3+json"
MARK = re.compile(r"phytobatch:\S+")


class Field:
    """The flags of one field in Operations Center."""

    def __init__(self, url: str, token: str, organization: str, field: str, category: str) -> None:
        self._organization = f"{url.rstrip('/')}/organizations/{organization}"
        self._field = f"{self._organization}/fields/{field}"
        self._category = f"{url.rstrip('/')}/flagCategories/{category}"
        # Only what was refused before it was done is sent again.
        patience = urllib3.Retry(3, status_forcelist=[429], allowed_methods=None, backoff_factor=0.5, read=False)
        headers = {"Authorization": f"Bearer {token}", "Accept": AXIOM, "Content-Type": AXIOM}
        self._pool = urllib3.PoolManager(timeout=30, retries=patience, headers=headers)

    def marks(self) -> set[str]:
        """Return the photographs that have a flag already."""
        return {mark for flag in self._flags() for mark in MARK.findall(flag.get("notes") or "")}

    def _flags(self) -> Iterator[dict[str, Any]]:
        address: str | None = f"{self._field}/flags?recordFilter=all&metadataOnly=true"
        while address:
            page = _good(self._pool.request("GET", address)).json()
            yield from page["values"]
            address = next((link["uri"] for link in page["links"] if link["rel"] == "nextPage"), None)

    def add(self, longitude: float, latitude: float, notes: str) -> None:
        """Add a flag."""
        flag = {
            "@type": "Flag",
            "geometry": {"type": "Point", "coordinates": [longitude, latitude]},
            "notes": notes,
            "archived": False,
            "proximityAlertEnabled": False,
            "links": [
                {"@type": "Link", "rel": "flagCategory", "uri": self._category},
                {"@type": "Link", "rel": "field", "uri": self._field},
            ],
        }
        _good(self._pool.request("POST", f"{self._organization}/flags", body=json.dumps(flag)))


def _good(answer: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
    if answer.status >= 300:  # noqa: PLR2004
        sys.exit(f"John Deere answered {answer.status}: {answer.data.decode(errors='replace')[:500]}")
    return answer


def diseased(phytobatch: Phytobatch, job_id: str) -> list[Result]:
    """Return the results that need no review and have a position, highest confidence first."""
    found = [
        result
        for result in phytobatch.results(job_id, status="succeeded")
        if result.label != "healthy" and not result.needs_review and result.raw["place"]["latitude"] is not None
    ]
    return sorted(found, key=lambda result: -(result.confidence or 0.0))


def main(job_id: str) -> None:
    """Take the results and put flags."""
    names = ("URL", "TOKEN", "ORGANIZATION", "FIELD", "FLAG_CATEGORY")
    field = Field(*(os.environ[f"DEERE_{name}"] for name in names))
    there = field.marks()
    added = 0
    with Phytobatch() as phytobatch:
        for result in diseased(phytobatch, job_id)[:MAX_FLAGS]:
            mark = f"phytobatch:{job_id}/{result.seq}"
            if mark not in there:
                notes = f"{result.label}, {result.confidence:.0%} sure, photograph {result.name}\n{mark}"
                place = result.raw["place"]
                field.add(place["longitude"], place["latitude"], notes)
                added += 1
    print(f"John Deere: {added} flags added for job {job_id}, {len(there)} were there")


if __name__ == "__main__":
    main(sys.argv[1])
