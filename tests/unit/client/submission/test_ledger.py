"""What a submission remembers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from phytobatch.errors import StateFileError
from phytobatch.submission.journal import Journal
from phytobatch.submission.ledger import Ledger, LocalFile

FILE = LocalFile(Path("/d/a.jpg"), "a.jpg", 10, 20, "0" * 64)


@contextmanager
def opened(path: Path) -> Iterator[Ledger]:
    ledger = Ledger(Journal(path))
    try:
        yield ledger
    finally:
        ledger.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "one.journal"
    with opened(path) as ledger:
        ledger.begin(options={"name": "x"}, idempotency_key="key", about={})
        ledger.job_created("job-1")
        ledger.hashed(FILE)
    return path


def test_everything_is_known_again_in_the_next_run(path: Path) -> None:
    with opened(path) as ledger:
        ledger.registered([(FILE, 7)])
        ledger.sent(FILE)
        ledger.commit_acknowledged()
    with opened(path) as ledger:
        assert (ledger.options, ledger.idempotency_key, ledger.job_id) == ({"name": "x"}, "key", "job-1")
        assert ledger.files == {FILE.path: replace(FILE, seq=7, uploaded=True)}
        assert ledger.committed


def test_a_touched_file_stays_uploaded(path: Path) -> None:
    with opened(path) as ledger:
        ledger.registered([(FILE, 7)])
        ledger.sent(FILE)
        ledger.hashed(replace(FILE, mtime_ns=99))

        assert ledger.files[FILE.path] == replace(FILE, mtime_ns=99, seq=7, uploaded=True)


def test_a_changed_file_is_not_uploaded_any_more(path: Path) -> None:
    with opened(path) as ledger:
        ledger.registered([(FILE, 7)])
        ledger.sent(FILE)
        ledger.hashed(replace(FILE, sha256="1" * 64))

        assert ledger.uploaded == []


def test_a_renamed_file_gets_a_name_that_was_never_used(path: Path) -> None:
    with opened(path) as ledger:
        second = ledger.renamed(FILE)
        third = ledger.renamed(second)
    with opened(path) as ledger:
        assert (second.name, third.name) == ("a~2.jpg", "a~2~2.jpg")
        assert ledger.names == {FILE.path: "a~2~2.jpg"}
        assert ledger.renamed(FILE).name == "a~3.jpg"


def test_a_journal_that_says_nothing_is_not_kept(tmp_path: Path) -> None:
    with opened(tmp_path / "empty.journal"):
        pass

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("line", ['{"record": "new kind"}', '{"record": "begin", "version": 2}', '{"no": "record"}'])
def test_a_journal_of_another_version_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "other.journal").write_text(line + "\n")
    journal = Journal(tmp_path / "other.journal")

    with pytest.raises(StateFileError, match="another version"):
        Ledger(journal)
    journal.close()
