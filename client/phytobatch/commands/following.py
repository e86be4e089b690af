"""What ``watch``, ``submit --watch`` and ``retry --watch`` have in common: follow a job, then report."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phytobatch import exit_codes
from phytobatch.commands.command import Context
from phytobatch.errors import NetworkError, ServerUnavailable
from phytobatch.exit_codes import ExitCode
from phytobatch.reports import formats
from phytobatch.reports.tally import Tally
from phytobatch.resources import Job, JsonObject
from phytobatch.retry import RetryPolicy
from phytobatch.sdk import Phytobatch
from phytobatch.terminal.connection import Connection
from phytobatch.terminal.job_progress import job_progress
from phytobatch.terminal.output import Output
from phytobatch.terminal.summary import print_summary
from phytobatch.transport import OnRetry


def follow(context: Context, job_id: str) -> Job:
    """Show the job until it is terminal; a lost network is waited for as long as ``--patience`` says."""
    connection = Connection(context.output, context.options.patience)
    with job_progress(context.output, connection) as progress:

        def show(job: Job) -> None:
            connection.back()
            progress.show(job)

        return patient(context, on_retry=connection.lost).wait(job_id, on_change=show)


@contextmanager
def going_on(output: Output, job_id: str) -> Iterator[None]:
    """Whoever stops looking, or loses the connection, is told how to come back: the job does not stop."""
    try:
        yield
    except (KeyboardInterrupt, NetworkError, ServerUnavailable):
        output.warn(way_back(job_id))
        raise


def way_back(job_id: str) -> str:
    """The sentence that says so."""
    return f"The job goes on by itself: phytobatch watch {job_id}"


def patient(context: Context, *, on_retry: OnRetry | None = None) -> Phytobatch:
    """The client, with the patience of the options."""
    policy = RetryPolicy(total_seconds=context.options.patience)
    return context.client.with_retry(policy, on_retry=on_retry or context.say_retry)


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
