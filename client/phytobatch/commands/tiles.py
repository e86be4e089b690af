"""``phytobatch tiles``: photographs with the answers of their tiles drawn on them."""

from __future__ import annotations

import argparse
import heapq
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.errors import ConfigurationError, DownloadRefused, FileUnreadable
from phytobatch.exit_codes import ExitCode
from phytobatch.files.hashing import in_order
from phytobatch.files.naming import safe_file_name
from phytobatch.reports.overlays.legend import sentence
from phytobatch.reports.overlays.overlay import LONGEST_SIDE, Look, can_draw, overlay
from phytobatch.reports.overlays.photograph import LocalPhotographs
from phytobatch.reports.overlays.style import HEALTHY, Style
from phytobatch.reports.words import LANGUAGES, Words
from phytobatch.resources import ClassifierRef, Job, JsonObject, Result, TileSums
from phytobatch.sdk import Phytobatch
from phytobatch.tiles.answer import ImageTiles, sums_of
from phytobatch.words import plural

AT_A_TIME = 3  # photographs: each is decoded, and a large one takes a second and 100 MB
SHORTEST, LONGEST = 200, 20_000  # pixels, of a drawing
DESCRIPTION = """\
Draw the answers of tiles on photographs: a thick border and a name for a
disease, a thin one for healthy, hatching where a person should look, nothing
where nothing was classified. Without IMAGE: those with the largest diseased
part. The photographs come from the server, or from --photos on this computer."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.job_argument(parser)
    parser.add_argument("image", metavar="IMAGE", nargs="?", help="number or name of one photograph")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="folder for the pictures (without it: a table)")
    parser.add_argument(
        "--photos",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="where the files are; repeatable",
    )
    options.limit_option(parser, "photographs")
    parser.add_argument(
        "--longest",
        type=options.Between(SHORTEST, LONGEST),
        default=LONGEST_SIDE,
        metavar="PIXELS",
        help=f"longest side of a picture (default {LONGEST_SIDE})",
    )
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of the words below (default en)")


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
        _check(arguments.out)
    job = context.client.job(arguments.job)
    found, more = _chosen(context.client, job, arguments.image, arguments.limit)
    look = Look(_style(context.client, job, arguments.language), Words(arguments.language), arguments.longest)
    if arguments.out is None and not output.as_json:
        _print(context, found, look)
    else:
        artist = Artist(context.client, job.id, look, arguments.out, LocalPhotographs(arguments.photos))
        if not _draw(context, artist, found, look):
            return ExitCode.SOME_IMAGES_FAILED
    if more:
        output.note(f"{plural(more, 'photograph')} more with tiles: --limit {len(found) + more}")
    return ExitCode.OK


def _check(out: Path) -> None:
    if not can_draw():
        raise ConfigurationError("Pictures need Pillow: pip install 'phytobatch[report]'")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be made: {error.strerror or error}.") from error


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
    for result in client.results(job.id):
        if image in {str(result.seq), result.name}:
            if result.tiles is None:
                raise ConfigurationError(f"{result.name} has no tiles: it is {result.status}, or was answered whole.")
            return result
    raise ConfigurationError(f"Job {job.id} has no answer for {image!r}; `phytobatch results {job.id}` lists them.")


def _no_tiles(job: Job) -> str:
    if job.tiling is None:
        return f"Job {job.id} answered whole photographs. Send them with --tiles to get tiles."
    return f"Job {job.id} has no answer in tiles yet; it is {job.state}."


def _style(client: Phytobatch, job: Job, language: str) -> Style:
    """Return the look of the job's labels: those of its classifier, so that every photograph has the same."""
    for one in client.classifiers():
        if job.classifier == ClassifierRef(one.name, one.version):
            names = {label.id: label.names.get(language) or label.id.replace("_", " ") for label in one.class_labels}
            return Style.of(names)
    return Style.of({})


class Artist:
    """Draws photographs of one job into a folder. Thread-safe."""

    def __init__(self, client: Phytobatch, job_id: str, look: Look, out: Path | None, local: LocalPhotographs) -> None:
        self._client = client
        self._job_id = job_id
        self._look = look
        self._out = out
        self._local = local

    def draw(self, result: Result) -> Drawn:
        """Bring the map, and draw it where there is a folder."""
        tiles = self._client.tiles(self._job_id, result.seq)
        if self._out is None:
            return Drawn(result, tiles, None)
        try:
            picture = self._picture(result, tiles)
        except (FileUnreadable, DownloadRefused) as error:
            return Drawn(result, tiles, None, f"{error} Say where it is on this computer: --photos FOLDER.")
        path = self._out / f"{result.seq:06d}-{Path(safe_file_name(result.name)).stem}.jpg"
        try:
            path.write_bytes(picture)
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be written: {error.strerror or error}.") from error
        return Drawn(result, tiles, path)

    def _picture(self, result: Result, tiles: ImageTiles) -> bytes:
        sha256 = result.provenance.sha256 if result.provenance else None
        local = self._local.find(result.name, sha256)
        if local is not None:
            return overlay(local, result, tiles, self._look)
        with tempfile.TemporaryDirectory(prefix="phytobatch-") as folder:
            part = Path(folder, "original")
            self._client.download_image(self._job_id, result.seq, part)
            return overlay(part, result, tiles, self._look)


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
