"""Many backups in one folder: made, read again, removed in their turn, and restored for a drill."""

import json
import shutil
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from deploy.backup.folder import BackupFolder
from deploy.backup.shelf import MARK, Shelf
from shared.db.session import Database
from shared.settings import Settings
from shared.storage.s3 import S3Store, open_client
from tests.integration.backup.test_backup import Run, put, run, source
from tests.integration.conftest import name_of
from tests.patience import wait_for

ROOT = Path(__file__).parents[3]
__all__ = ["run", "source"]  # fixtures


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def date_back(backup: Path, days: int) -> None:
    """As if it had been made so many days ago."""
    file = backup / "backup.json"
    summary = json.loads(file.read_text())
    moment = BackupFolder(backup).summary().taken_at
    summary["taken_at"] = (datetime.fromisoformat(moment) - timedelta(days=days)).isoformat()
    file.write_text(json.dumps(summary))


def noted(settings: Settings) -> list[tuple[str, int]]:
    database = Database(settings)
    with database.begin() as session:
        rows = session.execute(text("SELECT what, objects FROM backups ORDER BY created_at")).all()
    database.dispose()
    return [(row.what, row.objects) for row in rows]


def test_older_ones_go_in_their_turn_and_nothing_else_does(source: Settings, run: Run, tmp_path: Path) -> None:
    put(source, "uploads/a", "uploads/b")
    assert "1 backups are kept, 0 older ones removed" in run("run", tmp_path)
    (first,) = names(tmp_path)
    date_back(tmp_path / first, 3)
    put(source, "uploads/c")
    assert "3 objects, 0.0 MiB; 2 of them unchanged" in run("run", tmp_path, "--keep-daily", "2")
    second = max(names(tmp_path))
    date_back(tmp_path / second, 1)
    # Nobody else's: a backup of a person, and one that was interrupted.
    shutil.copytree(tmp_path / first, tmp_path / "by-hand")
    (tmp_path / "20200101T000000Z").mkdir()
    # One of ours whose summary is damaged since: the others are made and removed as ever.
    shutil.copytree(tmp_path / first, tmp_path / "20200102T000000Z")
    (tmp_path / "20200102T000000Z" / "backup.json").write_text("{")
    kept = ("--keep-daily", "2", "--keep-weekly", "0", "--keep-monthly", "0")
    said = run("run", tmp_path, *kept)
    assert "2 backups are kept, 1 older ones removed" in said
    assert "20200101T000000Z is no whole backup" in said
    assert "20200102T000000Z is no whole backup" in said
    third = max(set(names(tmp_path)) - {"by-hand"})
    assert names(tmp_path) == ["20200101T000000Z", "20200102T000000Z", second, third, "by-hand"]
    assert "is whole: 0 jobs, 3 objects" in run("verify", tmp_path / third), "what it links to stays"
    assert noted(source) == [("made", 2), ("made", 3), ("made", 3)]
    assert "hours old" in run("age", tmp_path)
    date_back(tmp_path / third, 3)
    assert "error: the newest backup" in run("age", tmp_path, "--older-than", "23"), "of a day before"
    assert "error: there is no backup" in run("age", tmp_path / "by-hand")


def test_a_backup_that_fails_leaves_the_others_and_no_half_of_its_own(
    source: Settings, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(source, "uploads/a")
    run("run", tmp_path)
    before = names(tmp_path)
    put(source, "uploads/a/b")  # no file can have the name of a folder
    assert "\nerror: " in run("run", tmp_path, "--keep-daily", "0", "--keep-weekly", "0", "--keep-monthly", "0")
    assert names(tmp_path) == before
    S3Store(source).delete(["uploads/a/b"])

    def damaged(self: Shelf, folder: BackupFolder) -> None:
        raise AssertionError(f"{folder.path} was taken for a whole one, {self.path}")

    monkeypatch.setattr(Shelf, "accept", damaged)
    monkeypatch.setattr("deploy.backup.create.sha256_of", lambda _: "0" * 64)
    assert "is not what was saved" in run("run", tmp_path)
    assert [one.folder.path.name for one in Shelf(tmp_path).backups()] == before
    with Shelf(tmp_path).locked():
        assert "another backup is being made" in run("run", tmp_path)


def test_a_drill_beside_the_installation_leaves_nothing_behind(source: Settings, run: Run, tmp_path: Path) -> None:
    put(source, "uploads/a", "models/leaf 1/ü")
    run("run", tmp_path)
    said = run("drill", tmp_path, "--beside")
    assert "2 objects are as they were" in said
    assert "is what was saved, and is removed again" in said
    assert noted(source)[-1] == ("drilled", 2)
    file = next(path for path in (tmp_path / names(tmp_path)[0] / "objects").rglob("*") if path.is_file())
    file.write_bytes(b"rot")
    assert run("drill", tmp_path, "--beside").splitlines()[-1].startswith("error: ")
    url = source.database_url.get_secret_value().replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'phytobatch_drill%'").fetchall()
    buckets = open_client(source, source.s3_endpoint_url, 1).list_buckets()["Buckets"]
    assert (left, [one for one in buckets if "drill" in one.get("Name", "")]) == ([], [])


def test_a_process_makes_one_at_once_waits_for_the_next_and_stops_when_told(
    source: Settings, run: Run, tmp_path: Path
) -> None:
    assert run is not None
    assert name_of(source)
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.backup", "schedule", str(tmp_path / "many"), "--every", "6"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = iter(process.stdout.readline, "")
        assert any(line.startswith("next backup at ") for line in said)
        process.send_signal(signal.SIGTERM)
        assert wait_for(process.poll, lambda code: code is not None) == 0
    (made,) = names(tmp_path / "many")
    assert (tmp_path / "many" / made / MARK).is_file()
