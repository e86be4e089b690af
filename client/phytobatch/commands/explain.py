"""``phytobatch explain``: photographs with what speaks for their labels drawn on them."""

from __future__ import annotations

import argparse
import heapq
from collections.abc import Callable, Sequence
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
from phytobatch.reports.overlays.overlay import Look, explained, explained_tiles
from phytobatch.reports.overlays.photograph import LocalPhotographs
from phytobatch.reports.overlays.style import HEALTHY
from phytobatch.resources import Job, JsonObject, Result
from phytobatch.sdk import Phytobatch
from phytobatch.tiles.answer import ImageTiles, TileExplanation

DESCRIPTION = """\
Draw on photographs what speaks for their labels, from white to violet, with a
line around the strongest part. A job that was sent with --explain has it for
each photograph; without IMAGE the surest diseases are drawn. Of a photograph
in tiles, IMAGE is needed: the server makes it then, for its surest diseased
tiles, or for those of --tile."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    drawing_options(parser, "photographs, or of tiles,")
    parser.add_argument(
        "--tile", type=int, action="append", metavar="N", help="number of a tile, from 0, rows first; repeatable"
    )


@dataclass(frozen=True)
class Explained:
    """A photograph with its picture; ``tiles`` of one in tiles; ``fault`` says why there is no picture."""

    result: Result
    path: Path | None
    tiles: Sequence[TileExplanation] = ()
    fault: str | None = None

    def to_json(self) -> JsonObject:
        """Return it as ``--json`` prints it."""
        result = self.result
        return {
            "seq": result.seq,
            "name": result.name,
            "label": result.label,
            "explanation": result.explanation,
            "tiles": [one.raw for one in self.tiles],
            "picture": str(self.path) if self.path else None,
            "fault": self.fault,
        }


def run(context: Context) -> ExitCode:
    """Find the photographs, have their tiles explained, draw them, and say where they are."""
    arguments, output, client = context.options, context.output, context.client
    if arguments.out is not None:
        check_folder(arguments.out)
    job = client.job(arguments.job)
    chosen = _chosen(client, job, arguments.image, arguments.limit)
    originals = Originals(client, job.id, LocalPhotographs(arguments.photos))
    artist = Artist(originals, look_of(client, job, arguments), arguments.out, arguments.tile, arguments.limit)
    is_whole = True
    for one in in_order(artist.explain, chosen, threads=AT_A_TIME):
        if one.fault is not None:
            is_whole = False
            output.warn(f"{one.result.name}: {one.fault}")
        if output.as_json:
            output.document(one.to_json())
        elif one.fault is None:
            output.text(f"{one.path or one.result.seq}  {one.result.name}  {_words(one)}")
    return ExitCode.OK if is_whole else ExitCode.SOME_IMAGES_FAILED


def _chosen(client: Phytobatch, job: Job, image: str | None, limit: int) -> list[Result]:
    """Return the photographs to draw, the surest diseases first."""
    if image is not None:
        result = find_result(client, job, image)
        if result.explanation is None and result.tiles is None:
            raise ConfigurationError(_why_none(job, result))
        return [result]
    if job.tiling is not None:
        raise ConfigurationError(
            f"Job {job.id} has tiles, and each is explained when it is asked for: name a photograph, as "
            f"`phytobatch explain {job.id} IMAGE`; `phytobatch tiles {job.id}` lists them."
        )
    found = (
        (result.label not in HEALTHY, result.confidence or 0.0, -result.seq, result)
        for result in client.results(job.id)
        if result.explanation is not None
    )
    best = [result for *_, result in heapq.nlargest(limit, found, key=lambda one: one[:3])]
    if not best:
        raise ConfigurationError(_why_none(job, None))
    return best


def _why_none(job: Job, result: Result | None) -> str:
    of = f"Job {job.id}" if result is None else result.name
    if not job.explain:
        return f"{of} has no explanations: send it again with --explain."
    said = next((one["detail"] for one in job.warnings if one["code"] == "no_explanation"), None)
    return f"{of} has no explanation: {said}." if said else f"{of} has no explanation (yet); the job is {job.state}."


class Artist:
    """Draws photographs of one job. Thread-safe."""

    def __init__(
        self, originals: Originals, look: Look, out: Path | None, tiles: Sequence[int] | None, limit: int
    ) -> None:
        self._originals = originals
        self._look = look
        self._out = out
        self._tiles = tiles
        self._limit = limit

    def explain(self, result: Result) -> Explained:
        """Have the tiles of a photograph explained, if it has some, and draw it where there is a folder."""
        client, job_id = self._originals.client, self._originals.job_id
        if result.tiles is None:
            return self._drawn(result, (), lambda path: explained(path, result, self._look))
        tiles = client.tiles(job_id, result.seq)
        numbers = self._tiles or surest_tiles(tiles, self._limit)
        found = list(in_order(lambda tile: client.explain_tile(job_id, result.seq, tile), numbers, threads=AT_A_TIME))
        return self._drawn(result, found, lambda path: explained_tiles(path, result, tiles, found, self._look))

    def _drawn(self, result: Result, found: Sequence[TileExplanation], drawing: Callable[[Path], bytes]) -> Explained:
        if self._out is None:
            return Explained(result, None, found)
        try:
            picture = self._originals.use(result, drawing)
        except (FileUnreadable, DownloadRefused) as error:
            return Explained(result, None, found, f"{error} Say where it is on this computer: --photos FOLDER.")
        return Explained(result, write_picture(self._out, result, picture), found)


def surest_tiles(tiles: ImageTiles, limit: int) -> list[int]:
    """Return the numbers of the tiles that count and show a disease, the surest first."""
    columns = len(tiles.x)
    sick = [
        (tiles.confidence[row][column] or 0.0, -(row * columns + column))
        for row in range(len(tiles.y))
        for column in range(columns)
        if tiles.review[row][column] is None and tiles.labels[row][column] not in (None, *HEALTHY)
    ]
    return [-number for _, number in heapq.nlargest(limit, sick)]


def _words(one: Explained) -> str:
    if one.result.tiles is None:
        return one.result.label or ""
    labels = ", ".join(f"{each.tile} {each.label}" for each in one.tiles)
    return f"tiles: {labels}" if labels else "no tile of it that counts shows a disease"


COMMAND = Command(
    "explain",
    "draw what speaks for the labels on photographs",
    add_arguments,
    run,
    examples=(
        "phytobatch explain JOB --out why",
        "phytobatch explain JOB DJI_0012.JPG --out why --photos ~/flight --language es",
        "phytobatch explain JOB 12 --tile 40 --tile 41 --json",
    ),
    description=DESCRIPTION,
)
