"""``phytobatch export``: the results of a job as a file for spreadsheets, maps and data tools."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.saving import add_table_options, content_option, save, table_of
from phytobatch.exit_codes import ExitCode
from phytobatch.exports.formats import format_of
from phytobatch.reports.atomic import check_writable
from phytobatch.words import in_bytes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.job_argument(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", required=True, help="file to write, whole or not at all")
    add_table_options(parser, "the one of the file's name")
    content_option(parser)


def run(context: Context) -> ExitCode:
    """Save the file."""
    arguments, output = context.options, context.output
    out: Path = arguments.out
    check_writable(out)
    table = replace(table_of(arguments, arguments.format or format_of(out)), content=arguments.content)
    save(context, context.client, table, out)
    size = out.stat().st_size
    if output.as_json:
        output.document({"file": str(out), "format": table.format, "bytes": size})
    else:
        output.note(f"{out} ({table.format}, {in_bytes(size)})")
    return ExitCode.OK


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
        "phytobatch export JOB --out tiles.parquet --content tiles",
    ),
)
