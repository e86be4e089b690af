"""The body of an upload, and the answers of an object store."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from phytobatch.errors import FileChanged, FileUnreadable, UploadError, UploadRefused, UploadUrlExpired
from phytobatch.uploads import FileBody, upload_error


def body(content: bytes, size: int, sent: list[int] | None = None) -> FileBody:
    return FileBody(io.BytesIO(content), size, Path("/d/a.jpg"), sent.append if sent is not None else None)


def test_exactly_the_registered_bytes_are_read_in_blocks() -> None:
    sent: list[int] = []
    stream = body(b"0123456789", 7, sent)

    assert [stream.read(3), stream.read(3), stream.read(3), stream.read(3)] == [b"012", b"345", b"6", b""]
    assert sent == [3, 3, 1]


def test_a_file_that_became_shorter_is_noticed() -> None:
    stream = body(b"0123", 7)
    stream.read(4)

    with pytest.raises(FileChanged):
        stream.read(4)


def test_a_disk_that_says_no_does_not_look_like_a_network() -> None:
    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(FileUnreadable, match="Input/output error"):
        FileBody(Broken(), 1, Path("/d/a.jpg"), None).read(1)


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (403, b"<Error><Code>AccessDenied</Code></Error>", UploadUrlExpired),
        (400, b"<Error><Code>BadDigest</Code></Error>", UploadRefused),
        (413, b"", UploadRefused),
        (301, b"", UploadRefused),
        (400, b"<Error><Code>RequestTimeout</Code></Error>", UploadError),
        (429, b"", UploadError),
        (503, b"<Error><Code>SlowDown</Code></Error>", UploadError),
    ],
)
def test_an_answer_of_the_store_says_what_helps(status: int, answer: bytes, kind: type[UploadError]) -> None:
    assert type(upload_error("a.jpg", status, answer)) is kind
