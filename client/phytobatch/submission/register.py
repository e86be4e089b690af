"""Registering files in pages, and finding the one file of a page that the server refuses."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from http import HTTPStatus

from phytobatch.errors import ApiError, Conflict, InvalidRequest, LimitExceeded
from phytobatch.resources import UploadTarget
from phytobatch.sdk import MAX_IMAGES_PER_CALL, Phytobatch
from phytobatch.submission.ledger import Ledger, LocalFile
from phytobatch.submission.prepare import Preparer

# The first page is small so that uploads begin at once; a page does not wait longer for slow disks.
FIRST_PAGE = 50
PAGE_SECONDS = 1.0
# Limits that a smaller page, or a page without the one large file, is not over.
LIMITS_OF_A_PAGE = frozenset({"PHYTOBATCH_MAX_IMAGE_BYTES", "PHYTOBATCH_MAX_PAGE_SIZE", "PHYTOBATCH_MAX_JSON_BYTES"})
NAME_TAKEN = "image-name-taken"
# Part of a URL's life after which it is not used any more: the store answers only after it got the whole file.
USABLE_LIFE = 0.9
SHORTEST_LIFE = 10.0  # In seconds; servers give a minute or more.


@dataclass(frozen=True)
class Ticket:
    """A file and where to send it. ``stale_at`` is on the monotonic clock."""

    file: LocalFile
    target: UploadTarget
    stale_at: float

    @property
    def is_stale(self) -> bool:
        """True if the URL has likely expired, or will while the file is sent."""
        return time.monotonic() >= self.stale_at


def pages(files: Iterable[LocalFile], *, size: int = MAX_IMAGES_PER_CALL) -> Iterator[list[LocalFile]]:
    """Cut a slow stream into pages: a small one first, then full ones, or what came within a second."""
    page: list[LocalFile] = []
    limit = min(FIRST_PAGE, size)
    began = time.monotonic()
    for file in files:
        page.append(file)
        if len(page) >= limit or time.monotonic() - began >= PAGE_SECONDS:
            yield page
            page, limit, began = [], size, time.monotonic()
    if page:
        yield page


class Registrar:
    """A stage that asks for upload URLs. Thread-safe."""

    def __init__(self, client: Phytobatch, job_id: str, ledger: Ledger, preparer: Preparer) -> None:
        self._client = client
        self._job_id = job_id
        self._ledger = ledger
        self._preparer = preparer

    def register(self, files: Sequence[LocalFile]) -> list[Ticket]:
        """Return tickets for the files; files that the server refuses one by one are skipped and reported.

        Raises:
            ApiError: the server refuses for a reason that is not one file's.
            NetworkError: no answer arrived in time.
        """
        try:
            targets = self._client.add_images(self._job_id, [file.spec for file in files])
        except ApiError as error:
            if not is_about_files(error):
                raise
            return self._narrow_down(files, error)
        return self._tickets(files, targets)

    def _tickets(self, files: Sequence[LocalFile], targets: Sequence[UploadTarget]) -> list[Ticket]:
        registered = self._ledger.registered((file, target.seq) for file, target in zip(files, targets))
        return [Ticket(file, each, _stale_at(each)) for file, each in zip(registered, targets)]

    def _narrow_down(self, files: Sequence[LocalFile], error: ApiError) -> list[Ticket]:
        if len(files) > 1:
            half = len(files) // 2
            return self.register(files[:half]) + self.register(files[half:])
        (file,) = files
        if error.code == NAME_TAKEN:
            return self.register([self._preparer.changed(file, file)])
        self._preparer.skip(file.path, file.size, f"the server refuses it: {error}")
        return []


def is_about_files(error: ApiError) -> bool:
    """Return whether some of the files, or their number, are the reason; otherwise no page of this job would work."""
    if isinstance(error, Conflict):
        return error.code == NAME_TAKEN
    if isinstance(error, LimitExceeded):
        return error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or error.problem.setting in LIMITS_OF_A_PAGE
    return isinstance(error, InvalidRequest)


def _stale_at(target: UploadTarget) -> float:
    life = (target.expires_at - datetime.now(timezone.utc)).total_seconds() if target.expires_at else 0.0
    # A clock of this machine that is far off gives no life at all; then only the store's 403 tells.
    return time.monotonic() + life * USABLE_LIFE if life > SHORTEST_LIFE else float("inf")
