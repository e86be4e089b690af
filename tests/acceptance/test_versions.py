"""A new version of the classifier rolls out under load: no job mixes versions, no job fails."""

import json
import shutil
import threading
from collections import Counter
from pathlib import Path

from deploy.local.child import Child
from phytobatch.resources import ClassifierRef
from shared.contracts.manifest import MANIFEST_FILE
from tests.acceptance.system import System
from tests.patience import wait_for
from worker.inference.manifest import read_manifest, shipped_classifier_dir

JOBS_WITH_EACH = 3
IMAGES = 24


def copy_of_shipped(folder: Path, name: str, version: str) -> Path:
    copy = Path(shutil.copytree(shipped_classifier_dir(), folder / f"{name}-{version}"))
    manifest = read_manifest(copy).model_copy(update={"name": name, "version": version})
    (copy / MANIFEST_FILE).write_text(json.dumps(manifest.model_dump(mode="json")), encoding="utf-8")
    return copy


def start(system: System, cache: Path, classifiers: str) -> Child:
    return system.start_worker(
        PHYTOBATCH_CLASSIFIERS=classifiers, PHYTOBATCH_CLASSIFIER_CACHE=str(cache), PHYTOBATCH_RUNTIME="onnx"
    )


def versions_of(system: System, job_id: str) -> Counter[str]:
    with system.sql() as sql:
        rows = sql.execute(
            "SELECT c.name || '@' || c.version FROM results r JOIN classifiers c ON c.id = r.classifier_id "
            "WHERE r.job_id = %s",
            [job_id],
        ).fetchall()
    return Counter(version for (version,) in rows)


def test_a_new_version_rolls_out_while_jobs_run(quiet: System, leaf_files: list[Path], tmp_path: Path) -> None:
    system, cache = quiet, tmp_path / "cache"
    for version in ("1", "2"):
        system.admin("publish-classifier", str(copy_of_shipped(tmp_path, "rolling", version)))
    system.admin("default-classifier", "rolling", "1")
    old = start(system, cache, "rolling@1")
    submitted: list[str] = []
    enough = threading.Event()

    def keep_submitting() -> None:
        number = 0
        while not enough.is_set():
            submitted.append(system.submit(leaf_files[:IMAGES], name=f"job {number}"))
            number += 1

    load = threading.Thread(target=keep_submitting)
    load.start()
    try:
        wait_for(lambda: len(submitted), lambda count: count >= JOBS_WITH_EACH)
        start(system, cache, "rolling@1,rolling@2")
        before = len(submitted)
        system.admin("default-classifier", "rolling", "2")
        old.stop()
        wait_for(lambda: len(submitted), lambda count: count >= before + JOBS_WITH_EACH)
    finally:
        enough.set()
        load.join()
    seen = []
    for job_id in submitted:
        job = system.wait_for_end(job_id)
        assert job.state == "completed", job
        version = str(job.classifier)
        assert versions_of(system, job_id) == {version: IMAGES}
        seen.append(version)
    assert set(seen) == {"rolling@1", "rolling@2"}
    assert seen == sorted(seen), "once a job got the new version, none after it gets the old one"


def test_a_worker_claims_only_what_it_serves(quiet: System, leaf_files: list[Path], tmp_path: Path) -> None:
    system, cache = quiet, tmp_path / "cache"
    for version in ("1", "2"):
        system.admin("publish-classifier", str(copy_of_shipped(tmp_path, "apart", version)))
    start(system, cache, "apart@2")
    with system.client() as api:
        waits = api.create_job(name="for the other version", classifier=ClassifierRef("apart", "1")).id
    other = system.submit(leaf_files[:IMAGES], classifier=ClassifierRef("apart", "2"))
    assert system.wait_for_end(other).state == "completed"
    first = system.submit(leaf_files[:IMAGES], classifier=ClassifierRef("apart", "1"))
    system.wait_until(first, lambda job: job.state == "queued")
    assert system.job(waits).state == "draft"
    again = system.submit(leaf_files[:IMAGES], classifier=ClassifierRef("apart", "2"))
    system.wait_for_end(again)
    assert system.job(first).state == "queued"
    start(system, cache, "apart@1")
    assert system.wait_for_end(first).state == "completed"
    assert versions_of(system, first) == {"apart@1": IMAGES}


def test_every_result_says_what_gave_it(quiet: System, leaf_files: list[Path]) -> None:
    system = quiet
    system.start_worker(PHYTOBATCH_RUNTIME="onnx")
    manifest = read_manifest(shipped_classifier_dir())
    job_id = system.submit(leaf_files[:IMAGES], classifier=ClassifierRef(manifest.name, manifest.version))
    system.wait_for_end(job_id)
    for result in system.results(job_id):
        provenance = result.raw["provenance"]
        assert provenance["sha256"] == manifest.sha256
        assert provenance["runtime"].startswith("onnxruntime ")
        assert provenance["preprocessing"] == manifest.preprocessing_id
        assert result.raw["classifier"] == {"name": manifest.name, "version": manifest.version}
