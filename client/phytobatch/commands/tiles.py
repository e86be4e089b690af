"""``phytobatch tiles``: photographs with the answers of their tiles drawn on them."""

from __future__ import annotations

import argparse
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from phytobatch.commands.command import Command, Context
from phytobatch.commands.drawing import (
    AT_A_TIME,
    Originals,
    check_folder,
    drawing_options,
    find_result,
    look_of,
    write_picture,
)
from phytobatch.errors import ConfigurationError, DownloadRefused, FileUnreadable
from phytobatch.exit_codes import ExitCode
from phytobatch.files.hashing import in_order
from phytobatch.reports.overlays.legend import sentence
from phytobatch.reports.overlays.overlay import Look, overlay
from phytobatch.reports.overlays.photograph import LocalPhotographs
from phytobatch.reports.overlays.style import HEALTHY
from phytobatch.resources import Job, JsonObject, Result, TileSums
from phytobatch.sdk import Phytobatch
from phytobatch.tiles.answer import ImageTiles, sums_of
from phytobatch.words import plural

DESCRIPTION = """\
Draw the answers of tiles on photographs: a thick border and a name for a
disease, a thin one for healthy, hatching where a person should look, nothing
where nothing was classified. Without IMAGE: those with the largest diseased
part. The photographs come from the server, or from --photos on this computer."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    drawing_options(parser, "photographs")


@dataclass(frozen=True)
class Drawn:
    """A photograph with its map and its picture; ``fault`` says why there is none."""

    result: Result
    tiles: ImageTiles
    path: Path | None
    fault: str | None = None

    def to_json(self) -> JsonObject:
        """Return it as ``--json`` prints it."""
        result = self.result
        return {
            "seq": result.seq,
            "name": result.name,
            "label": result.label,
            "review_reason": result.review_reason,
            "picture": str(self.path) if self.path else None,
            "fault": self.fault,
            "map": self.tiles.raw,
        }


def run(context: Context) -> ExitCode:
    """Find the photographs, draw them, and say where they are."""
    arguments, output = context.options, context.output
    if arguments.out is not None:
        check_folder(arguments.out)
    job = context.client.job(arguments.job)
    found, more = _chosen(context.client, job, arguments.image, arguments.limit)
    look = look_of(context.client, job, arguments)
    if arguments.out is None and not output.as_json:
        _print(context, found, look)
    else:
        originals = Originals(context.client, job.id, LocalPhotographs(arguments.photos))
        artist = Artist(originals, look, arguments.out)
        if not _draw(context, artist, found, look):
            return ExitCode.SOME_IMAGES_FAILED
    if more:
        output.note(f"{plural(more, 'photograph')} more with tiles: --limit {len(found) + more}")
    return ExitCode.OK


def _chosen(client: Phytobatch, job: Job, image: str | None, limit: int) -> tuple[list[Result], int]:
    """Return the photographs to show, those with the largest diseased part first, and the number of the others."""
    if image is not None:
        return [_one(client, job, image)], 0
    number = 0

    def tiled() -> Iterator[tuple[float, int, Result]]:
        nonlocal number
        for result in client.results(job.id):
            counts = result.tiles
            if counts is not None:
                number += 1
                yield counts.diseased_share(HEALTHY), -result.seq, result

    worst = [result for _, _, result in heapq.nlargest(limit, tiled(), key=lambda one: one[:2])]
    if not worst:
        raise ConfigurationError(_no_tiles(job))
    return worst, number - len(worst)


def _one(client: Phytobatch, job: Job, image: str) -> Result:
    result = find_result(client, job, image)
    if result.tiles is None:
        raise ConfigurationError(f"{result.name} has no tiles: it is {result.status}, or was answered whole.")
    return result


def _no_tiles(job: Job) -> str:
    if job.tiling is None:
        return f"Job {job.id} answered whole photographs. Send them with --tiles to get tiles."
    return f"Job {job.id} has no answer in tiles yet; it is {job.state}."


class Artist:
    """Draws photographs of one job into a folder. Thread-safe."""

    def __init__(self, originals: Originals, look: Look, out: Path | None) -> None:
        self._originals = originals
        self._look = look
        self._out = out

    def draw(self, result: Result) -> Drawn:
        """Bring the map, and draw it where there is a folder."""
        tiles = self._originals.client.tiles(self._originals.job_id, result.seq)
        if self._out is None:
            return Drawn(result, tiles, None)
        try:
            picture = self._originals.use(result, lambda path: overlay(path, result, tiles, self._look))
        except (FileUnreadable, DownloadRefused) as error:
            return Drawn(result, tiles, None, f"{error} Say where it is on this computer: --photos FOLDER.")
        return Drawn(result, tiles, write_picture(self._out, result, picture))


def _draw(context: Context, artist: Artist, found: Sequence[Result], look: Look) -> bool:
    """Draw and report one after another; return whether every photograph has its picture."""
    is_whole = True
    for drawn in in_order(artist.draw, found, threads=AT_A_TIME):
        if drawn.fault is not None:
            is_whole = False
            context.output.warn(f"{drawn.result.name}: {drawn.fault}")
        if context.output.as_json:
            context.output.document(drawn.to_json())
        elif drawn.path is not None:
            context.output.text(f"{drawn.path}  {_answer(drawn.result, sums_of(drawn.tiles), look)}")
    return is_whole


def _print(context: Context, found: Sequence[Result], look: Look) -> None:
    rows = []
    for result in found:
        counts = result.tiles
        if counts is not None:
            rows.append((f"{result.seq:,}", result.name, f"{counts.total:,}", _answer(result, counts, look)))
    context.output.table(("seq", "photograph", "tiles", "answer"), rows, right=("seq", "tiles"))


def _answer(result: Result, counts: TileSums, look: Look) -> str:
    return sentence(result.label, result.review_reason, counts, look.style, look.words)


COMMAND = Command(
    "tiles",
    "draw the answers of tiles on photographs",
    add_arguments,
    run,
    examples=(
        "phytobatch tiles JOB",
        "phytobatch tiles JOB --out overlays",
        "phytobatch tiles JOB DJI_0012.JPG --out . --photos ~/flight --language es",
        "phytobatch tiles JOB 12 --json | jq .map.labels",
    ),
    description=DESCRIPTION,
)
