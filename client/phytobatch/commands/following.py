"""Following a job to its end and reporting it, for ``watch``, ``submit --watch``, ``retry --watch``, ``results``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phytobatch import exit_codes
from phytobatch.commands.command import Context
from phytobatch.commands.saving import Table, save
from phytobatch.errors import NetworkError, ServerUnavailable
from phytobatch.exit_codes import ExitCode
from phytobatch.exports.formats import format_of
from phytobatch.reports.atomic import check_writable
from phytobatch.resources import Job, JsonObject, Result
from phytobatch.retry import RetryPolicy
from phytobatch.sdk import Phytobatch
from phytobatch.terminal.connection import Connection
from phytobatch.terminal.job_progress import job_progress
from phytobatch.terminal.output import Output
from phytobatch.terminal.summary import print_summary
from phytobatch.transport import OnRetry

MAX_FAILURES = 20  # named at the end of a followed job
UNCLASSIFIED = ("failed", "rejected", "canceled")


def follow(context: Context, job_id: str) -> Job:
    """Show the job until it is terminal; a lost network is waited for as long as ``--patience`` says."""
    connection = Connection(context.output, context.options.patience)
    with job_progress(context.output, connection) as progress:

        def show(job: Job) -> None:
            connection.back()
            progress.show(job)

        return patient(context, on_retry=connection.lost).wait(job_id, on_change=show)


@contextmanager
def resumable(output: Output, job_id: str) -> Iterator[None]:
    """Say how to resume when a person stops watching, or the connection is lost: the job does not stop."""
    try:
        yield
    except (KeyboardInterrupt, NetworkError, ServerUnavailable):
        output.warn(resume_sentence(job_id))
        raise


def resume_sentence(job_id: str) -> str:
    """Return the sentence that says how to watch the job again."""
    return f"The job goes on by itself: phytobatch watch {job_id}"


def patient(context: Context, *, on_retry: OnRetry | None = None) -> Phytobatch:
    """Return the client, with the patience of the options."""
    policy = RetryPolicy(total_seconds=context.options.patience)
    return context.client.with_retry(policy, on_retry=on_retry or context.say_retry)


def report(
    context: Context, job: Job, *, out: Path | None, extra: JsonObject | None = None, skipped: int = 0
) -> ExitCode:
    """Save the results, print the server's summary, and return the exit code of the job."""
    client = patient(context)
    if out is not None:
        save(context, client, Table(job.id, format_of(out)), out)
        context.output.note(f"results are in {out}")
    summary = client.summary(job.id)
    failures = _failures(client, job.id) if summary.overall.not_classified else []
    if context.output.as_json:
        named = [each.raw for each in failures]
        context.output.document({**(extra or {}), "job": job.raw, "summary": summary.raw, "failures": named})
    else:
        print_summary(context.output, job, summary.overall, failures)
    return exit_codes.of_job(job.state, skipped=skipped)


def check_out(out: Path | None) -> None:
    """Refuse an ``--out`` that cannot work, before anything is sent.

    Raises:
        ConfigurationError: unknown suffix, or no such folder.
    """
    if out is not None:
        format_of(out)
        check_writable(out)


def _failures(client: Phytobatch, job_id: str) -> list[Result]:
    """Return the first images without a classification."""
    failures = itertools.chain.from_iterable(client.results(job_id, status=status) for status in UNCLASSIFIED)
    return list(itertools.islice(failures, MAX_FAILURES))
