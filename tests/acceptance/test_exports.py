"""Exports as a user meets them: the command, a real worker, and a worker that is killed in the middle."""

import csv
import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from phytobatch import Export
from shared.settings import Settings
from shared.storage.keys import exports_prefix
from shared.storage.s3 import S3Store
from tests.acceptance.system import ROOT, System
from tests.patience import PATIENCE_SECONDS, wait_for
from tests.programs import program

MANY = 150_000


def phytobatch(system: System, *arguments: str, expected: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "phytobatch", *arguments],
        env=system.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == expected, (done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def store_of(system: System) -> S3Store:
    given = {
        name.removeprefix("PHYTOBATCH_").lower(): value
        for name, value in system.environment.items()
        if name.startswith("PHYTOBATCH_")
    }
    known: dict[str, Any] = {name: value for name, value in given.items() if name in Settings.model_fields}
    return S3Store(Settings(**known))


def large_job(system: System) -> str:
    """A job that is over, with many answers; no worker could make them in a test's time."""
    with system.client() as api:
        job_id = api.create_job(name="large").id
    with system.sql() as sql:
        sql.execute(
            "INSERT INTO images (job_id, seq, name, size, object_key, metadata) "
            "SELECT %(job)s, n, 'flight/' || n || '.jpg', 1, 'none', jsonb_build_object('row', n / 100) "
            "FROM generate_series(1, %(n)s) n",
            {"job": job_id, "n": MANY},
        )
        sql.execute(
            "INSERT INTO results (job_id, seq, position, status, label, confidence, latitude, longitude) "
            "SELECT %(job)s, n, n, 'failed', NULL, NULL, 47 + n / 1e6, 7 FROM generate_series(1, %(n)s) n",
            {"job": job_id, "n": MANY},
        )
        sql.execute(
            "UPDATE jobs SET total = %(n)s, failed = %(n)s, last_position = %(n)s WHERE id = %(job)s",
            {"job": job_id, "n": MANY},
        )
    return job_id


def export_row(system: System, export_id: str) -> tuple[str, int]:
    with system.sql() as sql:
        row = sql.execute(
            "SELECT e.state, c.attempt FROM exports e JOIN chunks c ON c.export_id = e.id WHERE e.id = %s", [export_id]
        ).fetchone()
    assert row is not None
    return row[0], row[1]


def test_a_worker_killed_in_the_middle_of_an_export_is_replaced(quiet: System, tmp_path: Path) -> None:
    system = quiet
    doomed = system.start_worker()
    job_id = large_job(system)
    with system.client() as api:
        export = api.exports.create(job_id, "geojson")
        wait_for(lambda: _parts(system, job_id), lambda parts: parts > 0)
        doomed.kill()
        assert export_row(system, export.id) == ("running", 1)
        system.start_worker()
        done: Export = api.exports.wait(export.id, timeout=PATIENCE_SECONDS)
        assert (done.rows, export_row(system, export.id)) == (MANY, ("completed", 2))
        api.exports.download(export.id, tmp_path / "large.geojson")
    collection = json.loads((tmp_path / "large.geojson").read_bytes())
    assert [feature["id"] for feature in collection["features"]] == list(range(1, MANY + 1))
    assert len(list(store_of(system).list_objects(exports_prefix(uuid.UUID(job_id))))) == 1
    assert _parts(system, job_id) == 0, "what the killed worker had begun is gone"


def test_an_export_that_is_asked_for_while_no_worker_runs_is_made_by_the_first_one(quiet: System) -> None:
    """As where KEDA has scaled to zero, and starts a worker for the chunk that it counts."""
    job_id = large_job(quiet)
    with quiet.client() as api:
        export = api.exports.create(job_id, "csv")
        assert (api.exports.get(export.id).state, export_row(quiet, export.id)) == ("queued", ("queued", 0))
        quiet.start_worker()
        assert api.exports.wait(export.id, timeout=PATIENCE_SECONDS).rows == MANY
    assert export_row(quiet, export.id) == ("completed", 1)


def _parts(system: System, job_id: str) -> int:
    """Files of this job that are being written."""
    store = store_of(system)
    found = store._client.list_multipart_uploads(Bucket=store._bucket, Prefix=exports_prefix(uuid.UUID(job_id)))
    return len(found.get("Uploads", []))


def test_the_command_has_large_exports_made_and_goes_on_where_it_was_interrupted(stack: System, tmp_path: Path) -> None:
    job_id = large_job(stack)
    out = tmp_path / "large.ndjson"
    said = phytobatch(stack, "export", job_id, "--out", str(out))
    assert "a worker makes export" in said
    whole = out.read_bytes()
    assert len(whole.splitlines()) == MANY
    with stack.client() as api:
        (export,) = api.exports.list(job_id)
    # As a call that was killed leaves it.
    out.unlink()
    (tmp_path / f".large.ndjson.{export.id}.part").write_bytes(whole[:1_000_000])
    said = phytobatch(stack, "export", job_id, "--out", str(out))
    assert f"resuming export {export.id}" in said
    assert out.read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir()] == ["large.ndjson"]


@pytest.fixture(scope="module")
def small_job(stack: System, leaf_files: list[Path]) -> str:
    """Six leaves, all answered."""
    job_id = stack.submit(leaf_files[:6], name="Six leaves")
    stack.wait_for_end(job_id)
    return job_id


def test_the_command_saves_every_format(stack: System, small_job: str, tmp_path: Path) -> None:
    for suffix in ("csv", "ndjson", "geojson", "shp.zip", "kml", "parquet", "geo.parquet"):
        phytobatch(stack, "export", small_job, "--out", str(tmp_path / f"six.{suffix}"))
    with (tmp_path / "six.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["succeeded"] * 6
    assert all((tmp_path / f"six.{suffix}").stat().st_size for suffix in ("kml", "parquet", "geo.parquet", "shp.zip"))


def test_corrections_become_a_training_folder(
    stack: System, small_job: str, leaf_files: list[Path], tmp_path: Path
) -> None:
    table = tmp_path / "labels.csv"
    names = [file.name for file in leaf_files[:4]]
    table.write_text(f"name,label\n{names[0]},healthy\n{names[1]},rust\n{names[2]},two words\nnope.jpg,rust\n")
    said = phytobatch(stack, "corrections", "import", small_job, str(table), expected=8)
    assert "line 4" in said
    assert "no corrections" in phytobatch(stack, "corrections", "list", small_job)
    table.write_text(f"name,label\n{names[0]},healthy\n{names[1]},rust\n{names[2]},healthy\n{names[3]},rust\n")
    assert "4 corrections taken" in phytobatch(stack, "corrections", "import", small_job, str(table))
    folder = tmp_path / "training"
    phytobatch(stack, "corrections", "export", small_job, "--out", str(folder))
    found = {path.relative_to(folder).parts[0]: path for path in folder.rglob("*.jpg")}
    assert set(found) == {"healthy", "rust"}
    bodies = {path.read_bytes() for path in folder.rglob("*.jpg")}
    assert bodies == {file.read_bytes() for file in leaf_files[:4]}
    again = json.loads(phytobatch(stack, "--json", "--quiet", "corrections", "export", small_job, "--out", str(folder)))
    assert (again["new"], again["removed"], again["labels"]) == (0, 0, {"healthy": 2, "rust": 2})


def test_gdal_reads_what_the_command_saves(stack: System, small_job: str, tmp_path: Path) -> None:
    ogrinfo = str(program("ogrinfo"))
    for suffix in ("geojson", "shp.zip", "kml", "csv"):
        out = tmp_path / f"six.{suffix}"
        phytobatch(stack, "export", small_job, "--out", str(out))
        source = f"/vsizip/{out}" if suffix == "shp.zip" else str(out)
        seen = subprocess.run([ogrinfo, "-al", "-so", source], capture_output=True, text=True, check=True)
        assert (seen.stderr, "Feature Count: 6" in seen.stdout) == ("", True), seen.stdout
