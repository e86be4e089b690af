"""``phytobatch corrections sample``: bring tiles as pictures that a person sorts into folders."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from phytobatch.commands import options
from phytobatch.commands.command import Command, Context
from phytobatch.commands.drawing import AT_A_TIME, Originals
from phytobatch.corrections.cutting import check_can_cut, cut
from phytobatch.corrections.folder import path_of
from phytobatch.corrections.resources import Correction
from phytobatch.corrections.sorting import chosen_tiles, read_sorted
from phytobatch.errors import ConfigurationError, DownloadRefused, FileUnreadable
from phytobatch.exit_codes import ExitCode
from phytobatch.files.hashing import in_order
from phytobatch.reports.overlays.photograph import LocalPhotographs
from phytobatch.resources import Result
from phytobatch.sdk import Phytobatch
from phytobatch.words import plural

MAX_PICTURES = 100_000
DESCRIPTION = """\
Cut tiles, chosen by chance from all photographs of a job, out of the originals
(needs Pillow: the extra `report`). Look at them, make a folder inside FOLDER
for each label (healthy, rust, ...; not_a_leaf for soil and paths), move each
picture into one, leave those that you cannot tell where they are, and let
`phytobatch corrections import JOB FOLDER` read it. Tiles that have a correction
already are not asked for again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    options.job_argument(parser)
    parser.add_argument("--out", type=Path, metavar="FOLDER", required=True, help="folder for the pictures")
    parser.add_argument(
        "--number", type=options.Between(1, MAX_PICTURES), default=300, metavar="N", help="how many tiles (default 300)"
    )
    options.photos_option(parser)
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="another number chooses other tiles (default 1)"
    )


@dataclass(frozen=True)
class Cutter:
    """Cuts tiles of a job's photographs into a folder. Thread-safe."""

    client: Phytobatch
    job_id: str
    out: Path
    local: LocalPhotographs
    tiles: Mapping[int, Sequence[int]] = field(default_factory=dict)

    def cut(self, result: Result) -> tuple[Result, int, str | None]:
        """Cut what is missing of one photograph; return it, the number of pictures, and a fault if there is one."""
        found = self.client.tiles(self.job_id, result.seq)
        boxes = {self._target(result, tile): found.box(tile) for tile in self.tiles[result.seq]}
        missing = {path: box for path, box in boxes.items() if not path.exists()}
        try:
            if missing:
                Originals(self.client, self.job_id, self.local).use(result, lambda path: cut(path, missing))
        except (FileUnreadable, DownloadRefused) as error:
            return result, 0, f"{error} Say where it is on this computer: --photos FOLDER."
        return result, len(missing), None

    def _target(self, result: Result, tile: int) -> Path:
        """Return where a tile waits to be sorted: its path in a training folder, without the folder of a label."""
        return self.out / path_of(self.job_id, Correction(result.seq, result.name, "tile", tile=tile), self.out).name


def run(context: Context) -> ExitCode:
    """Choose, cut, and say what to do with the pictures."""
    given, client, output = context.options, context.client, context.output
    check_can_cut()
    job = client.job(given.job)
    results = {result.seq: result for result in client.results(job.id) if result.tiles is not None}
    if not results:
        raise ConfigurationError(f"Job {job.id} has no photographs in tiles: send them with --tiles.")
    said = {(one.seq, one.tile) for one in client.corrections.list(job.id)}
    said |= read_sorted(job.id, given.out).labels.keys()
    totals = {seq: result.tiles.total for seq, result in sorted(results.items()) if result.tiles is not None}
    chosen = chosen_tiles(totals, given.number, without=said, seed=given.seed)
    try:
        given.out.mkdir(parents=True, exist_ok=True)
        cutter = Cutter(client, job.id, given.out, LocalPhotographs(given.photos), chosen)
        done = list(in_order(cutter.cut, [results[seq] for seq in chosen], threads=AT_A_TIME))
    except OSError as error:
        raise ConfigurationError(f"{given.out} cannot be written to: {error.strerror or error}.") from error
    faults = [(result, fault) for result, _, fault in done if fault is not None]
    for result, fault in faults:
        output.warn(f"{result.name}: {fault}")
    new = sum(count for _, count, _ in done)
    if output.as_json:
        output.document({"folder": str(given.out), "new": new, "unreadable": [result.name for result, _ in faults]})
    else:
        output.text(f"{plural(new, 'tile')} in {given.out}")
        output.note(f"sort them into folders, then: phytobatch corrections import {job.id} {given.out}")
    return ExitCode.SOME_IMAGES_FAILED if faults else ExitCode.OK


COMMAND = Command(
    "sample",
    "bring tiles as pictures, to be sorted into folders",
    add_arguments,
    run,
    description=DESCRIPTION,
    examples=("phytobatch corrections sample JOB --out to-sort --number 300 --photos ~/flight",),
)
