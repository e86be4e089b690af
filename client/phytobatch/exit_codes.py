"""The exit codes of ``phytobatch``: one table for errors, one for jobs. Scripts rely on them; they never change."""

from __future__ import annotations

from enum import IntEnum

from phytobatch.errors import (
    ApiError,
    AuthError,
    ConfigurationError,
    DownloadError,
    DownloadRefused,
    ExportFailed,
    FileUnreadable,
    Interrupted,
    NetworkError,
    NotFound,
    ServerUnavailable,
    StateFileError,
    UploadError,
    UploadRefused,
    UploadUrlExpired,
    WaitTimeout,
)


class ExitCode(IntEnum):
    """The exit code of the command: what a script learns from it."""

    OK = 0
    UNEXPECTED = 1
    USAGE = 2
    SOME_IMAGES_FAILED = 3
    JOB_FAILED = 4
    NOT_AUTHORISED = 5
    NOT_FOUND = 6
    UNAVAILABLE = 7
    REFUSED = 8
    NOT_DELIVERED = 9
    INTERRUPTED = 130


MEANINGS = {
    ExitCode.OK: "done; where a job was followed: every image is classified",
    ExitCode.UNEXPECTED: "unexpected error",
    ExitCode.USAGE: "wrong options, no key, no images, unreadable file",
    ExitCode.SOME_IMAGES_FAILED: "finished, but some images failed, were rejected or skipped",
    ExitCode.JOB_FAILED: "the job failed, was canceled or expired",
    ExitCode.NOT_AUTHORISED: "the key is not accepted or not allowed to do this",
    ExitCode.NOT_FOUND: "no such job, classifier, webhook or delivery",
    ExitCode.UNAVAILABLE: "the server or the network is not available",
    ExitCode.REFUSED: "the server refused the request",
    ExitCode.NOT_DELIVERED: "the receiver of a webhook did not take the test event",
    ExitCode.INTERRUPTED: "interrupted with Ctrl-C",
}

# The first class that fits counts, so that a subclass stands above its base.
_OF_ERROR: tuple[tuple[type[BaseException], ExitCode], ...] = (
    (KeyboardInterrupt, ExitCode.INTERRUPTED),
    (Interrupted, ExitCode.INTERRUPTED),
    (ConfigurationError, ExitCode.USAGE),
    (StateFileError, ExitCode.USAGE),
    (FileUnreadable, ExitCode.USAGE),
    (AuthError, ExitCode.NOT_AUTHORISED),
    (NotFound, ExitCode.NOT_FOUND),
    (NetworkError, ExitCode.UNAVAILABLE),
    (ServerUnavailable, ExitCode.UNAVAILABLE),
    (WaitTimeout, ExitCode.UNAVAILABLE),
    (UploadRefused, ExitCode.REFUSED),
    (UploadUrlExpired, ExitCode.REFUSED),
    (UploadError, ExitCode.UNAVAILABLE),
    (DownloadRefused, ExitCode.REFUSED),
    (DownloadError, ExitCode.UNAVAILABLE),
    (ExportFailed, ExitCode.REFUSED),
    (ApiError, ExitCode.REFUSED),
)
_OF_STATE = {
    "completed": ExitCode.OK,
    "completed_with_errors": ExitCode.SOME_IMAGES_FAILED,
    "failed": ExitCode.JOB_FAILED,
    "canceled": ExitCode.JOB_FAILED,
    "expired": ExitCode.JOB_FAILED,
}


def of_error(error: BaseException) -> ExitCode:
    """Return the code for an error that ended the command."""
    for kind, code in _OF_ERROR:
        if isinstance(error, kind):
            return code
    return ExitCode.UNEXPECTED


def of_job(state: str, *, skipped: int = 0) -> ExitCode:
    """Return the code for a job that was followed to its end; ``skipped`` local files never became part of it."""
    code = _OF_STATE.get(state, ExitCode.OK)
    return ExitCode.SOME_IMAGES_FAILED if code is ExitCode.OK and skipped else code
