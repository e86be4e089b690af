import fcntl
import os
import threading
from pathlib import Path

import pytest

from deploy.local.errors import FolderInUse, FolderRefused
from deploy.local.folder import MARKER, DataFolder, FolderLock, chosen_folder, running_pid


def test_an_empty_or_new_folder_becomes_ours(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "deep" / "data")
    folder.prepare()
    folder.prepare()
    assert folder.is_ours
    assert folder.logs.is_dir()


def test_a_folder_with_other_things_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    folder = DataFolder(tmp_path)
    with pytest.raises(FolderRefused, match="not empty"):
        folder.prepare()
    with pytest.raises(FolderRefused, match=MARKER):
        folder.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("", encoding="utf-8")
    with pytest.raises(FolderRefused, match="cannot be used"):
        DataFolder(tmp_path / "data").prepare()


def test_removing_deletes_everything_but_what_links_point_to(tmp_path: Path) -> None:
    kept = tmp_path / "photos"
    kept.mkdir()
    (kept / "leaf.jpg").write_text("x", encoding="utf-8")
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    (folder.path / "link").symlink_to(kept)
    folder.remove()
    assert not folder.path.exists()
    assert (kept / "leaf.jpg").exists()


def test_one_lock_at_a_time_and_the_holder_is_named(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    with FolderLock(folder):
        assert running_pid(folder) == os.getpid()
        with pytest.raises(FolderInUse, match=str(os.getpid())):
            FolderLock(folder).take()
        with pytest.raises(FolderInUse):
            folder.remove()
    assert running_pid(folder) is None
    assert folder.is_ours


def test_a_released_lock_is_free_though_a_child_that_is_being_forked_has_its_descriptor(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    lock = FolderLock(folder)
    lock.take()
    assert lock._descriptor is not None
    of_the_child = os.dup(lock._descriptor)
    try:
        lock.release()
        with FolderLock(folder):
            pass
    finally:
        os.close(of_the_child)


def test_the_variable_chooses_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHYTOBATCH_LOCAL_DATA", "elsewhere")
    assert chosen_folder() == tmp_path / "elsewhere"
    monkeypatch.delenv("PHYTOBATCH_LOCAL_DATA")
    assert chosen_folder() == tmp_path / ".data"


def test_who_only_asks_whether_a_stack_runs_keeps_none_from_starting(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.prepare()
    with FolderLock(folder):
        pass
    reader = os.open(folder.lock_file, os.O_RDONLY)
    fcntl.flock(reader, fcntl.LOCK_SH)
    assert running_pid(folder) is None
    threading.Timer(0.2, os.close, (reader,)).start()
    with FolderLock(folder):
        assert running_pid(folder) == os.getpid()
