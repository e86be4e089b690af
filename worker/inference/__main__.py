"""``python -m worker.inference PHOTO...``: classify files and folders here and now, without any service.

Exit status: 0 every file was classified, 3 some were not, 2 the options make no sense.
"""

import argparse
import io
import os
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from shared.contracts.manifest import Manifest, Runtime
from shared.contracts.states import ImageErrorCode, ImageStatus
from shared.contracts.tiling import SHORT_FORM_WORDS, OnCoarse
from shared.usage import description_of
from worker.inference.classifier import Classifier
from worker.inference.command.lines import HEADING, TILED_HEADING, Writer, json_line, table_line, tiled_line
from worker.inference.command.pictures import NoMap, Pictures, check_map
from worker.inference.command.plans import Asked, FilePlanner, NoTiles, read_resolution, read_tiling
from worker.inference.errors import ClassifierError, ImageError
from worker.inference.files import image_files
from worker.inference.manifest import read_manifest, shipped_classifier_dir
from worker.inference.pipeline import Item, Outcome, Pipeline
from worker.inference.runtime import open_classifier

EXIT_ALL = 0
EXIT_USAGE = 2
EXIT_SOME = 3
DOWNLOAD_THREADS = 2
BYTES_IN_FLIGHT = 256 * 1024 * 1024
EXPLAIN = "draw what speaks for each label on its photograph, or on its diseased tiles, into this folder"
SHEET = "the same in one picture (.png or .jpg), each photograph beside itself as it is"
COARSE = "what becomes of photographs that are coarser than the classifier has learned (default: skip)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Classify and print; return the exit status."""
    for stream in (sys.stdout, sys.stderr):  # A file name that their encoding lacks is shown escaped.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _options(arguments)
    try:
        files = _files(options.photos)
        manifest = read_manifest(options.classifier)  # Before TensorFlow, which takes ten seconds to import.
        planner = None if options.tiles is None else FilePlanner(_asked(options), manifest)
        pictures = _pictures(options, manifest)
        return _classify(files, options, planner, pictures)
    except (_UsageError, NoTiles, NoMap, ClassifierError) as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    except BrokenPipeError:  # The reader of the table (head, less) has left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_SOME


class _UsageError(Exception):
    """A sentence for the person at the keyboard."""


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m worker.inference", description=description_of(__doc__))
    parser.add_argument("photos", metavar="PHOTO", nargs="+", type=Path, help="a file, or a folder of them")
    parser.add_argument("--classifier", type=Path, default=shipped_classifier_dir(), help="default: the shipped one")
    parser.add_argument("--json", action="store_true", help="one JSON object for each file, on a line of its own")
    parser.add_argument("--runtime", type=Runtime, choices=list(Runtime), default=Runtime.AUTO)
    parser.add_argument("--batch-size", type=_positive, default=32, help="images in one call of the model")
    parser.add_argument("--tiles", metavar="EDGE", type=read_tiling, help=f"answer in tiles: {SHORT_FORM_WORDS}")
    parser.add_argument("--on-coarse", type=OnCoarse, choices=list(OnCoarse), default=OnCoarse.SKIP, help=COARSE)
    parser.add_argument("--ground-resolution", metavar="MM", type=read_resolution, help="millimetres in one pixel")
    parser.add_argument("--explain", metavar="DIR", type=Path, help=EXPLAIN)
    parser.add_argument("--sheet", metavar="FILE", type=Path, help=SHEET)
    return parser.parse_args(arguments)


def _pictures(options: argparse.Namespace, manifest: Manifest) -> Pictures | None:
    """Return whoever draws, if anything is to be drawn."""
    folder: Path | None = options.explain
    if folder is None and options.sheet is None:
        return None
    check_map(manifest)
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _UsageError(f"{folder} cannot be made ({error.strerror}).") from error
    return Pictures(folder, options.sheet, manifest)


def _asked(options: argparse.Namespace) -> Asked:
    return Asked(options.tiles, options.on_coarse, options.ground_resolution)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _files(photos: Sequence[Path]) -> list[Path]:
    for path in photos:
        if not path.exists():
            raise _UsageError(f"There is no file or folder {path}.")
    files = [file for path in photos for file in image_files(path)]
    if not files:
        raise _UsageError("There are no images (JPEG, PNG, TIFF, WebP, BMP) in what you named.")
    return files


def _classify(
    files: Sequence[Path], options: argparse.Namespace, planner: FilePlanner | None, pictures: Pictures | None
) -> int:
    size = options.batch_size if planner else min(options.batch_size, len(files))
    classifier = open_classifier(options.classifier, batch_size=size, runtime=options.runtime)
    classifier.warm_up()
    if not options.json:
        print(TILED_HEADING if planner else HEADING)
    write = _writer(classifier, options)
    failed = 0
    for outcome in _outcomes(classifier, files, planner, explain=pictures is not None):
        failed += outcome.status is ImageStatus.FAILED
        print(write(str(files[outcome.seq]), outcome), flush=True)
        if pictures is not None:
            pictures.draw(files[outcome.seq], outcome)
    if pictures is not None:
        pictures.finish()
    if not options.json:
        print(f"{len(files) - failed} of {len(files)} classified by {_title(classifier)}")
    return EXIT_SOME if failed else EXIT_ALL


def _writer(classifier: Classifier, options: argparse.Namespace) -> Writer:
    if options.json:
        return partial(json_line, labels=classifier.manifest.labels)
    return tiled_line if options.tiles else table_line


def _outcomes(
    classifier: Classifier, files: Sequence[Path], planner: FilePlanner | None, *, explain: bool
) -> Iterator[Outcome]:
    """Yield the outcomes in the order of the files."""
    if planner is None:
        planned: list[Item | Outcome] = [Item(seq, str(path), path.stat().st_size) for seq, path in enumerate(files)]
    else:
        planned = [planner.plan(seq, path) for seq, path in enumerate(files)]
    known = (each for each in planned if isinstance(each, Outcome))
    items = [each for each in planned if isinstance(each, Item)]
    with Pipeline(
        classifier,
        batch_size=classifier.batch_size,
        download_threads=DOWNLOAD_THREADS,
        decode_threads=os.cpu_count() or 1,
        bytes_in_flight=BYTES_IN_FLIGHT,
    ) as pipeline:
        yield from in_order(chain(known, pipeline.run(items, _read, explain=explain)))


def in_order(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """Yield outcomes in the order in which the files were named, each as soon as those before it are known."""
    waiting: dict[int, Outcome] = {}
    following = 0
    for outcome in outcomes:
        waiting[outcome.seq] = outcome
        while following in waiting:
            yield waiting.pop(following)
            following += 1


def _read(item: Item) -> bytes:
    try:
        return Path(item.name).read_bytes()
    except OSError as error:
        detail = f"The file cannot be read ({error.strerror})."
        raise ImageError(ImageErrorCode.OBJECT_MISSING, detail) from error


def _title(classifier: Classifier) -> str:
    return f"{classifier.manifest.name} {classifier.manifest.version}"


if __name__ == "__main__":
    raise SystemExit(main())
