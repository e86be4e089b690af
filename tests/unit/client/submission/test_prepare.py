"""What becomes of found files before they are registered."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytobatch.errors import FileUnreadable
from phytobatch.files.discovery import find_images
from phytobatch.submission.journal import Journal
from phytobatch.submission.ledger import Ledger
from phytobatch.submission.outage import Outage
from phytobatch.submission.outcome import Duplicate
from phytobatch.submission.prepare import Preparer, describe
from phytobatch.submission.reporter import Silence
from phytobatch.submission.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    ledger = Ledger(Journal(tmp_path / "state" / "x.journal"))
    ledger.begin(options={}, idempotency_key="key", about={})
    yield Run(ledger, Silence(), Outage(Silence()), 1.0)
    ledger.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for name, content in {"a.jpg": b"one", "b.jpg": b"two", "c.jpg": b"one"}.items():
        (folder / name).write_bytes(content)
    return folder


def prepared(run: Run, folder: Path, *, keep_duplicates: bool = False) -> list[str]:
    preparer = Preparer(run, keep_duplicates=keep_duplicates)
    return [file.name for file in preparer.prepare(find_images([folder]).files)]


def register_and_send(run: Run, *names: str) -> None:
    for number, file in enumerate([each for each in run.ledger.files.values() if each.name in names]):
        run.ledger.registered([(file, number)])
        run.ledger.sent(file)


def test_the_second_file_with_the_same_bytes_is_left_out_and_named(run: Run, folder: Path) -> None:
    assert prepared(run, folder) == ["a.jpg", "b.jpg"]
    assert run.outcome.duplicates == [Duplicate(str(folder / "c.jpg"), str(folder / "a.jpg"))]


def test_duplicates_are_kept_on_demand(run: Run, folder: Path) -> None:
    assert prepared(run, folder, keep_duplicates=True) == ["a.jpg", "b.jpg", "c.jpg"]


def test_a_file_that_vanished_is_reported_and_the_others_go_on(run: Run, folder: Path) -> None:
    files = find_images([folder]).files
    (folder / "a.jpg").unlink()

    names = [file.name for file in Preparer(run, keep_duplicates=False).prepare(files)]

    assert names == ["b.jpg", "c.jpg"]
    assert [skipped.path for skipped in run.outcome.skipped] == [str(folder / "a.jpg")]


def test_what_was_sent_before_is_not_sent_again(run: Run, folder: Path) -> None:
    prepared(run, folder)
    register_and_send(run, "a.jpg")

    assert prepared(run, folder) == ["b.jpg"]


def test_a_new_file_with_the_bytes_of_a_sent_one_is_the_duplicate_wherever_it_stands(run: Run, folder: Path) -> None:
    prepared(run, folder)
    register_and_send(run, "a.jpg", "b.jpg")
    (folder / "0.jpg").write_bytes(b"two")

    assert prepared(run, folder) == []
    assert Duplicate(str(folder / "0.jpg"), str(folder / "b.jpg")) in run.outcome.duplicates


def test_a_registered_file_that_changed_is_sent_under_another_name(run: Run, folder: Path) -> None:
    prepared(run, folder)
    register_and_send(run, "b.jpg")
    (folder / "b.jpg").write_bytes(b"something else")

    assert prepared(run, folder) == ["a.jpg", "b~2.jpg"]


def test_a_file_that_changed_before_it_was_registered_keeps_its_name(run: Run, folder: Path) -> None:
    prepared(run, folder)
    (folder / "b.jpg").write_bytes(b"something else")

    assert prepared(run, folder) == ["a.jpg", "b.jpg"]


def test_a_file_that_was_only_touched_is_not_sent_again(run: Run, folder: Path) -> None:
    prepared(run, folder)
    register_and_send(run, "a.jpg", "b.jpg")
    os.utime(folder / "a.jpg", ns=(1, 1))

    assert prepared(run, folder) == []


def test_a_missing_file_has_no_description(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="No such file"):
        describe(tmp_path / "gone.jpg", "gone.jpg")
