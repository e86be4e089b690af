"""``phytobatch report``: a job as one HTML page for a grower, with map, charts and pictures, that needs no network."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.errors import ConfigurationError
from phytobatch.exit_codes import ExitCode
from phytobatch.reports.atomic import check_writable, replacing
from phytobatch.reports.overlays.drawing import draw
from phytobatch.reports.overlays.evidence import draw_evidence
from phytobatch.reports.overlays.overlay import can_draw
from phytobatch.reports.overlays.style import Style
from phytobatch.reports.page.content import Content, PageOptions, gather
from phytobatch.reports.page.html import can_render, write
from phytobatch.reports.page.thumbnails import thumbnails
from phytobatch.reports.words import LANGUAGES, Words
from phytobatch.sdk import Phytobatch
from phytobatch.words import in_bytes

if TYPE_CHECKING:
    from PIL.Image import Image

NAMES = 3  # of images far off, in a line on the terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.job_argument(parser)
    parser.add_argument("--out", metavar="FILE", type=Path, help="default: report-JOB.html in this folder")
    parser.add_argument("--by", metavar="KEY", action="append", default=[], help="metadata key to group by, as row")
    parser.add_argument("--edge", metavar="METRES", type=float, help="edge of a square (default: fits the field)")
    parser.add_argument(
        "--time-zone", metavar="ZONE", default="UTC", help="zone of the days, as Europe/Madrid (default UTC)"
    )
    parser.add_argument(
        "--healthy", metavar="CLASS", action="append", default=[], help="class that is no disease (default: healthy)"
    )
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of the page (default en)")
    parser.add_argument("--no-pictures", action="store_true", help="a smaller page, without photographs")


def run(context: Context) -> ExitCode:
    """Gather, draw, write."""
    arguments, output = context.options, context.output
    out: Path = arguments.out or Path(f"report-{arguments.job}.html")
    check_writable(out)
    if not can_render():
        raise ConfigurationError("The report needs Jinja2: pip install 'phytobatch[report]'")
    content = gather(
        context.client, arguments.job, PageOptions(arguments.by, arguments.time_zone, arguments.healthy, arguments.edge)
    )
    if content.place is not None and content.place.far:
        names = [one.name for one in content.place.far]
        more = ", …" if len(names) > NAMES else ""
        output.warn(f"{len(names)} far from the others, not on the map: {', '.join(names[:NAMES])}{more}")
    if not arguments.no_pictures:
        if can_draw():
            content.pictures = _pictures(context.client, content, arguments.language)
        else:
            output.warn("No pictures, because Pillow is not installed: pip install 'phytobatch[report]'")
    page = write(content, Words(arguments.language), made_at=datetime.now().astimezone())
    with replacing(out) as stream:
        stream.write(page)
    if output.as_json:
        output.document({"report": str(out), "bytes": len(page.encode())})
    else:
        output.text(f"{out} ({in_bytes(len(page.encode()))})")
    return ExitCode.OK


def _pictures(client: Phytobatch, content: Content, language: str) -> dict[int, bytes]:
    job_id, shown = content.job.id, (*content.worst, *content.uncertain)
    with_tiles = {one.seq for one in shown if one.tiles is not None}
    style = Style.of({label: content.name_of(label, language) for label in content.names}, content.summary.healthy)

    explanations = {one.seq: one.explanation for one in shown if one.explanation}

    def drawn(seq: int, picture: Image) -> Image:
        if seq in explanations:
            return draw_evidence(picture, explanations[seq])
        return draw(picture, client.tiles(job_id, seq), style, named=False)

    others = [one.seq for one in shown if one.seq not in with_tiles | explanations.keys()]
    whole = thumbnails(others, lambda seq: client.image(job_id, seq))
    return whole | thumbnails(with_tiles | explanations.keys(), lambda seq: client.image(job_id, seq), drawn)


COMMAND = Command(
    "report",
    "write a job as one page with map, charts and pictures",
    add_arguments,
    run,
    examples=("phytobatch report JOB --by row --out field.html", "phytobatch report JOB --language es --edge 5"),
)
