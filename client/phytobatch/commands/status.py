"""``phytobatch status``: one job as it is now."""

from __future__ import annotations

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.exit_codes import ExitCode
from phytobatch.resources import Job
from phytobatch.terminal.job_words import pace, tiles_done, warning_lines
from phytobatch.tiles.tiling import Tiling
from phytobatch.words import moment


def run(context: Context) -> ExitCode:
    """Print the job."""
    job = context.client.job(context.options.job)
    if context.output.as_json:
        context.output.document(job.raw)
    else:
        context.output.table(("job", job.id), _rows(job))
    return ExitCode.OK


def _rows(job: Job) -> list[tuple[str, str]]:
    counts = job.counts
    images = f"{counts.total:,} in all: {counts.succeeded:,} succeeded, {counts.pending:,} pending"
    troubles = f"{counts.failed:,} failed, {counts.rejected:,} rejected, {counts.canceled:,} canceled"
    rows = {
        "state": job.state,
        "name": job.name,
        "external id": job.external_id,
        "classifier": str(job.classifier) if job.classifier else None,
        "priority": job.priority,
        "images": f"{images}, {troubles}",
        "tiles": _tiles(job),
        "progress": ", ".join(filter(None, [tiles_done(job), pace(job)])) if job.progress else None,
        "warning": "; ".join(warning_lines(job)),
        "retries": f"{job.retries:,}" if job.retries else None,
        "webhook": job.webhook_url,
        "metadata": ", ".join(f"{key}={value}" for key, value in job.metadata.items()),
        "error": str(job.error) if job.error else None,
        "created": moment(job.created_at),
        "committed": moment(job.committed_at),
        "started": moment(job.started_at),
        "finished": moment(job.finished_at),
        "expires": moment(job.expires_at),
    }
    return [(name, value) for name, value in rows.items() if value]


def _tiles(job: Job) -> str | None:
    if job.tiling is None:
        return None
    coarse = "answered and marked" if job.on_coarse == "answer" else "skipped"
    pixel = f", {job.ground_resolution_mm:g} mm in a pixel" if job.ground_resolution_mm else ""
    return f"{Tiling.from_json(job.tiling)}{pixel}; what is too coarse is {coarse}"


COMMAND = Command("status", "show a job", options.job_argument, run, examples=("phytobatch status JOB --json",))
