"""What the SDK sends and reads of a job's days, its removal and the state of the service, on the real API."""

from pathlib import Path

from phytobatch import Phytobatch
from tests.integration.conftest import Api


def client(api: Api) -> Phytobatch:
    return Phytobatch(api.base, str(api.key))


def test_days_are_kept_as_they_were_sent(api: Api, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8\xff\xd9")
    with client(api) as phytobatch:
        draft = phytobatch.create_job(keep_days=30, keep_originals_days=7)
        form = phytobatch.create_job_from_files([path], keep_days=31, keep_originals_days=8)
        jobs = [phytobatch.job(one.id) for one in (draft, form)]
    assert [(one.keep_days, one.keep_originals_days) for one in jobs] == [(30, 7), (31, 8)]
    assert jobs[0].originals_removed_at is None


def test_a_deleted_job_leaves_a_receipt(api: Api) -> None:
    with client(api) as phytobatch:
        job = phytobatch.create_job(name="by mistake")
        receipt_id = phytobatch.delete(job.id)
        assert receipt_id is not None
        receipt = phytobatch.receipts.get(receipt_id)
        assert (receipt.job_id, receipt.what, receipt.reason) == (job.id, "job", "requested")
        assert receipt.requested_at is not None
        assert [one.id for one in phytobatch.receipts.list(job_id=job.id)] == [receipt_id]


def test_the_service_says_that_it_lives_and_can_serve(api: Api) -> None:
    with client(api) as phytobatch:
        assert phytobatch.health() == "ok"
        readiness = phytobatch.ready()
        (leaf,) = phytobatch.classifiers()
    assert readiness.ready
    assert set(readiness.checks) == {"database", "object_store", "redis"}
    assert (leaf.name, leaf.input_size, leaf.class_labels[1].names) == (
        "leaf-test",
        (128, 128),
        {"en": "powdery mildew"},
    )
