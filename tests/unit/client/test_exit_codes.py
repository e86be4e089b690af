"""Exit codes are a promise to scripts."""

from __future__ import annotations

import pytest

from phytobatch.errors import (
    ConfigurationError,
    FileUnreadable,
    Interrupted,
    NetworkError,
    PhytobatchError,
    StateFileError,
    UploadError,
    UploadRefused,
    UploadUrlExpired,
)
from phytobatch.exit_codes import MEANINGS, ExitCode, of_error, of_job
from phytobatch.problems import error_of
from phytobatch.resources import TERMINAL_STATES


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, 5), (403, 5), (404, 6), (409, 8), (413, 8), (422, 8), (429, 8), (500, 7), (502, 7), (503, 7), (302, 8)],
)
def test_an_answer_of_the_server_gives_its_code(status: int, code: int) -> None:
    assert of_error(error_of(status, {}, b"")) == code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError(""), 2),
        (StateFileError(""), 2),
        (FileUnreadable(""), 2),
        (NetworkError(""), 7),
        (UploadError("", status=503), 7),
        (UploadRefused("", status=400), 8),
        (UploadUrlExpired("", status=403), 8),
        (Interrupted(""), 130),
        (KeyboardInterrupt(), 130),
        (PhytobatchError(""), 1),
        (ValueError(), 1),
    ],
)
def test_an_error_gives_its_code(error: BaseException, code: int) -> None:
    assert of_error(error) == code


@pytest.mark.parametrize(
    ("state", "code"),
    [("completed", 0), ("completed_with_errors", 3), ("failed", 4), ("canceled", 4), ("expired", 4)],
)
def test_the_end_of_a_job_gives_its_code(state: str, code: int) -> None:
    assert of_job(state) == code
    assert state in TERMINAL_STATES


def test_a_local_file_that_was_skipped_is_not_all_right() -> None:
    assert of_job("completed", skipped=1) == ExitCode.SOME_IMAGES_FAILED
    assert of_job("failed", skipped=1) == ExitCode.JOB_FAILED


def test_every_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(ExitCode)
