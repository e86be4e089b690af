"""``phytobatch export``: the results of a job as a file for spreadsheets, maps and data tools."""

import argparse
from pathlib import Path

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.errors import ConfigurationError, LimitExceeded, NotFound
from phytobatch.exit_codes import ExitCode
from phytobatch.exports.resources import Export
from phytobatch.reports import formats
from phytobatch.terminal.download_progress import downloading
from phytobatch.words import in_bytes, plural

# The longest suffix that fits counts.
FORMAT_OF_SUFFIX = {
    ".geo.parquet": "geoparquet",
    ".geoparquet": "geoparquet",
    ".parquet": "parquet",
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".geojson": "geojson",
    ".zip": "shapefile",
    ".kml": "kml",
}
FORMATS = ("csv", "ndjson", "geojson", "shapefile", "kml", "parquet", "geoparquet")
DIRECT_LIMIT = "PHYTOBATCH_MAX_DIRECT_EXPORT_ROWS"
READ_SECONDS = 90.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    options.job_argument(parser)
    parser.add_argument(
        "--out", type=Path, metavar="FILE", required=True, help="where to; it is there whole or not at all"
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        metavar="FORMAT",
        help=f"default: the one of the file's name. {', '.join(FORMATS)}",
    )
    parser.add_argument("--status", choices=options.IMAGE_STATUSES, help="only images with this status")
    parser.add_argument("--label", metavar="CLASS", help="only images of this class")
    parser.add_argument("--place", choices=("known", "missing"), help="only images with a position, or without one")


def run(context: Context) -> ExitCode:
    """Get the file at once; or have a worker make it, where it is too large for that."""
    out: Path = context.options.out
    formats.check_writable(out)
    name = context.options.format or format_of(out)
    part = _begun(context, out)
    if part is not None:
        _fetch(context, part[0], part[1])
    else:
        try:
            _direct(context, name, out)
        except LimitExceeded as error:
            if error.problem.setting != DIRECT_LIMIT:
                raise
            _made_beside(context, name, out)
    size = out.stat().st_size
    if context.output.as_json:
        context.output.document({"file": str(out), "format": name, "bytes": size})
    else:
        context.output.note(f"{out} ({name}, {in_bytes(size)})")
    return ExitCode.OK


def format_of(path: Path) -> str:
    """The format that a file's name asks for.

    Raises:
        ConfigurationError: no format has that suffix.
    """
    lower = path.name.lower()
    found = next((name for suffix, name in FORMAT_OF_SUFFIX.items() if lower.endswith(suffix)), None)
    if found is None:
        raise ConfigurationError(f"{path}: say --format, or a name that ends in one of {', '.join(FORMAT_OF_SUFFIX)}.")
    return found


def _filters(context: Context) -> dict[str, str | None]:
    given = context.options
    return {"status": given.status, "label": given.label, "place": given.place}


def _direct(context: Context, name: str, out: Path) -> None:
    stream = context.client.exports.open(context.options.job, name, **_filters(context))
    part = out.with_name(f".{out.name}.part")
    try:
        with downloading(context.output, out.name, None) as arrived, part.open("wb") as file:
            while block := stream.read(READ_SECONDS):
                file.write(block)
                arrived(len(block))
        part.replace(out)
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror or error}.") from error
    finally:
        stream.close()
        part.unlink(missing_ok=True)
    pending = stream.headers.get("X-Phytobatch-Pending", "0")
    if pending != "0":
        context.output.warn(f"The job still runs: {plural(int(pending), 'image')} without an answer not in the file.")


def _made_beside(context: Context, name: str, out: Path) -> None:
    made = context.client.exports.create(context.options.job, name, **_filters(context))
    context.output.note(f"a worker makes export {made.id} ...")
    # From here on a call that was interrupted goes on with this export.
    part = _part(out, made.id)
    part.touch()
    _fetch(context, context.client.exports.wait(made.id), out)


def _fetch(context: Context, export: Export, out: Path) -> None:
    part = _part(out, export.id)
    with downloading(context.output, out.name, export.size) as arrived:
        context.client.exports.download(export.id, part, policy=context.policy, progress=arrived)
    part.replace(out)


def _part(out: Path, export_id: str) -> Path:
    return out.with_name(f".{out.name}.{export_id}.part")


def _begun(context: Context, out: Path) -> tuple[Export, Path] | None:
    """The export that an earlier call of the same command did not bring to its end."""
    name = context.options.format or format_of(out)
    wanted = {key: value for key, value in _filters(context).items() if value is not None}
    for part in sorted(out.parent.glob(f".{out.name}.*.part"), key=lambda path: -path.stat().st_mtime):
        try:
            export = context.client.exports.get(part.name.removeprefix(f".{out.name}.").removesuffix(".part"))
        except NotFound:
            part.unlink(missing_ok=True)
            continue
        filters = {key: value for key, value in export.filters.items() if value is not None}
        if (export.job_id, export.format, filters) == (context.options.job, name, wanted):
            context.output.note(f"going on with export {export.id}")
            return context.client.exports.wait(export.id), out
    return None


COMMAND = Command(
    "export",
    "save the results of a job for spreadsheets, maps and data tools",
    add_arguments,
    run,
    examples=(
        "phytobatch export JOB --out field.geojson",
        "phytobatch export JOB --out field.shp.zip",
        "phytobatch export JOB --out rust.kml --label rust",
        "phytobatch export JOB --out field.parquet --format geoparquet",
    ),
)
