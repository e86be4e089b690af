"""``phytobatch delete``: remove a job with its images and results."""

from __future__ import annotations

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.exit_codes import ExitCode


def run(context: Context) -> ExitCode:
    """Delete the job."""
    job_id = context.options.job
    context.client.delete(job_id)
    if context.output.as_json:
        context.output.document({"id": job_id, "deleted": True})
    else:
        context.output.text(f"job {job_id} is deleted; its images and results are removed soon after")
    return ExitCode.OK


COMMAND = Command(
    "delete",
    "remove a job that is a draft or has ended, with its images and results",
    options.job_argument,
    run,
    examples=("phytobatch delete JOB",),
)
