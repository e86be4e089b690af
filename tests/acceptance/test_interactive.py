"""Somebody who waits for one photograph does not wait for a whole flight."""

from pathlib import Path

from tests.acceptance.system import System


def test_predict_answers_while_bulk_work_fills_every_slot(quiet: System, leaf_files: list[Path]) -> None:
    system = quiet
    system.start_worker(PHYTOBATCH_WORKER_SLOTS="1")
    bulk = system.submit(leaf_files)
    system.wait_until(bulk, lambda job: job.counts.succeeded > 0)
    with system.client() as api:
        answer = api.predict(leaf_files[0])
    still = system.job(bulk)
    assert answer.predicted_class is not None
    assert still.counts.pending > 0, "the bulk job was through before; the test needs more images"
    system.wait_for_end(bulk)


def test_another_job_is_validated_while_bulk_work_fills_every_slot(quiet: System, leaf_files: list[Path]) -> None:
    system = quiet
    system.start_worker(PHYTOBATCH_WORKER_SLOTS="1")
    bulk = system.submit(leaf_files)
    system.wait_until(bulk, lambda job: job.counts.succeeded > 0)
    late = system.submit(leaf_files[:3])
    system.wait_until(late, lambda job: job.state != "validating")
    assert system.job(bulk).counts.pending > 0
    system.wait_for_end(bulk)
    system.wait_for_end(late)
