"""The calls of ``/v1/jobs/{id}/corrections``, and of the ``correction`` of an image and of a tile."""

from __future__ import annotations

from collections.abc import Iterator

from phytobatch import multipart
from phytobatch.calls import Calls, path_of
from phytobatch.corrections.resources import Correction, Imported
from phytobatch.resources import Page
from phytobatch.transport import Request

PAGE_SIZE = 1000


class Corrections:
    """The corrections of the images of jobs, and of their tiles. Errors as ``Phytobatch`` raises them.

    ``tile`` is counted from 0, rows first; None: the image as a whole. The latest word of each person stands, and of
    those the latest counts.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def put(
        self,
        job_id: str,
        seq: int,
        label: str,
        *,
        tile: int | None = None,
        note: str | None = None,
        corrected_by: str | None = None,
    ) -> Correction:
        """Say what an image or a tile shows; this counts from now on.

        Raises:
            NotFound: there is no such image, or (``no-tiles``) it was answered as a whole.
            InvalidRequest: it has no such tile.
        """
        fields = {"label": label, "note": note, "corrected_by": corrected_by}
        body = multipart.json_body({name: value for name, value in fields.items() if value is not None}) or b""
        path = _place(job_id, seq, tile)
        return self._calls.put(path, body, content_type="application/json").parse(Correction.from_json)

    def delete(self, job_id: str, seq: int, *, tile: int | None = None, corrected_by: str | None = None) -> None:
        """Take back the correction of an image or a tile: that of one person, or everybody's."""
        self._calls.delete(_place(job_id, seq, tile), query={"corrected_by": corrected_by})

    def page(
        self,
        job_id: str,
        *,
        seq: int | None = None,
        history: bool = False,
        after: str | None = None,
        limit: int | None = None,
    ) -> Page[Correction]:
        """Return one page of corrections, in the order of the images and their tiles; see ``list``."""
        query = {"seq": seq, "history": "true" if history else None, "after": after, "limit": limit}
        return self._calls.get(_path(job_id), query=query).parse(Correction.page)

    def list(
        self, job_id: str, *, seq: int | None = None, history: bool = False, page_size: int = PAGE_SIZE
    ) -> Iterator[Correction]:
        """Yield the corrections of a job that count, in the order of its images and their tiles.

        Args:
            job_id: the job.
            seq: only those of this image.
            history: every word of every person, and what was taken back, the oldest first.
            page_size: rows in one call.
        """
        after: str | None = None
        while True:
            page = self.page(job_id, seq=seq, history=history, after=after, limit=page_size)
            yield from page.items
            if not page.has_more:
                return
            after = page.after

    def import_table(self, job_id: str, table: bytes) -> Imported:
        """Import a CSV table with ``name`` or ``seq``, ``tile`` for tiles, and ``label``; whole or not at all.

        Raises:
            InvalidRequest: ``rows-invalid``; ``error.problem.errors`` names the lines.
        """
        headers = {"Content-Type": "text/csv"}
        request = Request("POST", _path(job_id), {}, headers, table, repeatable=True)
        return self._calls.transport.send(request).parse(Imported.from_json)


def _path(job_id: str) -> str:
    return f"{path_of('jobs', job_id)}/corrections"


def _place(job_id: str, seq: int, tile: int | None) -> str:
    image = f"{path_of('jobs', job_id)}/images/{seq}"
    return f"{image}/correction" if tile is None else f"{image}/tiles/{tile}/correction"
