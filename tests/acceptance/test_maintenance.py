"""A running installation as a whole: backup and restore, and upgrade."""

import json
import signal
from pathlib import Path

import pytest

from deploy.local.servers import LocalServers
from phytobatch import ImageSpec, Job, Result
from tests.acceptance.earlier import unpack
from tests.acceptance.system import LONG_LEASE, System
from tests.patience import PATIENCE_SECONDS, wait_for

IMAGES = 96


def under_way(job: Job) -> bool:
    return job.counts.succeeded >= 16 and job.counts.pending >= 32


def answers(results: list[Result]) -> list[tuple[object, ...]]:
    """Return results as a user reads them, without their times."""
    return [(r.seq, r.name, r.status, r.label, pytest.approx(r.confidence, abs=1e-5), r.error_code) for r in results]


def backup(system: System, *arguments: str | Path) -> str:
    """Run a backup command to its end; what it printed."""
    child = system.start("backup", "-m", "deploy.backup", *map(str, arguments))
    assert child.wait(PATIENCE_SECONDS) == 0, child.tail()
    return child.program.log.read_text()


def findings(system: System) -> dict[str, dict[str, str]]:
    child = system.start("admin", "-m", "api.admin", "doctor", "--json")
    code = child.wait(PATIENCE_SECONDS)
    found = {one["check"]: one for one in json.loads(child.program.log.read_text())}
    assert code == 0, found
    return found


def test_a_backup_of_a_running_installation_restores_every_image(
    quiet: System, leaf_files: list[Path], tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    system = quiet
    worker = system.start_worker()
    finished = system.submit(leaf_files[:24], name="finished before")
    system.wait_for_end(finished)
    with system.client() as api:
        draft = api.create_job(name="still uploading").id
        target, _ = api.add_images(draft, [ImageSpec.of_file(file, file.name) for file in leaf_files[:2]])
        api.upload(target, leaf_files[0])
    unfinished = system.submit(leaf_files[:IMAGES], name="under way")
    system.wait_until(unfinished, under_way)
    worker.send(signal.SIGSTOP)  # in mid-chunk, until the moment of the database is taken
    saving = system.start("backup", "-m", "deploy.backup", "create", str(tmp_path / "backup"))
    wait_for((tmp_path / "backup" / "database.dump").exists, bool, PATIENCE_SECONDS)
    worker.send(signal.SIGCONT)
    assert saving.wait(PATIENCE_SECONDS) == 0, saving.tail()
    system.wait_for_end(unfinished)
    expected = {job: answers(system.results(job)) for job in (finished, unfinished)}

    with LocalServers.temporary(fast=True) as servers:
        restored = System(servers, tmp_path_factory.mktemp("restored"))
        restored.environment["PHYTOBATCH_BOOTSTRAP_API_KEY"] = restored.api_key = system.api_key
        try:
            said = backup(restored, "restore", tmp_path / "backup")
            assert "every count is right" in said
            restored.start_api()
            assert 0 < restored.job(unfinished).counts.pending < IMAGES
            restored.start_worker(**LONG_LEASE)
            found = findings(restored)
            assert found["migrations"]["level"] == found["default classifier"]["level"] == "OK"
            with restored.client() as api:
                (target,) = api.add_images(draft, [ImageSpec.of_file(leaf_files[1], leaf_files[1].name)])
                api.upload(target, leaf_files[1])
                api.commit(draft)
            for job_id in (unfinished, draft):
                assert restored.wait_for_end(job_id).state == "completed"
            assert {job: answers(restored.results(job)) for job in expected} == expected
            assert attempts(restored, unfinished) == {1}, "being saved is no crash"
        finally:
            restored.stop()


def exported(by: System, job_id: str) -> int | None:
    """Ask one version for an export; how many rows it has when it is made."""
    with by.client() as api:
        return api.exports.wait(api.exports.create(job_id, "csv").id, timeout=PATIENCE_SECONDS).rows


def open_exports(system: System) -> int:
    with system.sql() as sql:
        row = sql.execute("SELECT count(*) FROM chunks WHERE kind = 'export' AND state <> 'done'").fetchone()
    assert row is not None
    return int(row[0])


def attempts(system: System, job_id: str) -> set[int]:
    with system.sql() as sql:
        return {n for (n,) in sql.execute("SELECT attempt FROM chunks WHERE job_id = %s", [job_id]).fetchall()}


def test_the_version_before_works_on_the_new_tables_beside_the_new_one(
    quiet: System, leaf_files: list[Path], tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """Expand and contract: an upgrade migrates first, and then the programs change one by one."""
    new = quiet
    old = System(new.servers, tmp_path_factory.mktemp("old"))
    old.code = unpack(tmp_path)
    old.environment["PHYTOBATCH_BOOTSTRAP_API_KEY"] = old.api_key = new.api_key
    try:
        old.start_api()
        worker = old.start_worker()
        files = leaf_files[:32]
        by_old = old.submit(files, name="old API, old worker")
        handed_over = new.submit(files, name="new API, old worker")
        for job_id in (by_old, handed_over):
            assert old.wait_for_end(job_id).state == "completed"
        for api in (old, new):
            assert exported(api, by_old) == len(files), "the old worker makes what either API asks for"
        new.start_worker()
        shared = new.submit(leaf_files[:IMAGES], name="both workers")
        assert old.wait_for_end(shared).counts.succeeded == IMAGES
        for api in (old, new):
            assert exported(api, shared) == IMAGES
        worker.stop()
        for api in (old, new):
            assert exported(api, by_old) == len(files), "the new worker does"
        wait_for(lambda: open_exports(new), lambda chunks: chunks == 0, PATIENCE_SECONDS)
        taken_over = old.submit(files, name="old API, new worker")
        assert new.wait_for_end(taken_over).state == "completed"
        expected = answers(new.results(by_old))
        assert expected == answers(old.results(by_old)) == answers(new.results(handed_over))
        assert [a[3] for a in expected] == [a[3] for a in answers(old.results(taken_over))]
    finally:
        old.stop()
