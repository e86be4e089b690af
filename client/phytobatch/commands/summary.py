"""``phytobatch summary``: shares, groups and days of a whole job, and the images to review first."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.exit_codes import ExitCode
from phytobatch.reports.atomic import check_writable, replacing
from phytobatch.summaries.resources import Groups, Shares, Summary
from phytobatch.terminal.output import Output
from phytobatch.terminal.summary import in_percent, print_review, print_shares
from phytobatch.words import plural

NONE = "(none)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.job_argument(parser)
    parser.add_argument("--by", metavar="KEY", action="append", default=[], help="metadata key to group by, as row")
    parser.add_argument(
        "--time-zone", metavar="ZONE", default="UTC", help="zone of the days, as Europe/Madrid (default UTC)"
    )
    parser.add_argument(
        "--healthy", metavar="CLASS", action="append", default=[], help="class that is no disease (default: healthy)"
    )
    parser.add_argument("--grid", metavar="FILE", type=Path, help="also write the job in squares, as GeoJSON")
    parser.add_argument("--edge", metavar="METRES", type=float, default=10.0, help="edge of a square (default 10)")


def run(context: Context) -> ExitCode:
    """Print the summary, and write the grid."""
    arguments, output = context.options, context.output
    if arguments.grid is not None:
        check_writable(arguments.grid)
    summary = context.client.summary(
        arguments.job, group_by=arguments.by, time_zone=arguments.time_zone, healthy=arguments.healthy
    )
    if arguments.grid is not None:
        grid = context.client.grid(arguments.job, edge=arguments.edge, healthy=arguments.healthy)
        with replacing(arguments.grid) as stream:
            json.dump(grid.raw, stream)
        output.note(f"{plural(len(grid.cells), 'square')} of {arguments.edge:g} m are in {arguments.grid}")
    if output.as_json:
        output.document(summary.raw)
    else:
        print_whole(output, summary)
    return ExitCode.OK


def print_whole(output: Output, summary: Summary) -> None:
    """Print the summary for people."""
    output.text(f"job {summary.job_id} {summary.state}: {_sentence(summary.overall)}")
    print_shares(output, summary.overall)
    print_review(output, summary.overall)
    for key, groups in summary.groups.items():
        _table(output, key, groups)
    if len(summary.days) > 1 or any(day for day, _ in summary.days):
        _table(output, "day", summary.days)
    output.text(_positions(summary))
    if summary.uncertain:
        output.text("the least certain, to look at first:")
        rows = [(one.name, one.label, f"{one.confidence:.2f}", one.review_reason or "") for one in summary.uncertain]
        output.table(("file", "label", "confidence", "reason"), rows, right=("confidence",))


def _sentence(shares: Shares) -> str:
    parts = [plural(shares.images, "image"), f"{shares.counted:,} counted"]
    if shares.diseased_share is not None:
        low_high = (
            "" if shares.diseased_interval is None else f" (95 % interval {in_percent(shares.diseased_interval)})"
        )
        of = "of them" if shares.tiles is None else f"of {plural(shares.tiles.counted, 'tile')}"
        parts.append(f"{shares.diseased_share:.1%} {of} diseased{low_high}")
    if shares.undecided:
        parts.append(f"{shares.undecided:,} undecided")
    if shares.not_classified:
        parts.append(f"{shares.not_classified:,} without a classification")
    if shares.corrected:
        parts.append(f"{shares.corrected:,} corrected")
    return ", ".join(parts)


def _positions(summary: Summary) -> str:
    known = f"{plural(summary.positions, 'image')} with a position"
    reasons = ", ".join(f"{images:,} {reason}" for reason, images in summary.missing_positions.items())
    return f"{known}; without one: {reasons}" if reasons else known


def _table(output: Output, title: str, groups: Groups) -> None:
    is_tiled = any(shares.tiles is not None for _, shares in groups)
    tiles = ("tiles",) if is_tiled else ()
    titles = (title, "images", "counted", *tiles, "diseased", "share", "to look at")
    output.table(titles, list(_rows(groups, is_tiled=is_tiled)), right=titles[1:])


def _rows(groups: Groups, *, is_tiled: bool) -> Iterable[tuple[str, ...]]:
    for value, shares in groups:
        tiles = (f"{shares.tiles.counted:,}" if shares.tiles else "",) if is_tiled else ()
        diseased = "" if shares.diseased is None else f"{shares.diseased:,}"
        share = "" if shares.diseased_share is None else f"{shares.diseased_share:.1%}"
        numbers = (f"{shares.images:,}", f"{shares.counted:,}", *tiles, diseased, share, f"{shares.needs_review:,}")
        yield (NONE if value is None else value, *numbers)


COMMAND = Command(
    "summary",
    "print shares, groups and days of a whole job, and the images to review first",
    add_arguments,
    run,
    examples=(
        "phytobatch summary JOB --by row --by bay",
        "phytobatch summary JOB --grid field.geojson --edge 5",
    ),
)
