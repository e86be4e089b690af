"""The calls of ``/v1/jobs/{id}/corrections`` and ``/v1/jobs/{id}/images/{seq}/correction``."""

from __future__ import annotations

from collections.abc import Iterator

from phytobatch import multipart
from phytobatch.calls import Calls, path_of
from phytobatch.corrections.resources import Correction, Imported
from phytobatch.resources import Page
from phytobatch.transport import Request

PAGE_SIZE = 1000


class Corrections:
    """The corrections of the images of jobs. Errors as ``Phytobatch`` raises them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def put(
        self, job_id: str, seq: int, label: str, *, note: str | None = None, corrected_by: str | None = None
    ) -> Correction:
        """Say what an image shows; an earlier correction of it is replaced."""
        fields = {"label": label, "note": note, "corrected_by": corrected_by}
        body = multipart.json_body({name: value for name, value in fields.items() if value is not None}) or b""
        return self._calls.put(_image(job_id, seq), body, content_type="application/json").parse(Correction.from_json)

    def delete(self, job_id: str, seq: int) -> None:
        """Take a correction back."""
        self._calls.delete(_image(job_id, seq))

    def page(self, job_id: str, *, after: str | None = None, limit: int | None = None) -> Page[Correction]:
        """Return one page of corrections, in the order of the images."""
        return self._calls.get(_path(job_id), query={"after": after, "limit": limit}).parse(Correction.page)

    def list(self, job_id: str, *, page_size: int = PAGE_SIZE) -> Iterator[Correction]:
        """Yield every correction of a job, in the order of its images."""
        after: str | None = None
        while True:
            page = self.page(job_id, after=after, limit=page_size)
            yield from page.items
            if not page.has_more:
                return
            after = page.after

    def import_table(self, job_id: str, table: bytes) -> Imported:
        """Import a CSV table with ``name`` or ``seq``, and ``label``; whole or not at all.

        Raises:
            InvalidRequest: ``rows-invalid``; ``error.problem.errors`` names the lines.
        """
        headers = {"Content-Type": "text/csv"}
        request = Request("POST", _path(job_id), {}, headers, table, repeatable=True)
        return self._calls.transport.send(request).parse(Imported.from_json)


def _path(job_id: str) -> str:
    return f"{path_of('jobs', job_id)}/corrections"


def _image(job_id: str, seq: int) -> str:
    return f"{path_of('jobs', job_id)}/images/{seq}/correction"
