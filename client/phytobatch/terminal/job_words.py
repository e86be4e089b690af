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


def pace(job: Job, *, since: float = 0.0) -> str:
    """Describe speed and time left, the place in the queue, or what the job waits for.

    ``since`` is how many seconds ago the server said so: the time left goes on passing.
    """
    progress = job.progress
    if progress is not None and progress.paused:
        return "paused by the operator, goes on by itself afterwards"
    parts: list[str] = []
    if progress is not None and progress.queue_position is not None and job.state == "queued":
        parts.append(place_in_queue(progress.queue_position))
    if progress is not None and progress.images_per_second:
        parts.append(speed(progress.images_per_second))
    if progress is not None and progress.seconds_left is not None and progress.seconds_left > since:
        parts.append(time_left(progress.seconds_left - since))
    return ", ".join(parts) or _OF_STATE.get(job.state, "")
