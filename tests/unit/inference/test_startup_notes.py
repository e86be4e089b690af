"""Notes of a library below Python are left out; everything else is kept."""

import os

import pytest

from worker.inference.keras_classifier import STDERR, without_startup_notes


def test_notes_are_left_out_and_the_rest_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    with without_startup_notes():
        os.write(STDERR, b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n")
        os.write(STDERR, b"I0000 00:00:1795489970.181422     362 port.cc:153] oneDNN custom operations are on.\n")
        os.write(STDERR, b"E0000 00:00:1795489970.181422     362 cuda.cc:1] no device\nIndex of something\n")
    os.write(STDERR, b"I0000 afterwards\n")
    written = capfd.readouterr().err
    assert written.splitlines() == [
        "E0000 00:00:1795489970.181422     362 cuda.cc:1] no device",
        "Index of something",
        "I0000 afterwards",
    ]


def test_what_was_written_before_an_error_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with without_startup_notes():
            os.write(STDERR, b"F0000 the reason\n")
            raise ImportError("broken")

    with pytest.raises(ImportError):
        fail()
    assert "the reason" in capfd.readouterr().err
