"""Backup and restore, piece by piece, on real servers; the whole road is in tests/acceptance/test_maintenance.py."""

import json
import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import text

from deploy.backup.__main__ import main
from deploy.backup.folder import BackupFolder
from deploy.local.postgres_programs import installed_package
from deploy.local.servers import LocalServers
from shared.db.models import Chunk, Classifier
from shared.db.session import Database
from shared.settings import Settings
from shared.storage.keys import upload_key
from shared.storage.s3 import S3Store
from tests.integration.api.admin.conftest import set_environment
from tests.integration.conftest import MakeSettings
from tests.integration.jobs.factory import Jobs

Run = Callable[..., str]


@pytest.fixture
def source(make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation with a bucket of its own; the commands are about it."""
    settings = make_settings(s3_bucket=f"source-{uuid.uuid4()}")
    S3Store(settings).create_bucket()
    set_environment(settings, monkeypatch)
    return settings


@pytest.fixture
def target(servers: LocalServers, make_settings: MakeSettings) -> Settings:
    """Servers with nothing on them."""
    url = servers.postgres.database_url(servers.postgres.create_database())
    return make_settings(database_url=url, s3_bucket=f"target-{uuid.uuid4()}")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `python -m deploy.backup`; what it said, a refusal with `error: ` before it."""

    def call(*arguments: str | Path) -> str:
        capsys.readouterr()
        mask = os.umask(0o022)
        try:
            status = main([str(argument) for argument in arguments])
        finally:
            os.umask(mask)
        said = capsys.readouterr()
        assert status == bool(said.err)
        return said.out + said.err

    return call


def put(settings: Settings, *keys: str, body: bytes = b"bytes of an object") -> None:
    store = S3Store(settings)
    for key in keys:
        store.put(key, BytesIO(body), size=len(body))


def objects(settings: Settings) -> dict[str, bytes]:
    store = S3Store(settings)
    return {found.key: store.get(found.key, max_bytes=1000) for found in store.list_objects("")}


@pytest.fixture
def jobs_of() -> Iterator[Callable[[Settings], Jobs]]:
    """Makes jobs in the database of an installation."""
    made: list[Database] = []

    def make(settings: Settings) -> Jobs:
        made.append(Database(settings))
        with made[-1].begin() as session:
            return Jobs(made[-1], session.query(Classifier).one())

    yield make
    for database in made:
        database.dispose()


def test_what_is_restored_is_what_was_saved_and_nothing_is_leased(  # two installations
    source: Settings,
    target: Settings,
    run: Run,
    jobs_of: Callable[[Settings], Jobs],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = jobs_of(source)
    job_id = jobs.queued(images=4)
    jobs.finish(jobs.claim())
    held = jobs.claim()
    put(source, upload_key(job_id, 1), "models/leaf/1/model.keras", "one with ünusual & signs/a b%20c")
    assert "is a whole backup" in run("create", tmp_path / "b")
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in (tmp_path / "b").rglob("*"))
    set_environment(target, monkeypatch)
    said = run("restore", tmp_path / "b")
    assert "1 chunks were at work at that moment and are ready again" in said
    assert objects(target) == objects(source)
    restored = jobs_of(target)
    assert restored.counts(job_id) == jobs.counts(job_id)
    with restored.database.begin() as session:
        chunk = session.get_one(Chunk, (job_id, held.no))
    assert (chunk.state, chunk.attempt, chunk.lease_token) == ("ready", 0, None)
    assert restored.claim().token > held.token + 100_000, "no token of before is ever given again"
    assert "has tables already" in run("restore", tmp_path / "b")


def test_a_backup_links_to_what_the_one_before_has(source: Settings, run: Run, tmp_path: Path) -> None:
    put(source, "uploads/a", "uploads/b", "uploads/c")
    run("create", tmp_path / "1")
    put(source, "uploads/b", body=b"other bytes")
    S3Store(source).delete(["uploads/c"])
    put(source, "uploads/d")
    assert "3 objects, 0.0 MiB; 1 of them unchanged" in run("create", tmp_path / "2", "--previous", tmp_path / "1")
    first, second = BackupFolder(tmp_path / "1"), BackupFolder(tmp_path / "2")
    assert first.file_of("uploads/a").samefile(second.file_of("uploads/a"))
    assert second.file_of("uploads/b").read_bytes() == b"other bytes"
    assert first.file_of("uploads/b").read_bytes() == b"bytes of an object"
    assert "is whole: 0 jobs, 3 objects" in run("verify", tmp_path / "2")


def test_a_restore_that_was_interrupted_is_begun_again_and_no_other_bucket_is_touched(
    source: Settings, target: Settings, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(source, "uploads/a", "uploads/b")
    run("create", tmp_path / "b")
    set_environment(target, monkeypatch)
    S3Store(target).create_bucket()
    put(target, "uploads/a", "uploads/of-another-installation")
    assert "holds uploads/of-another-installation, which is not of this backup" in run("restore", tmp_path / "b")
    S3Store(target).delete(["uploads/of-another-installation"])
    assert "every count is right" in run("restore", tmp_path / "b")
    assert objects(target) == objects(source)


def damage_dump(folder: Path) -> None:
    (folder / "database.dump").write_bytes(b"x")


def damage_list(folder: Path) -> None:
    (folder / "objects.jsonl").write_text("")


def damage_object(folder: Path) -> None:
    (folder / "objects" / "uploads" / "a").write_bytes(b"other")


def lose_object(folder: Path) -> None:
    (folder / "objects" / "uploads" / "a").unlink()


def lose_summary(folder: Path) -> None:
    (folder / "backup.json").unlink()


def of_tomorrow(folder: Path) -> None:
    summary = json.loads((folder / "backup.json").read_text())
    (folder / "backup.json").write_text(json.dumps({**summary, "format": 2}))


def of_newer_server(folder: Path) -> None:
    summary = json.loads((folder / "backup.json").read_text())
    (folder / "backup.json").write_text(json.dumps({**summary, "postgres": 99}))


def test_a_backup_that_is_damaged_or_not_whole_is_refused(
    source: Settings, target: Settings, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(source, "uploads/a")
    damages = {
        damage_dump: "database.dump is not what was saved",
        damage_list: "objects.jsonl is not what was saved",
        damage_object: "uploads/a is not what was saved",
        lose_object: "cannot be read",
        of_tomorrow: "is of format 2",
        of_newer_server: "is whole",
        lose_summary: "holds no whole backup",
    }
    run("create", tmp_path / "whole")
    set_environment(target, monkeypatch)
    for number, (damage, reason) in enumerate(damages.items()):
        folder = shutil.copytree(tmp_path / "whole", tmp_path / str(number))
        damage(folder)
        assert reason in run("verify", folder)
        assert run("restore", folder).startswith("error: ")
    database = Database(target)
    with database.begin() as session:
        assert session.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).scalar_one() == 0
    database.dispose()


@pytest.mark.usefixtures("source")
def test_what_cannot_be_saved_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    assert "is not empty" in run("create", tmp_path / "full")
    assert "no pg_dump of PostgreSQL" in run("create", tmp_path / "a", "--programs", tmp_path)
    assert "holds no whole backup" in run("create", tmp_path / "b", "--previous", tmp_path / "full")
    assert "cannot be used" in run("create", tmp_path / "full" / "file" / "c")


def test_an_empty_database_is_no_installation(
    target: Settings, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(target, monkeypatch)
    assert "has no tables of ours" in run("create", tmp_path / "b")


def test_the_password_stands_on_no_command_line(source: Settings, run: Run, tmp_path: Path) -> None:
    real = installed_package() / "pginstall" / "bin" / "pg_dump"
    seen, wrapper = tmp_path / "seen", tmp_path / "programs" / "pg_dump"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] || {{ echo "$@"; stat -c %a "$PGPASSFILE"; }} >{seen}\nexec {real} "$@"\n'
    )
    wrapper.chmod(0o755)
    assert "is a whole backup" in run("create", tmp_path / "b", "--programs", wrapper.parent)
    password = source.database_url.get_secret_value().split(":")[2].partition("@")[0]
    arguments, mode = seen.read_text().splitlines()
    assert password not in arguments
    assert "--snapshot=" in arguments
    assert mode == "600"
