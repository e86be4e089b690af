"""``python -m worker.training train | evaluate | export | import-joblib``: make, measure and import classifiers."""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from shared.contracts.manifest import Runtime
from shared.usage import description_of
from worker.inference.errors import ClassifierError
from worker.inference.files import image_files
from worker.inference.manifest import read_manifest, shipped_classifier_dir
from worker.training.crops import read_crops
from worker.training.errors import TrainingError
from worker.training.plan import MIN_STEPS, NOT_A_LEAF_FOLDER, OTHER_SYMPTOM_FOLDER, Schedule, TrainingPlan
from worker.training.progress import configure_logging

_DEFAULTS = Schedule()
EXIT_OK = 0
EXIT_UNUSABLE = 1


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return 0 on success, 1 with a sentence on failure, 2 for wrong options."""
    options = _parser().parse_args(arguments)
    configure_logging()
    try:
        options.run(options)
    except (TrainingError, ClassifierError) as error:
        print(error, file=sys.stderr)
        return EXIT_UNUSABLE
    except OSError as error:
        print(f"{error.filename or 'A file'}: {error.strerror or error}.", file=sys.stderr)
        return EXIT_UNUSABLE
    except ValidationError as error:
        print(f"The manifest would not be valid: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    return EXIT_OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m worker.training", description=description_of(__doc__))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands.add_parser("train", help="train a classifier on folders of images"))
    _add_evaluate(commands.add_parser("evaluate", help="measure a classifier on folders of images"))
    _add_export(commands.add_parser("export", help="write the ONNX files of a classifier folder"))
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
    parser.add_argument("--labels", type=Path, help="JSON with names in several languages and EPPO codes of classes")
    parser.add_argument(
        "--other-symptom", default=OTHER_SYMPTOM_FOLDER, help="folder of leaves with something else (%(default)s)"
    )
    parser.add_argument(
        "--not-a-leaf", default=NOT_A_LEAF_FOLDER, help="folder of pictures that show no leaf (%(default)s)"
    )
    parser.add_argument(
        "--backbone", type=Path, help=".keras file of features; default: that of the shipped classifier"
    )
    parser.add_argument(
        "--trainable-from", default=_DEFAULTS.trainable_from, help="first layer that learns (%(default)s)"
    )
    parser.add_argument(
        "--crops", type=Path, help="JSON with crops, their terms, and the folders of --data that hold their pictures"
    )
    parser.add_argument(
        "--grounds", type=Path, action="append", default=[], help="folder of photographs without a leaf; backgrounds"
    )
    parser.add_argument("--notes", type=Path, help="Markdown for the model card: data, terms, known weaknesses")
    parser.add_argument("--description", default="")
    parser.add_argument(
        "--epochs", type=int, help=f"default: {_DEFAULTS.epochs}, and more for fewer than about 650 pictures"
    )
    parser.add_argument("--batch-size", type=int, default=_DEFAULTS.batch_size)
    parser.add_argument("--learning-rate", type=float, default=_DEFAULTS.learning_rate)
    parser.add_argument("--seed", type=int, default=_DEFAULTS.seed)
    parser.add_argument("--threads", type=int, default=None, help="default: TensorFlow's choice")
    parser.set_defaults(run=_train)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--classifier", type=Path, default=shipped_classifier_dir(), help="default: the shipped one")
    parser.add_argument("--data", type=Path, required=True, help="holds one folder per class")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--runtime", type=Runtime, choices=list(Runtime), default=Runtime.AUTO)
    parser.add_argument("--figures", type=Path, help="folder for confusion.png and reliability.png")
    parser.add_argument("--record", metavar="NAME", help="write the figures into the manifest under this name")
    parser.set_defaults(run=_evaluate)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("classifier", type=Path, help="a classifier folder")
    parser.add_argument(
        "--data", type=Path, action="append", required=True, help="real images to compare on; may be repeated"
    )
    parser.add_argument(
        "--int8",
        action="store_true",
        help="write model.int8.onnx from model.onnx; --data then holds one folder per class, of images that the "
        "training did not see",
    )
    parser.add_argument(
        "--calibrate", type=Path, action="append", help="with --int8: images to take ranges from; default: --data"
    )
    parser.set_defaults(run=_export)


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
    from worker.training.labels import read_labels
    from worker.training.train import train

    chosen = {"backbone": options.backbone} if options.backbone else {}
    plan = TrainingPlan(
        data=options.data,
        out=options.out,
        name=options.name,
        version=options.version,
        classes=options.classes,
        labels=read_labels(options.labels) if options.labels else {},
        other_symptom=options.other_symptom,
        not_a_leaf=options.not_a_leaf,
        crops=read_crops(options.crops) if options.crops else (),
        grounds=options.grounds,
        description=options.description,
        notes=_text(options.notes),
        command="python -m worker.training " + shlex.join(sys.argv[1:]),
        threads=options.threads,
        schedule=Schedule(
            options.epochs or _DEFAULTS.epochs,
            options.batch_size,
            options.learning_rate,
            options.trainable_from,
            options.seed,
        ),
        min_steps=0 if options.epochs else MIN_STEPS,
        **chosen,
    )
    print(json.dumps(train(plan).metrics))


def _text(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} cannot be read: {error}.") from error


def _evaluate(options: argparse.Namespace) -> None:
    from worker.inference.runtime import open_classifier
    from worker.training.evaluate import evaluate
    from worker.training.figures import draw

    classifier = open_classifier(options.classifier, batch_size=options.batch_size, runtime=options.runtime)
    classifier.warm_up()
    result = evaluate(classifier, options.data)
    answers = result.answers
    print(
        f"accuracy {answers.accuracy:.4f} on {answers.total} images, expected calibration error "
        f"{answers.calibration_error:.4f}, {int(answers.review.sum())} ask for a person ({classifier.runtime})"
    )
    print(answers.table())
    for sentence in result.errors:
        print(f"unreadable: {sentence}", file=sys.stderr)
    if options.figures:
        options.figures.mkdir(parents=True, exist_ok=True)
        draw(answers, options.figures)
    if options.record:
        _record(options.classifier, answers.metrics(options.record))


def _record(folder: Path, metrics: dict[str, float]) -> None:
    from worker.training.write import write_manifest

    manifest = read_manifest(folder)
    write_manifest(folder, manifest.model_copy(update={"metrics": manifest.metrics | metrics}))


def _export(options: argparse.Namespace) -> None:
    if options.int8:
        from worker.training.int8 import export_int8

        manifest, agreement = export_int8(options.classifier, options.data, _images(options.calibrate or options.data))
        print(f"{manifest.name} {manifest.version} in bytes: {agreement}")
        return
    from worker.training.export import export

    manifest, difference = export(options.classifier, _images(options.data))
    print(f"{manifest.name} {manifest.version}: ONNX Runtime differs from TensorFlow by {difference:.2g} at most")


def _images(folders: Sequence[Path]) -> list[Path]:
    return [path for folder in folders for path in image_files(folder)]


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
