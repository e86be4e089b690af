"""``phytobatch plan``: what a pixel is on the ground from a height, and whether the classifier can read it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.errors import ConfigurationError, PhytobatchError
from phytobatch.exit_codes import ExitCode
from phytobatch.flights.cameras import CAMERAS, Camera, camera_named
from phytobatch.flights.ground import View
from phytobatch.retry import RetryPolicy
from phytobatch.terminal.output import Output
from phytobatch.tiles.settings import chosen
from phytobatch.tiles.tiling import MAX_EDGE

MAX_PIXELS = 100_000
_MILLIMETRES = options.Measure(0.1, 10_000, "mm")  # of lenses and sensors
DESCRIPTION = """\
Say how large a pixel is on the plants, seen straight from above, and whether
the classifier can read that. Without --camera: the known cameras. Nothing is
sent; the server is asked for what its classifier reads, unless --reads says it."""


@dataclass(frozen=True)
class Reader:
    """A classifier's range: the finest and the coarsest pixel in millimetres, and the edge of a tile in pixels."""

    reads: tuple[float, float]
    name: str = "the classifier"
    edge: int | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("--camera", metavar="NAME", help="a known camera, as mini-4-pro (without it: lists them)")
    parser.add_argument(
        "--height",
        type=options.Measure(0.01, 20_000, "m"),
        metavar="METRES",
        help="height above the plants, not above take-off",
    )
    parser.add_argument("--focal", type=_MILLIMETRES, metavar="MM", help="real focal length of another lens")
    parser.add_argument("--sensor-width", type=_MILLIMETRES, metavar="MM", help="width of the sensor of another camera")
    parser.add_argument(
        "--width", type=options.Between(1, MAX_PIXELS), metavar="PIXELS", help="width of the pictures in pixels"
    )
    parser.add_argument(
        "--reads", type=options.ground_resolution, metavar="MM", help="the coarsest pixel that the classifier reads"
    )
    options.classifier_option(parser)


def run(context: Context) -> ExitCode:
    """Compute and print."""
    arguments, output = context.options, context.output
    reader = _reader(context)
    if arguments.camera is None and arguments.sensor_width is None:
        _print_cameras(output, reader)
        return ExitCode.OK
    camera = _camera(arguments)
    if arguments.height is None:
        raise ConfigurationError("Say from which height above the plants: --height METRES.")
    view = View(camera, arguments.height)
    if output.as_json:
        output.document(view.to_json(reader.reads if reader else None))
        return ExitCode.OK
    for line in _sentences(view, reader):
        output.text(line)
    return ExitCode.OK


def _camera(arguments: argparse.Namespace) -> Camera:
    """Return the known camera with what the options say otherwise, or one that they describe whole."""
    given = {"focal_mm": arguments.focal, "sensor_width_mm": arguments.sensor_width, "width": arguments.width}
    changes = {name: value for name, value in given.items() if value is not None}
    if arguments.camera is not None:
        camera = camera_named(arguments.camera)
        if arguments.width is not None:
            changes["height"] = round(camera.height * arguments.width / camera.width)
        return replace(camera, **changes)
    if len(changes) < len(given):
        raise ConfigurationError(
            "A camera of your own needs --sensor-width MM, --focal MM and --width PIXELS; --camera takes a known one."
        )
    height = round(arguments.width * 3 / 4)
    return Camera("your camera", arguments.sensor_width, arguments.focal, arguments.width, height, "the options")


def _reader(context: Context) -> Reader | None:
    """Return who reads the pictures; None: nobody knows."""
    arguments = context.options
    if arguments.reads is not None:
        return Reader((0.0, arguments.reads))
    try:
        classifiers = context.client.with_retry(RetryPolicy(total_seconds=0)).classifiers()
    except PhytobatchError as error:  # A plan is made in the field, too: without the network it says less.
        if arguments.classifier is not None:
            raise
        context.output.note(f"What the classifier reads is unknown ({error}) Say it with --reads MM.")
        return None
    one = chosen(classifiers, arguments.classifier)
    name = f"{one.name}@{one.version}"
    if one.tiling is None or one.tiling.ground_resolution_mm is None:
        context.output.note(f"{name} does not say which pixels it reads; say it with --reads MM.")
        return None
    return Reader(one.tiling.ground_resolution_mm, name, one.tiling.edge)


def _sentences(view: View, reader: Reader | None) -> list[str]:
    camera = view.camera
    lines = [
        f"{camera.title}, {camera.width:,} x {camera.height:,} pixels, from {view.height:g} m:",
        f"  a pixel is {_mm(view.pixel_mm)} of the plants, the picture {view.width_m:.2f} x {view.height_m:.2f} m",
    ]
    if reader is None:
        return lines
    finest, coarsest = reader.reads
    pixels = f"pixels up to {_mm(coarsest)}" if finest == 0 else f"pixels of {_mm(finest)} to {_mm(coarsest)}"
    top = view.height_for(coarsest)
    heights = f"up to {top:.1f} m" if finest == 0 else f"from {view.height_for(finest):.1f} to {top:.1f} m"
    return [*lines, f"  {reader.name} reads {pixels}: {_verdict(view, reader)}; this camera {heights} above the plants"]


def _verdict(view: View, reader: Reader) -> str:
    """Say whether it is read. From too close there is a way: a larger tile is reduced to the same picture."""
    if view.is_read(reader.reads):
        return "yes"
    if view.pixel_mm > reader.reads[1]:
        return "no, too far away"
    edge = 0 if reader.edge is None else round(reader.edge * reader.reads[0] / view.pixel_mm)
    if not 0 < edge <= MAX_EDGE:
        return "closer than it has learned"
    return f"closer than it has learned, take larger tiles (--tiles {edge})"


def _print_cameras(output: Output, reader: Reader | None) -> None:
    reads = reader.reads if reader else None
    views = {name: View(camera, 1.0) for name, camera in CAMERAS.items()}
    if output.as_json:
        for name, view in views.items():
            output.document({"name": name, **view.to_json(reads)})
        return
    titles = ["name", "camera", "pixels", "pixel from 1 m", "from 10 m"]
    rows = [
        [
            name,
            view.camera.title,
            f"{view.camera.width} x {view.camera.height}",
            _mm(view.pixel_mm),
            _mm(10 * view.pixel_mm),
        ]
        for name, view in views.items()
    ]
    if reads is not None:
        titles.append("read from")
        for row, view in zip(rows, views.values()):
            row.append(f"{view.height_for(reads[0]):.1f} to {view.height_for(reads[1]):.1f} m")
    output.table(titles, rows, right=titles[3:], whole=("name",))


def _mm(length: float) -> str:
    return f"{length:.2f} mm" if length < 1 else f"{length:.1f} mm"


COMMAND = Command(
    "plan",
    "say what can be read from which height",
    add_arguments,
    run,
    examples=(
        "phytobatch plan",
        "phytobatch plan --camera mini-4-pro --height 2.5",
        "phytobatch plan --sensor-width 23.5 --focal 35 --width 6000 --height 5",
    ),
    description=DESCRIPTION,
)
