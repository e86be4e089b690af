"""``phytobatch submit``: send images and commit them as a job."""

from __future__ import annotations

import argparse
from pathlib import Path
from urllib.parse import urljoin

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.estimating import check_tiles, dry_run
from phytobatch.commands.following import check_out, follow, report, resume_sentence
from phytobatch.errors import ConfigurationError, PhytobatchError
from phytobatch.exit_codes import ExitCode
from phytobatch.files.stored_path import stored_path
from phytobatch.geography.report import sidecar_words
from phytobatch.geography.sidecars import Sidecar, find_sidecars
from phytobatch.resources import Job
from phytobatch.submission.location import default_state_dir, journal_path
from phytobatch.submission.outcome import Outcome
from phytobatch.submission.submit import Options, Submission
from phytobatch.terminal.job_words import warning_lines
from phytobatch.terminal.output import Output
from phytobatch.terminal.upload_progress import upload_reporter
from phytobatch.tiles.settings import TileSettings
from phytobatch.words import plural

MAX_PARALLEL = 64
DESCRIPTION = """\
Find the images in folders, upload them, and start their classification. After
an interruption of any kind, the same command resumes: finished files are not
sent again. A geo.txt (positions) and an images.csv (positions, row, bed, ...)
in a folder are read by themselves."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("paths", nargs="+", type=stored_path, metavar="FOLDER|FILE", help="folders and images to send")
    parser.add_argument("--name", help="name of the job")
    parser.add_argument("--external-id", metavar="ID", help="your own id for the job")
    options.classifier_option(parser)
    options.tile_options(parser)
    options.explain_option(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="count photographs and tiles, say how long they take, and send nothing"
    )
    parser.add_argument("--priority", choices=("interactive", "bulk"), help="interactive jobs run before bulk ones")
    parser.add_argument(
        "--metadata",
        type=options.key_value_or_table,
        action="append",
        default=[],
        metavar="KEY=VALUE|FILE.csv",
        help="of the job, or a table with a line for each image; repeatable (default: images.csv in the folder)",
    )
    parser.add_argument(
        "--positions", type=Path, metavar="FILE", help="geo.txt or CSV with positions (default: geo.txt in the folder)"
    )
    parser.add_argument(
        "--webhook-url", metavar="URL", help="address that receives the end of this job (see webhooks job-secret)"
    )
    parser.add_argument("--keep-duplicates", action="store_true", help="send files with the same bytes more than once")
    parser.add_argument("--watch", action="store_true", help="wait for the end and print a summary")
    options.out_option(parser, "write the results to a file (.csv, .ndjson, .geojson, .parquet ...) (implies --watch)")
    parser.add_argument(
        "--parallel",
        type=options.Between(1, MAX_PARALLEL),
        default=4,
        metavar="N",
        help="uploads at a time (default 4)",
    )
    options.patience_option(parser)
    parser.add_argument("--new", action="store_true", help="do not resume an unfinished submission")
    parser.add_argument("--state-dir", type=Path, metavar="FOLDER", help=_state_dir_help())


def _state_dir_help() -> str:
    return f"default {default_state_dir()}".replace("%", "%%")  # argparse formats its help


def run(context: Context) -> ExitCode:
    """Send, commit, and follow where asked to."""
    arguments = context.options
    check_out(arguments.out)
    tiles = options.tile_settings(arguments)
    if arguments.dry_run:
        return dry_run(context, arguments.paths, tiles, arguments.classifier)
    check_tiles(context, tiles, arguments.classifier)
    reporter = upload_reporter(context.output)
    with Submission(
        context.client,
        _state_file(context),
        _options(arguments, tiles),
        reporter,
        parallel=arguments.parallel,
        patience=arguments.patience,
        fresh=arguments.new,
    ) as submission:
        try:
            return _send(context, submission)
        except (KeyboardInterrupt, PhytobatchError):
            _say_how_to_go_on(context.output, submission)
            raise


def _send(context: Context, submission: Submission) -> ExitCode:
    arguments = context.options
    job = submission.send(arguments.paths, sidecars=_sidecars(arguments))
    outcome = submission.outcome
    _say_what_happened(context, outcome, job)
    if not (arguments.watch or arguments.out):
        submission.finish()
        if context.output.as_json:
            context.output.document(outcome.to_json())
        return ExitCode.SOME_IMAGES_FAILED if outcome.skipped else ExitCode.OK
    job = follow(context, job.id)
    code = report(context, job, out=arguments.out, extra=outcome.to_json(), skipped=len(outcome.skipped))
    submission.finish()
    return code


def _say_what_happened(context: Context, outcome: Outcome, job: Job) -> None:
    output = context.output
    words = [f"{plural(outcome.sent, 'image')} sent"]
    words += [f"{outcome.sent_before:,} sent before"] if outcome.sent_before else []
    words += [plural(len(outcome.duplicates), "duplicate")] if outcome.duplicates else []
    words += [f"{len(outcome.skipped):,} skipped"] if outcome.skipped else []
    words += [f"{plural(outcome.other_files, 'other file')} passed over"] if outcome.other_files else []
    output.note(", ".join(words))
    for line in sidecar_words(outcome.sidecars):
        output.note(line)
    for warning in warning_lines(job):
        output.warn(warning)
    if not output.as_json:
        output.text(f"job {job.id} {job.state}")
        for name in ("self", "results"):
            if name in job.links:
                output.text(f"  {urljoin(context.client.url, job.links[name])}")


def _say_how_to_go_on(output: Output, submission: Submission) -> None:
    job = submission.outcome.job
    if job is not None and job.state != "draft":
        output.warn(resume_sentence(job.id))
    elif submission.can_continue:
        output.warn("Nothing is lost. The same command again goes on where this one stopped.")


def _sidecars(arguments: argparse.Namespace) -> list[Sidecar]:
    tables = [each for each in arguments.metadata if isinstance(each, Path)]
    return find_sidecars(arguments.paths, positions=arguments.positions, metadata=tables)


def _state_file(context: Context) -> Path:
    folder = context.options.state_dir or default_state_dir()
    return journal_path(folder, url=context.client.url, api_key=context.api_key, paths=context.options.paths)


def _options(arguments: argparse.Namespace, tiles: TileSettings) -> Options:
    pairs = [each for each in arguments.metadata if not isinstance(each, Path)]
    metadata = dict(pairs)
    if len(metadata) != len(pairs):
        raise ConfigurationError("--metadata has a key twice.")
    return Options(
        name=arguments.name,
        external_id=arguments.external_id,
        priority=arguments.priority,
        classifier=arguments.classifier,
        metadata=metadata,
        webhook_url=arguments.webhook_url,
        keep_duplicates=arguments.keep_duplicates,
        tiles=tiles,
        explain=arguments.explain,
    )


COMMAND = Command(
    "submit",
    "send images as a job",
    add_arguments,
    run,
    examples=(
        "phytobatch submit flight-12 --watch",
        "phytobatch submit east west --name 'North field' --out results.csv",
        "phytobatch submit *.JPG --metadata crop=apple --priority interactive",
        "phytobatch submit greenhouse-2 --tiles auto --dry-run",
        "phytobatch submit flight-12 --positions flight-12.txt --metadata rows.csv",
    ),
    description=DESCRIPTION,
)
