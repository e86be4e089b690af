"""Options that several commands have, and the types of their values."""

from __future__ import annotations

import argparse
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

from phytobatch.moments import parse_moment
from phytobatch.resources import ClassifierRef
from phytobatch.tiles.settings import TileSettings
from phytobatch.tiles.tiling import MAX_GROUND_RESOLUTION_MM, MIN_GROUND_RESOLUTION_MM, ON_COARSE, Tiling

IMAGE_STATUSES = ("succeeded", "failed", "rejected", "canceled")
JOB_STATES = (
    "draft",
    "validating",
    "queued",
    "running",
    "canceling",
    "completed",
    "completed_with_errors",
    "failed",
    "canceled",
    "expired",
)
EVENTS = (
    "job.validated",
    "job.started",
    "job.progress",
    "job.completed",
    "job.completed_with_errors",
    "job.failed",
    "job.canceled",
    "job.expired",
    "job.retried",
    "webhook.disabled",
)
DELIVERY_STATES = ("pending", "delivered", "failed")
MAX_ROWS = 100_000
TABLE_SUFFIXES = (".csv", ".tsv", ".txt")
_AGO = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_EXAMPLE = "2026-06-01T08:00:00Z"


def common_options(parser: argparse.ArgumentParser, *, at_top: bool) -> None:
    """Add the options that may stand before and after the command's name."""

    def default(value: object) -> object:
        # Below a command, an option that is not given must not overwrite one that stood before the command.
        return value if at_top else argparse.SUPPRESS

    group = parser.add_argument_group("common options")
    group.add_argument("--url", default=default(None), help="address of the server")
    group.add_argument("--key-file", type=Path, metavar="FILE", default=default(None), help="file with the API key")
    group.add_argument("--json", action="store_true", default=default(False), help="answer in JSON on stdout")
    group.add_argument("--quiet", action="store_true", default=default(False), help="print errors and warnings alone")
    group.add_argument("--no-color", action="store_true", default=default(False), help="no colours")


def job_argument(parser: argparse.ArgumentParser) -> None:
    """Add the id of a job."""
    parser.add_argument("job", metavar="JOB", help="id of the job")


def webhook_argument(parser: argparse.ArgumentParser) -> None:
    """Add the id of a webhook endpoint."""
    parser.add_argument("webhook", metavar="WEBHOOK", help="id of the webhook")


def delivery_argument(parser: argparse.ArgumentParser) -> None:
    """Add the id of a delivery."""
    parser.add_argument("delivery", metavar="DELIVERY", help="id of the delivery")


def event_option(parser: argparse.ArgumentParser) -> None:
    """Add the events that a webhook gets."""
    parser.add_argument(
        "--event",
        action="append",
        choices=EVENTS,
        metavar="EVENT",
        help=f"only this kind of event; repeatable. {', '.join(EVENTS)}",
    )


def limit_option(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the length of a list."""
    parser.add_argument(
        "--limit", type=Between(1, MAX_ROWS), default=20, metavar="N", help=f"number of {what} to show (default 20)"
    )


def photos_option(parser: argparse.ArgumentParser) -> None:
    """Add the folders of photographs on this computer."""
    parser.add_argument(
        "--photos",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="where the files are on this computer, so that they are not downloaded; repeatable",
    )


def classifier_option(parser: argparse.ArgumentParser) -> None:
    """Add the classifier."""
    parser.add_argument(
        "--classifier",
        type=classifier,
        metavar="NAME[@VERSION]",
        help="classifier to use (default: the server's; see phytobatch classifiers)",
    )


def tile_options(parser: argparse.ArgumentParser) -> None:
    """Add what a job says of tiles."""
    parser.add_argument(
        "--tiles",
        type=tiling,
        metavar="auto|EDGE[/OVERLAP]|80mm[/OVERLAP]",
        help="answer in square tiles, for photographs of many plants: as the classifier has learned them, or with an "
        "edge in pixels or in millimetres (default: one answer for the whole photograph)",
    )
    parser.add_argument(
        "--on-coarse", choices=ON_COARSE, help="photographs from too far away get no answer (skip), or a marked one"
    )
    parser.add_argument(
        "--ground-resolution",
        type=ground_resolution,
        metavar="MM",
        help="millimetres of plant or ground in a pixel (default: by height and lens, where the file has them)",
    )


def explain_option(parser: argparse.ArgumentParser) -> None:
    """Add the wish for explanations."""
    parser.add_argument(
        "--explain",
        action="store_true",
        help="ask what speaks for each label, and where; `phytobatch explain JOB` draws it",
    )


def tile_settings(arguments: argparse.Namespace) -> TileSettings:
    """Return what the options of ``tile_options`` say.

    Raises:
        ConfigurationError: they speak of tiles where there are none.
    """
    return TileSettings(arguments.tiles, arguments.on_coarse, arguments.ground_resolution)


def patience_option(parser: argparse.ArgumentParser) -> None:
    """Add the patience with the network."""
    parser.add_argument(
        "--patience",
        type=positive_number,
        default=600.0,
        metavar="SECONDS",
        help="longest wait for a lost network (default 600)",
    )


def out_option(parser: argparse.ArgumentParser, text: str) -> None:
    """Add the file of the results."""
    parser.add_argument("--out", type=Path, metavar="FILE", help=text)


def classifier(text: str) -> ClassifierRef:
    """Parse ``NAME`` or ``NAME@VERSION``."""
    reference = ClassifierRef.parse(text)
    if not reference.name:
        raise argparse.ArgumentTypeError("a classifier is NAME or NAME@VERSION")
    return reference


def tiling(text: str) -> Tiling:
    """Parse the short form of a tiling."""
    try:
        return Tiling.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from None


def ground_resolution(text: str) -> float:
    """Parse millimetres in a pixel."""
    return Measure(MIN_GROUND_RESOLUTION_MM, MAX_GROUND_RESOLUTION_MM, "mm")(text)


def key_value(text: str) -> tuple[str, str]:
    """Parse ``KEY=VALUE``."""
    key, separator, value = text.partition("=")
    if not (key and separator):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def key_value_or_table(text: str) -> tuple[str, str] | Path:
    """Parse ``KEY=VALUE``, or the path of a CSV file."""
    return Path(text) if "=" not in text and text.lower().endswith(TABLE_SUFFIXES) else key_value(text)


def positive_number(text: str) -> float:
    """Parse a number above zero."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def moment_ago(text: str) -> datetime:
    """Parse a moment: a time with its zone, or how long ago, as ``30m``, ``6h``, ``2d``."""
    match = _AGO.fullmatch(text)
    if match:
        return datetime.now(timezone.utc) - timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    try:
        moment = parse_moment(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither 30m, 6h, 2d nor a time as {_EXAMPLE}") from None
    try:
        return moment.astimezone()  # Without a zone it is the time on the clock of whoever typed it.
    except (OSError, OverflowError):  # Windows knows no local time before 1970, nobody one before the year 1.
        raise argparse.ArgumentTypeError(f"{text!r} is too long ago") from None


class Measure:
    """A number in a range, with its unit."""

    def __init__(self, low: float, high: float, unit: str) -> None:
        self._low = low
        self._high = high
        self._unit = unit

    def __call__(self, text: str) -> float:
        """Parse the number, or raise the error that argparse shows."""
        number = positive_number(text)
        if not self._low <= number <= self._high:
            raise argparse.ArgumentTypeError(f"{text!r} is not from {self._low:g} to {self._high:g} {self._unit}")
        return number


class Between:
    """A whole number in a range."""

    def __init__(self, low: int, high: int) -> None:
        self._low = low
        self._high = high

    def __call__(self, text: str) -> int:
        """Parse the number, or raise the error that argparse shows."""
        if not (text.isdecimal() and self._low <= int(text) <= self._high):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {self._low} to {self._high}")
        return int(text)
