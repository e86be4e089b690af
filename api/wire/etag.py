"""Weak entity tags of jobs, and their comparison (RFC 9110, sections 8.8.3 and 13.1.2)."""

from shared.db.models import Job


def etag_of(job: Job, queue_position: int | None = None, *, paused: bool = False) -> str:
    """Make the tag from the revision, which goes up with every visible change, the position in the queue, and a pause.

    Speed and estimated end follow from the time alone, so they change nothing here.
    """
    parts = [job.revision, *([] if queue_position is None else [queue_position]), *(["paused"] if paused else [])]
    return f'W/"{".".join(map(str, parts))}"'


def is_fresh(if_none_match: str | None, etag: str) -> bool:
    """Return whether one of the client's tags is this one; weak comparison."""
    if if_none_match is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in tags or etag.removeprefix("W/") in tags
