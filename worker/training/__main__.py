"""``python -m worker.training train | evaluate | import-joblib``: make, measure and import classifiers."""

import argparse
import json
import logging
import shlex
import sys
from pathlib import Path

from pydantic import ValidationError

from worker.inference.errors import ClassifierError
from worker.inference.manifest import MANIFEST_FILE, read_manifest, shipped_classifier_dir
from worker.training.errors import TrainingError
from worker.training.fit import Schedule

_DEFAULTS = Schedule()
EXIT_OK = 0
EXIT_UNUSABLE = 1


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 with a sentence when not, 2 for wrong options."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    try:
        options.run(options)
    except (TrainingError, ClassifierError) as error:
        print(error, file=sys.stderr)
        return EXIT_UNUSABLE
    except ValidationError as error:
        print(f"The manifest would not be valid: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    return EXIT_OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m worker.training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands.add_parser("train", help="train the small network on folders of images"))
    _add_evaluate(commands.add_parser("evaluate", help="measure a classifier on folders of images"))
    _add_import(commands.add_parser("import-joblib", help="make a classifier folder of the original model.joblib"))
    return parser


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, action="append", required=True, help="holds one folder per class; may be repeated"
    )
    parser.add_argument("--out", type=Path, required=True, help="the classifier folder to write")
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument(
        "--classes", type=_names, default=(), help="a,b,c in the order of the outputs; default: all folders"
    )
    parser.add_argument("--description", default="")
    parser.add_argument("--image-edge", type=int, default=160, help="pixels")
    parser.add_argument("--epochs", type=int, default=_DEFAULTS.epochs)
    parser.add_argument("--batch-size", type=int, default=_DEFAULTS.batch_size)
    parser.add_argument("--learning-rate", type=float, default=_DEFAULTS.learning_rate)
    parser.add_argument("--patience", type=int, default=_DEFAULTS.patience)
    parser.add_argument("--seed", type=int, default=_DEFAULTS.seed)
    parser.add_argument("--threads", type=int, default=None, help="default: TensorFlow's choice")
    parser.set_defaults(run=_train)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--classifier", type=Path, default=shipped_classifier_dir(), help="default: the shipped one")
    parser.add_argument("--data", type=Path, required=True, help="holds one folder per class")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--record", metavar="NAME", help="write accuracy and recalls into the manifest under this name")
    parser.set_defaults(run=_evaluate)


def _add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="model.joblib; it is opened in a throw-away process")
    parser.add_argument("--out", type=Path, required=True, help="the classifier folder to write")
    parser.add_argument("--name", default="original-cnn")
    parser.add_argument("--version", default="1")
    parser.add_argument(
        "--classes", type=_names, default=("saludable", "powdery", "rush"), help="a,b,c in the order of the outputs"
    )
    parser.add_argument("--timeout-seconds", type=float, default=300.0)
    parser.set_defaults(run=_import)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _train(options: argparse.Namespace) -> None:
    from worker.training.train import TrainingPlan, train

    plan = TrainingPlan(
        data=options.data,
        out=options.out,
        name=options.name,
        version=options.version,
        classes=options.classes,
        image_edge=options.image_edge,
        description=options.description,
        command="python -m worker.training " + shlex.join(sys.argv[1:]),
        threads=options.threads,
        schedule=Schedule(options.epochs, options.batch_size, options.learning_rate, options.patience, options.seed),
    )
    print(json.dumps(train(plan).metrics))


def _evaluate(options: argparse.Namespace) -> None:
    from worker.inference.keras_classifier import KerasClassifier
    from worker.training.evaluate import evaluate

    classifier = KerasClassifier(options.classifier, batch_size=options.batch_size)
    classifier.warm_up()
    result = evaluate(classifier, options.data)
    print(f"accuracy {result.accuracy:.4f} on {result.total} images, {result.needs_review} below the review threshold")
    print(result.table())
    for sentence in result.errors:
        print(f"unreadable: {sentence}", file=sys.stderr)
    if options.record:
        _record(options.classifier, result.metrics(options.record))


def _record(folder: Path, metrics: dict[str, float]) -> None:
    manifest = read_manifest(folder)
    manifest = manifest.model_copy(update={"metrics": manifest.metrics | metrics})
    text = json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST_FILE).write_text(text, encoding="utf-8")


def _import(options: argparse.Namespace) -> None:
    from worker.training.import_joblib import import_joblib

    manifest = import_joblib(
        options.file,
        options.out,
        name=options.name,
        version=options.version,
        classes=options.classes,
        timeout_seconds=options.timeout_seconds,
    )
    print(f"{options.out}: {manifest.name} {manifest.version}, classes {', '.join(manifest.labels)}")


if __name__ == "__main__":
    raise SystemExit(main())
