"""The calls of ``/v1/jobs/{id}/export``, ``/v1/jobs/{id}/exports`` and ``/v1/exports``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from phytobatch.calls import Calls, idempotency, path_of
from phytobatch.downloads.download import Download, Progress
from phytobatch.errors import ExportFailed, NetworkError, WaitTimeout
from phytobatch.exports.resources import Export
from phytobatch.resources import JsonObject, Page
from phytobatch.retry import RetryPolicy
from phytobatch.streams import Stream
from phytobatch.transport import Request

PAGE_SIZE = 100
POLL_SECONDS = 2.0
READ_SECONDS = 90.0


class Exports:
    """The exports of the jobs of the key's tenant. Errors as ``Phytobatch`` raises them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def open(
        self,
        job_id: str,
        format: str,  # noqa: A002  # its name on the wire
        *,
        status: str | None = None,
        label: str | None = None,
        place: str | None = None,
        content: str | None = None,
    ) -> Stream:
        """Open the file while the server writes it. Close the stream, or read it to its end.

        ``content="tiles"`` makes a row of each tile, in the formats ``ndjson`` and ``parquet``.

        Raises:
            LimitExceeded: it has too many rows to be sent directly; ``create`` it.
            NetworkError: it was broken off.
        """
        query = {"format": format, "content": content, "status": status, "label": label, "place": place}
        request = Request("GET", f"{path_of('jobs', job_id)}/export", query, {"Accept": "*/*"})
        return self._calls.transport.open(request, read_seconds=READ_SECONDS)

    def save(  # noqa: PLR0913  # what a client may say
        self,
        job_id: str,
        format: str,  # noqa: A002  # its name on the wire
        part: Path,
        *,
        status: str | None = None,
        label: str | None = None,
        place: str | None = None,
        content: str | None = None,
        progress: Progress | None = None,
    ) -> int:
        """Save the file into ``part`` while the server writes it; one that is broken off begins again.

        Returns:
            Images of the job that have no answer yet and are not in the file.

        Raises:
            LimitExceeded: it has too many rows to be sent directly; ``create`` it.
            NetworkError: it was broken off for longer than the patience.
            OSError: ``part`` cannot be written.
        """

        def attempt() -> int:
            stream = self.open(job_id, format, status=status, label=label, place=place, content=content)
            written = 0
            try:
                with part.open("wb") as file:
                    while block := stream.read(READ_SECONDS):
                        file.write(block)
                        written += len(block)
                        report(len(block))
            except NetworkError:
                report(-written)
                raise
            finally:
                stream.close()
            return int(stream.headers.get("X-Phytobatch-Pending", "0"))

        report = progress or (lambda _: None)
        return self._calls.transport.repeat(attempt, lambda _: True)

    def create(
        self,
        job_id: str,
        format: str,  # noqa: A002  # its name on the wire
        *,
        status: str | None = None,
        label: str | None = None,
        place: str | None = None,
        content: str | None = None,
        idempotency_key: str | None = None,
    ) -> Export:
        """Create a background export: a worker writes the file."""
        filters = {name: value for name, value in _named(status, label, place).items() if value is not None}
        body: JsonObject = {"format": format, "filters": filters}
        if content is not None:
            body["content"] = content
        path = f"{path_of('jobs', job_id)}/exports"
        return self._calls.post(path, body, headers=idempotency(idempotency_key)).parse(Export.from_json)

    def get(self, export_id: str) -> Export:
        """Return the export as it is now, with a fresh URL once it is completed."""
        return self._calls.get(path_of("exports", export_id)).parse(Export.from_json)

    def page(self, job_id: str, *, after: str | None = None, limit: int | None = None) -> Page[Export]:
        """Return one page of the exports of a job, newest first."""
        path = f"{path_of('jobs', job_id)}/exports"
        return self._calls.get(path, query={"after": after, "limit": limit}).parse(Export.page)

    def list(self, job_id: str, *, page_size: int = PAGE_SIZE) -> Iterator[Export]:
        """Yield every export of a job that is kept or in progress, newest first."""
        after: str | None = None
        while True:
            page = self.page(job_id, after=after, limit=page_size)
            yield from page.items
            if not page.has_more:
                return
            after = page.after

    def delete(self, export_id: str) -> None:
        """Remove the file; an export in progress is cancelled."""
        self._calls.delete(path_of("exports", export_id))

    def wait(
        self, export_id: str, *, timeout: float | None = None, sleep: Callable[[float], object] = time.sleep
    ) -> Export:
        """Wait until it is completed.

        Raises:
            ExportFailed: there will never be a file; the error says why.
            WaitTimeout: ``timeout`` seconds are over. The export goes on.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while not (export := self.get(export_id)).is_over:
            if deadline is not None and time.monotonic() >= deadline:
                raise WaitTimeout(f"Export {export_id} is still {export.state} after {timeout:g} s.")
            sleep(POLL_SECONDS)
        if export.state == "failed":
            raise ExportFailed(f"Export {export_id} failed: {export.error or 'no reason was given'}")
        return export

    def download(
        self,
        export_id: str,
        part: Path,
        *,
        policy: RetryPolicy | None = None,
        progress: Progress | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """Download the file of a completed export into ``part``; bytes that are there already are kept.

        Raises:
            DownloadError, NetworkError: it did not arrive whole; another call goes on where this one ended.
        """
        pools = self._calls.transport.pools
        Download(
            pools, lambda: self.get(export_id).url or "", policy or RetryPolicy(), progress=progress, sleep=sleep
        ).to(part)


def _named(status: str | None, label: str | None, place: str | None) -> dict[str, str | None]:
    return {"status": status, "label": label, "place": place}
