"""The ready file is touched while a program is alive, and costs no thread its life."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from worker import ready
from worker.ready import READY_FILE, ReadyFile


def test_the_file_that_the_environment_names_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ready"
    monkeypatch.setenv(READY_FILE, str(path))
    ReadyFile.from_environment().touch()
    assert path.exists()


def test_it_is_not_touched_more_often_than_a_health_check_can_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ready"
    file = ReadyFile(path)
    file.touch()
    path.unlink()
    file.touch()
    assert not path.exists()
    monkeypatch.setattr(ready, "MIN_INTERVAL_SECONDS", 0.0)
    file.touch()
    assert path.exists()


def test_a_file_that_cannot_be_written_is_a_line_in_the_log(tmp_path: Path) -> None:
    with capture_logs() as lines:
        ReadyFile(tmp_path / "no folder" / "ready").touch()
    assert [line["event"] for line in lines] == ["ready_file_not_touched"]


def test_without_a_path_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(READY_FILE, raising=False)
    with capture_logs() as lines:
        ReadyFile.from_environment().touch()
    assert lines == []
