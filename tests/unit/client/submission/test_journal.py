"""The journal after kills and power cuts."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytobatch.errors import StateFileError
from phytobatch.submission.journal import Journal


def records(path: Path) -> list[dict[str, object]]:
    journal = Journal(path)
    try:
        return journal.records
    finally:
        journal.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "one.journal"
    journal = Journal(path)
    journal.append([{"n": 1}, {"n": 2}], durable=True)
    journal.append([{"name": "Blüte\udcff"}])
    journal.close()
    return path


def test_what_was_written_is_read_again(path: Path) -> None:
    assert records(path) == [{"n": 1}, {"n": 2}, {"name": "Blüte\udcff"}]


def test_nobody_else_may_read_it(path: Path) -> None:
    assert path.stat().st_mode & 0o077 == 0


def test_a_cut_at_any_byte_loses_only_the_record_that_was_cut(path: Path) -> None:
    whole = path.read_bytes()
    ends = [index + 1 for index, byte in enumerate(whole) if byte == ord("\n")]

    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])

        assert len(records(path)) == sum(end <= cut for end in ends), cut


def test_writing_goes_on_behind_a_torn_line(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b'{"n": 3')
    journal = Journal(path)
    journal.append([{"n": 4}])
    journal.close()

    assert records(path)[-1] == {"n": 4}


def test_a_last_line_of_zeros_is_torn_too(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0" * 64 + b"\n")

    assert len(records(path)) == 3


def test_damage_in_the_middle_is_an_error_that_says_what_to_do(path: Path) -> None:
    path.write_bytes(b"garbage\n" + path.read_bytes())

    with pytest.raises(StateFileError, match=r"line 1.*--new"):
        Journal(path)
    fresh = Journal(path, fresh=True)
    fresh.close()
    assert fresh.records == []
    assert records(path) == []


def test_two_cannot_have_it_open(path: Path) -> None:
    journal = Journal(path)
    try:
        with pytest.raises(StateFileError, match="Another phytobatch"):
            Journal(path)
    finally:
        journal.close()
    assert len(records(path)) == 3


def test_a_removed_journal_is_gone(path: Path) -> None:
    Journal(path).remove()

    assert not path.exists()


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StateFileError, match="--state-dir"):
        Journal(tmp_path / "file" / "x.journal")
