"""Sentences about a job in progress. Numbers are the server's; the counts add up."""

from __future__ import annotations

from phytobatch.resources import Counts, Job
from phytobatch.words import place_in_queue, plural, speed, time_left

_OF_STATE = {
    "draft": "waits for its commit",
    "validating": "looking at what arrived",
    "queued": "waits for a worker",
    "running": "waits for its first results",
    "canceling": "a worker ends what it has begun",
}


def troubles(counts: Counts) -> list[str]:
    """Describe the images that have no classification; empty if every image has one."""
    numbers = {"failed": counts.failed, "rejected": counts.rejected, "canceled": counts.canceled}
    return [f"{number:,} {word}" for word, number in numbers.items() if number]


def breakdown(counts: Counts) -> str:
    """Describe all images by status: ``60 images: 46 succeeded, 1 failed, 13 to go``."""
    parts = [f"{counts.succeeded:,} succeeded"] if counts.succeeded else []
    parts += troubles(counts)
    parts += [f"{counts.pending:,} to go"] if counts.pending else []
    return f"{plural(counts.total, 'image')}: {', '.join(parts)}" if parts else plural(counts.total, "image")


def measured_speed(job: Job) -> str:
    """Describe the speed, in tiles where the job has them; empty before there is one."""
    progress = job.progress
    if progress is None:
        return ""
    if progress.work is not None:
        return speed(progress.work.per_second, progress.work.unit) if progress.work.per_second else ""
    return speed(progress.images_per_second) if progress.images_per_second else ""


def tiles_done(job: Job) -> str:
    """Describe the work of a job with tiles: ``1,200 of 9,600 tiles``; empty where it has none, or none is known."""
    work = job.progress.work if job.progress else None
    return "" if work is None or work.total is None else f"{work.done:,} of {plural(work.total, 'tile')}"


def inspection(job: Job) -> str:
    """Describe how far the inspection is, while the photographs are looked at one after another."""
    work = job.progress.work if job.progress else None
    if work is None or job.state != "validating" or not work.inspected:
        return ""
    return f"inspecting {work.inspected:,} of {job.counts.total:,}"


def warning_lines(job: Job) -> list[str]:
    """Return the sentences that the server wants to be read before the answers."""
    return [warning["detail"] for warning in job.warnings]


def pace(job: Job, *, since: float = 0.0) -> str:
    """Describe speed and time left, the place in the queue, or what the job waits for.

    ``since`` is how many seconds ago the server said so: the time left goes on passing.
    """
    progress = job.progress
    if progress is not None and progress.paused:
        return "paused by the operator, goes on by itself afterwards"
    parts: list[str] = []
    inspecting = inspection(job)
    if inspecting:
        parts.append(inspecting)
    if progress is not None and progress.queue_position is not None and job.state == "queued":
        parts.append(place_in_queue(progress.queue_position))
    measured = measured_speed(job)
    if measured:
        parts.append(measured)
    if progress is not None and progress.seconds_left is not None and progress.seconds_left > since:
        parts.append(time_left(progress.seconds_left - since))
    elif progress is not None and progress.work is not None and progress.work.estimated_seconds:
        parts.append(f"{time_left(progress.work.estimated_seconds).removesuffix(' left')} of work")
    return ", ".join(parts) or _OF_STATE.get(job.state, "")
