"""Files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytobatch.errors import ConfigurationError
from phytobatch.reports.atomic import check_writable, replacing


def test_the_file_is_there_after_the_end(tmp_path: Path) -> None:
    with replacing(tmp_path / "r.csv") as stream:
        stream.write("a\r\n")

    assert (tmp_path / "r.csv").read_bytes() == b"a\r\n"
    assert list(tmp_path.iterdir()) == [tmp_path / "r.csv"]


def test_after_an_error_the_old_file_is_untouched_and_nothing_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("old")

    def write_half() -> None:
        with replacing(tmp_path / "r.csv") as stream:
            stream.write("half")
            raise KeyError

    with pytest.raises(KeyError):
        write_half()
    assert (tmp_path / "r.csv").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "r.csv"]


def test_a_missing_folder_is_noticed_before_the_work(tmp_path: Path) -> None:
    check_writable(tmp_path / "r.csv")
    with pytest.raises(ConfigurationError, match="folder must exist"):
        check_writable(tmp_path / "no" / "r.csv")
