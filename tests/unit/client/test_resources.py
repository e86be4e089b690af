"""Answers as dataclasses, compared with the contract that the server uses."""

from __future__ import annotations

from datetime import datetime, timezone

from phytobatch.resources import ClassifierRef, ImageSpec, Job, ResultPage, UploadTarget

JOB = {
    "id": "0192",
    "state": "running",
    "name": "North field",
    "external_id": None,
    "priority": "bulk",
    "metadata": {"crop": "apple"},
    "classifier": {"name": "leaf", "version": "1"},
    "counts": {"total": 60, "pending": 12, "succeeded": 46, "failed": 1, "rejected": 1, "canceled": 0},
    "error": None,
    "progress": {
        "percent": 80.0,
        "images_per_second": 12.4,
        "estimated_end": "2026-11-22T21:02:00Z",
        "queue_position": None,
        "paused": True,
    },
    "retries": 1,
    "webhook_url": "https://farm.example.org/hooks",
    "created_at": "2026-11-22T21:00:00.5Z",
    "finished_at": None,
    "links": {"self": "/v1/jobs/0192"},
    "newer_than_this_client": 1,
}


def test_a_job_is_read_from_its_answer() -> None:
    job = Job.from_json(JOB)

    assert job.created_at == datetime(2026, 11, 22, 21, 0, 0, 500_000, tzinfo=timezone.utc)
    assert (job.counts.done, job.counts.total, str(job.classifier)) == (48, 60, "leaf@1")
    assert job.raw["newer_than_this_client"] == 1
    assert not job.is_terminal


def test_progress_counts_the_time_left_by_the_servers_clock() -> None:
    job = Job.from_json(JOB, at=datetime(2026, 11, 22, 21, 1, 30, tzinfo=timezone.utc))

    assert job.progress is not None
    assert (job.progress.percent, job.progress.images_per_second, job.progress.seconds_left) == (80.0, 12.4, 30.0)
    assert job.progress.paused
    assert (job.retries, job.webhook_url) == (1, "https://farm.example.org/hooks")
    assert Job.from_json({**JOB, "progress": None}).progress is None


def test_an_event_changes_what_it_knows_of_a_job() -> None:
    counts = {"total": 60, "pending": 0, "succeeded": 60}
    job = Job.from_json(JOB).updated({"job_id": "0192", "state": "completed", "counts": counts, "revision": 9})

    assert (job.state, job.counts.pending, job.name, job.progress) == ("completed", 0, "North field", None)
    assert job.raw["counts"] == counts
    assert "revision" not in job.raw


def test_a_classifier_is_a_name_with_or_without_a_version() -> None:
    assert ClassifierRef.parse("leaf").to_json() == {"name": "leaf"}
    assert ClassifierRef.parse("leaf@2").to_json() == {"name": "leaf", "version": "2"}


def test_an_image_says_only_what_is_known() -> None:
    assert ImageSpec("a.jpg", 0).to_json() == {"name": "a.jpg", "size": 0}


def test_an_upload_address_is_in_no_repr() -> None:
    target = UploadTarget(1, "a.jpg", "PUT", "https://s3/?X-Amz-Signature=secret", {"x": "hidden"})

    assert "secret" not in repr(target)
    assert "hidden" not in repr(target)


def test_a_page_is_the_last_only_when_the_job_has_ended() -> None:
    counts = Job.from_json(JOB).counts

    assert not ResultPage((), "1", has_more=False, state="running", counts=counts).is_last
    assert not ResultPage((), "1", has_more=True, state="completed", counts=counts).is_last
    assert ResultPage((), "1", has_more=False, state="completed", counts=counts).is_last
