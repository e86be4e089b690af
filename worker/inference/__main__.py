"""``python -m worker.inference PHOTO...``: classify files and folders here and now, without any service.

Exit status: 0 every file was classified, 3 some were not, 2 the options make no sense.
"""

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from shared.contracts.manifest import Runtime
from shared.contracts.states import ImageErrorCode
from shared.usage import description_of
from worker.inference.classifier import Classifier
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

Writer = Callable[[str, Outcome], str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Classify and print; return the exit status."""
    for stream in (sys.stdout, sys.stderr):  # A file name that their encoding lacks is shown escaped.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _options(arguments)
    try:
        files = _files(options.photos)
        read_manifest(options.classifier)  # Before TensorFlow, which takes ten seconds to import.
        return _classify(files, options)
    except (_UsageError, ClassifierError) as error:
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
    return parser.parse_args(arguments)


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


def _classify(files: Sequence[Path], options: argparse.Namespace) -> int:
    size = min(options.batch_size, len(files))
    classifier = open_classifier(options.classifier, batch_size=size, runtime=options.runtime)
    classifier.warm_up()
    write = _json_line if options.json else _table_line
    if not options.json:
        print(f"{'label':<20} {'confidence':>10}  file")
    failed = 0
    items = [Item(seq, str(path), path.stat().st_size) for seq, path in enumerate(files)]
    with Pipeline(
        classifier,
        batch_size=classifier.batch_size,
        download_threads=DOWNLOAD_THREADS,
        decode_threads=os.cpu_count() or 1,
        bytes_in_flight=BYTES_IN_FLIGHT,
    ) as pipeline:
        for outcome in in_order(pipeline.run(items, _read)):
            failed += outcome.interpretation is None
            print(write(items[outcome.seq].name, outcome), flush=True)
    if not options.json:
        print(f"{len(files) - failed} of {len(files)} classified by {_title(classifier)}")
    return EXIT_SOME if failed else EXIT_ALL


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


def _place(outcome: Outcome) -> dict[str, object] | None:
    if outcome.place is None:
        return None
    place = asdict(outcome.place)
    taken = outcome.place.captured_at
    return place | {"captured_at": None if taken is None else taken.isoformat()}


def _json_line(name: str, outcome: Outcome) -> str:
    answer = outcome.interpretation
    error = outcome.error
    return json.dumps(  # ASCII: it stays JSON in every encoding of a terminal
        {
            "file": name,
            "status": outcome.status,
            "label": answer.label if answer else None,
            "confidence": answer.confidence if answer else None,
            "probabilities": answer.probabilities if answer else None,
            "needs_review": answer.needs_review if answer else None,
            "review_reason": answer.review_reason if answer else None,
            "error": {"code": error.code, "detail": error.detail} if error else None,
            "place": _place(outcome),
        },
    )


def _table_line(name: str, outcome: Outcome) -> str:
    answer = outcome.interpretation
    if answer is None:
        reason = outcome.error.detail if outcome.error else ""
        return f"{'-':<20} {'':>10}  {name}: {reason}"
    review = f"  (please look yourself: {answer.review_reason})" if answer.needs_review else ""
    return f"{answer.label:<20} {answer.confidence:>10.1%}  {name}{review}"


if __name__ == "__main__":
    raise SystemExit(main())
