"""What ``watch`` and ``submit --watch`` have in common: follow a job, then report."""

from pathlib import Path

from client import exit_codes
from client.commands.command import Context
from client.exit_codes import ExitCode
from client.reports import formats
from client.reports.tally import Tally
from client.resources import Job, JsonObject
from client.retry import RetryPolicy
from client.sdk import Phytobatch
from client.terminal.job_progress import job_progress
from client.terminal.summary import print_summary


def follow(context: Context, job_id: str) -> Job:
    """Show the job until it is terminal; a lost network is waited for as long as ``--patience`` says."""
    with job_progress(context.output) as progress:
        return patient(context).wait(job_id, on_change=progress.show)


def patient(context: Context) -> Phytobatch:
    """The client, with the patience of the options."""
    policy = RetryPolicy(total_seconds=context.options.patience)
    return context.client.with_retry(policy, on_retry=context.say_retry)


def report(
    context: Context, job: Job, *, out: Path | None, extra: JsonObject | None = None, skipped: int = 0
) -> ExitCode:
    """Read the results once: into the file, into the summary. Returns the exit code of the job."""
    tally = Tally()
    results = tally.counting(patient(context).results(job.id))
    if out is not None:
        formats.save(results, out, formats.format_of(out))
        context.output.note(f"results are in {out}")
    else:
        for _ in results:
            pass
    if context.output.as_json:
        context.output.document({**(extra or {}), "job": job.raw, "summary": tally.to_json()})
    else:
        print_summary(context.output, job, tally)
    return exit_codes.of_job(job.state, skipped=skipped)


def check_out(out: Path | None) -> None:
    """Refuse an ``--out`` that cannot work, before anything is sent.

    Raises:
        ConfigurationError: unknown suffix, or no such folder.
    """
    if out is not None:
        formats.format_of(out)
        formats.check_writable(out)
