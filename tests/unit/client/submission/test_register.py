"""Pages of files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from phytobatch.problems import error_of
from phytobatch.submission.ledger import LocalFile
from phytobatch.submission.register import FIRST_PAGE, is_about_files, pages


def files(count: int) -> list[LocalFile]:
    return [LocalFile(Path(f"/{n}.jpg"), f"{n}.jpg", 1, 1, "0" * 64) for n in range(count)]


def test_the_first_page_is_small_and_no_page_is_larger_than_the_server_takes() -> None:
    cut = list(pages(files(2500)))

    assert len(cut[0]) == FIRST_PAGE
    assert all(len(page) <= 1000 for page in cut)
    assert [file for page in cut for file in page] == files(2500)


def test_no_files_make_no_page() -> None:
    assert list(pages([])) == []


@pytest.mark.parametrize(
    ("status", "code", "setting", "about_files"),
    [
        (409, "image-name-taken", None, True),
        (422, "invalid-request", None, True),
        (413, "body-too-large", None, True),
        (422, "limit-exceeded", "PHYTOBATCH_MAX_IMAGE_BYTES", True),
        (422, "limit-exceeded", "PHYTOBATCH_MAX_PAGE_SIZE", True),
        (422, "limit-exceeded", "PHYTOBATCH_MAX_IMAGES_PER_JOB", False),
        (429, "rate-limited", None, False),
        (409, "job-not-draft", None, False),
        (401, "unauthenticated", None, False),
        (503, "temporarily-unavailable", None, False),
    ],
)
def test_one_bad_file_is_told_from_a_job_that_takes_no_more(
    status: int, code: str, setting: str | None, *, about_files: bool
) -> None:
    body = json.dumps({"type": f"urn:phytobatch:problem:{code}", "setting": setting}).encode()

    assert is_about_files(error_of(status, {}, body)) is about_files
