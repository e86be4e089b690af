"""``phytobatch cancel``: end a job early."""

from __future__ import annotations

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.exit_codes import ExitCode


def run(context: Context) -> ExitCode:
    """Ask for the cancellation and print the job."""
    job = context.client.cancel(context.options.job)
    if context.output.as_json:
        context.output.document(job.raw)
    else:
        kept = f"{job.counts.succeeded:,} finished images are kept"
        context.output.text(f"job {job.id} {job.state}: {kept}")
    return ExitCode.OK


COMMAND = Command(
    "cancel",
    "end a job early; finished images are kept",
    options.job_argument,
    run,
    examples=("phytobatch cancel JOB",),
)
