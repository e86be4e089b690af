"""Parts of the commands that draw on photographs: their options, the look of a job, and where photographs are."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from phytobatch.commands import options
from phytobatch.errors import ConfigurationError
from phytobatch.files.naming import safe_file_name
from phytobatch.reports.overlays.overlay import LONGEST_SIDE, Look, can_draw
from phytobatch.reports.overlays.photograph import LocalPhotographs
from phytobatch.reports.overlays.style import Style
from phytobatch.reports.words import LANGUAGES, Words
from phytobatch.resources import ClassifierRef, Job, Result
from phytobatch.sdk import Phytobatch

Made = TypeVar("Made")

AT_A_TIME = 3  # photographs: each is decoded, and a large one takes a second and 100 MB
SHORTEST, LONGEST = 200, 20_000  # pixels, of a drawing


def drawing_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the job, one image of it, and how it is drawn; ``what`` is what ``--limit`` counts."""
    options.job_argument(parser)
    parser.add_argument("image", metavar="IMAGE", nargs="?", help="number or name of one photograph")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="folder for the pictures (without it: a table)")
    options.photos_option(parser)
    options.limit_option(parser, what)
    parser.add_argument(
        "--longest",
        type=options.Between(SHORTEST, LONGEST),
        default=LONGEST_SIDE,
        metavar="PIXELS",
        help=f"longest side of a picture (default {LONGEST_SIDE})",
    )
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of the words below (default en)")


def check_folder(out: Path) -> None:
    """Make the folder of the pictures.

    Raises:
        ConfigurationError: it cannot be made, or nothing can be drawn.
    """
    if not can_draw():
        raise ConfigurationError("Pictures need Pillow: pip install 'phytobatch[report]'")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be made: {error.strerror or error}.") from error


def look_of(client: Phytobatch, job: Job, arguments: argparse.Namespace) -> Look:
    """Return the look of the job's labels: those of its classifier, so that every photograph has the same."""
    return Look(_style(client, job, arguments.language), Words(arguments.language), arguments.longest)


def _style(client: Phytobatch, job: Job, language: str) -> Style:
    for one in client.classifiers():
        if job.classifier == ClassifierRef(one.name, one.version):
            names = {label.id: label.names.get(language) or label.id.replace("_", " ") for label in one.class_labels}
            return Style.of(names)
    return Style.of({})


def find_result(client: Phytobatch, job: Job, image: str) -> Result:
    """Return the answer of one image, by its number or its name.

    Raises:
        ConfigurationError: there is none.
    """
    for result in client.results(job.id):
        if image in {str(result.seq), result.name}:
            return result
    raise ConfigurationError(f"Job {job.id} has no answer for {image!r}; `phytobatch results {job.id}` lists them.")


@dataclass(frozen=True)
class Originals:
    """The photographs of a job: on this computer, or else from the server. Thread-safe."""

    client: Phytobatch
    job_id: str
    local: LocalPhotographs

    def use(self, result: Result, use: Callable[[Path], Made]) -> Made:
        """Return what ``use`` makes of the file of an image.

        Raises:
            FileUnreadable: it cannot be read, or is another photograph.
            DownloadRefused: the server has it no more.
        """
        local = self.local.find(result.name)
        if local is not None:
            return use(local)
        with tempfile.TemporaryDirectory(prefix="phytobatch-") as folder:
            part = Path(folder, "original")
            self.client.download_image(self.job_id, result.seq, part)
            return use(part)


def write_picture(out: Path, result: Result, picture: bytes) -> Path:
    """Write a picture under the number and the name of its photograph, and return where.

    Raises:
        ConfigurationError: it cannot be written.
    """
    path = out / f"{result.seq:06d}-{Path(safe_file_name(result.name)).stem}.jpg"
    try:
        path.write_bytes(picture)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror or error}.") from error
    return path
