"""Saving the results of a job, for every command with ``--out``: the table is the server's, in each format.

The server makes the file while it is read (direct export). Where it has too many rows for that, a worker makes it
(background export), and a call that was interrupted resumes that download.
"""

from __future__ import annotations

import argparse
import codecs
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from phytobatch.commands import options
from phytobatch.commands.command import Context
from phytobatch.errors import ConfigurationError, LimitExceeded, NotFound
from phytobatch.exports.formats import CONTENTS, FORMATS, TEXT_FORMATS
from phytobatch.exports.resources import Export
from phytobatch.sdk import Phytobatch
from phytobatch.terminal.download_progress import downloading
from phytobatch.words import plural

DIRECT_LIMIT = "PHYTOBATCH_MAX_DIRECT_EXPORT_ROWS"
BLOCK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Table:
    """The table to save: a job, a format, the filters of its rows, and what a row is."""

    job_id: str
    format: str
    filters: dict[str, str] = field(default_factory=dict)
    content: str = "results"

    @property
    def asked(self) -> str | None:
        """The content where it is not what every server makes without being asked."""
        return None if self.content == "results" else self.content


def add_table_options(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the options that choose a format and rows."""
    parser.add_argument("--format", choices=FORMATS, metavar="FORMAT", help=f"default: {default}. {', '.join(FORMATS)}")
    parser.add_argument("--status", choices=options.IMAGE_STATUSES, help="only images with this status")
    parser.add_argument("--label", metavar="CLASS", help="only images of this class")
    parser.add_argument("--place", choices=("known", "missing"), help="only images with a position, or without one")


def table_of(arguments: argparse.Namespace, name: str) -> Table:
    """Return the table that the options of ``add_table_options`` describe, in the format ``name``."""
    filters = {"status": arguments.status, "label": arguments.label, "place": arguments.place}
    return Table(arguments.job, name, {key: value for key, value in filters.items() if value is not None})


def content_option(parser: argparse.ArgumentParser) -> None:
    """Add what a row is."""
    parser.add_argument(
        "--content",
        choices=CONTENTS,
        default="results",
        help="a row for each image (default), or for each tile (ndjson, parquet)",
    )


def save(context: Context, client: Phytobatch, table: Table, out: Path) -> None:
    """Write the whole file, or leave what was there.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    started = _started(client, table, out)
    if started is not None:
        context.output.note(f"resuming export {started.id}")
        _download(context, client, started.id, out)
        return
    try:
        _direct(context, client, table, out)
    except LimitExceeded as error:
        if error.problem.setting != DIRECT_LIMIT:
            raise
        _in_background(context, client, table, out)


def print_table(context: Context, client: Phytobatch, table: Table) -> None:
    """Write the file to stdout.

    Raises:
        ConfigurationError: a terminal cannot show that format.
    """
    stream = context.output.stream
    is_terminal = stream.isatty()
    if is_terminal and table.format not in TEXT_FORMATS:
        raise ConfigurationError(f"A terminal cannot show {table.format}: say --out FILE.")
    with tempfile.TemporaryDirectory(prefix="phytobatch-") as folder:
        file = Path(folder, "results")
        save(context, client, table, file)
        # Other programs find the first column without the mark that spreadsheets want.
        encoding = "utf-8-sig" if table.format == "csv" else "utf-8"
        if is_terminal:
            decoder = codecs.getincrementaldecoder(encoding)()
            for block in _blocks(file):
                stream.write(decoder.decode(block))
        else:
            for number, block in enumerate(_blocks(file)):
                is_marked = number == 0 and table.format == "csv"
                stream.buffer.write(block.removeprefix(codecs.BOM_UTF8) if is_marked else block)
    stream.flush()


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(BLOCK_BYTES):
            yield block


def _direct(context: Context, client: Phytobatch, table: Table, out: Path) -> None:
    part = out.with_name(f".{out.name}.part")
    try:
        with downloading(context.output, out.name, None) as arrived:
            pending = client.exports.save(
                table.job_id, table.format, part, progress=arrived, content=table.asked, **table.filters
            )
        part.replace(out)
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror or error}.") from error
    finally:
        part.unlink(missing_ok=True)
    if pending:
        context.output.warn(f"The job still runs: {plural(pending, 'image')} without an answer not in the file.")


def _in_background(context: Context, client: Phytobatch, table: Table, out: Path) -> None:
    export = client.exports.create(table.job_id, table.format, content=table.asked, **table.filters)
    context.output.note(f"a worker makes export {export.id} ...")
    # From here on a call that was interrupted resumes this export.
    _part(out, export.id).touch()
    _download(context, client, export.id, out)


def _download(context: Context, client: Phytobatch, export_id: str, out: Path) -> None:
    export = client.exports.wait(export_id)
    part = _part(out, export.id)
    with downloading(context.output, out.name, export.size) as arrived:
        client.exports.download(export.id, part, policy=context.policy, progress=arrived)
    part.replace(out)


def _part(out: Path, export_id: str) -> Path:
    return out.with_name(f".{out.name}.{export_id}.part")


def _started(client: Phytobatch, table: Table, out: Path) -> Export | None:
    """Return the export that an earlier call of the same command did not bring to its end."""
    for part in sorted(out.parent.glob(f".{out.name}.*.part"), key=lambda path: -path.stat().st_mtime):
        try:
            export = client.exports.get(part.name.removeprefix(f".{out.name}.").removesuffix(".part"))
        except NotFound:
            part.unlink(missing_ok=True)
            continue
        filters = {key: value for key, value in export.filters.items() if value is not None}
        if Table(export.job_id, export.format, filters, export.content) == table:
            return export
    return None
