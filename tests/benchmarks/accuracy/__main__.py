"""Train what is not there yet, and print the tables.

python -m tests.benchmarks.accuracy --data ../shared/data --work .data/accuracy
"""

import argparse
import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.accuracy.data import Data, read
from tests.benchmarks.accuracy.folds import FOLDS
from tests.benchmarks.accuracy.tables import print_crops, print_left_out, print_versions
from tests.benchmarks.accuracy.trainings import Trainings
from tests.benchmarks.accuracy.versions import Version, in_folds, leaf_one
from tests.benchmarks.served import print_served
from worker.inference.keras_classifier import import_tensorflow
from worker.training.plan import Schedule

RECIPE = "recipe"
STATED = "stated"


def main() -> None:
    """Print the tables that were asked for; all of them by default."""
    options = _options()
    import_tensorflow()
    schedule = Schedule()
    if options.epochs is not None:
        schedule = dataclasses.replace(schedule, epochs=options.epochs)
    options.work.mkdir(parents=True, exist_ok=True)
    data = read(options.data, options.work, limit=options.limit)
    trainings = Trainings(data, options.data, options.work, schedule, kept_only=options.kept)
    begin = time.monotonic()
    for name, table in _tables(options, trainings).items():
        if name in (options.only or TABLES):
            print(f"\n# {name}", flush=True)
            table()
            print(f"({name}: {(time.monotonic() - begin) / 60:.1f} minutes since the start)", flush=True)


TABLES = ("served", "sources", "groups", "folds", "left-out")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument(
        "--work",
        type=Path,
        default=Path(".data/accuracy"),
        help="where pixels and numbers are kept; another recipe needs another folder (%(default)s)",
    )
    parser.add_argument("--only", nargs="+", choices=TABLES, help="tables; default: all")
    parser.add_argument("--folds", nargs="+", type=int, choices=range(FOLDS), default=list(range(FOLDS)))
    parser.add_argument("--versions", nargs="+", choices=VERSIONS, default=list(VERSIONS))
    parser.add_argument("--crops", nargs="+", help="to leave out; default: all, one after another")
    parser.add_argument("--kept", action="store_true", help="train nothing: print what is kept")
    parser.add_argument("--epochs", type=int, help="of every training, for a trial; default: those of the recipe")
    parser.add_argument("--limit", type=int, help="pictures of each set and class, for a trial; default: all")
    return parser.parse_args()


def _tables(options: argparse.Namespace, trainings: Trainings) -> dict[str, Callable[[], None]]:
    data = trainings.data
    return {
        "served": lambda: print_served(options.data),
        "sources": lambda: print(data.sets.table()),
        "groups": lambda: print(data.groups.table([data.sets.crop_ids[number] for number in data.crop])),
        "folds": lambda: _print_folds(trainings, options.versions, options.folds),
        "left-out": lambda: print_left_out(trainings, options.crops or data.sets.crop_ids),
    }


def _print_folds(trainings: Trainings, names: Sequence[str], folds: Sequence[int]) -> None:
    data = trainings.data
    found = [version for name in names if (version := VERSIONS[name](trainings, folds)) is not None]
    print_versions(found, data.sets.crop_ids)
    for version in found:
        print()
        print_crops(version, data)


def _stated(data: Data) -> NDArray[np.bool_]:
    return data.of_sources([source.stated for source in data.sets.sources])


VERSIONS: dict[str, Callable[[Trainings, Sequence[int]], Version | None]] = {
    "leaf-1": lambda trainings, _: leaf_one(trainings),
    RECIPE: lambda trainings, folds: in_folds(trainings, RECIPE, np.ones(len(trainings.data.labels), bool), folds),
    STATED: lambda trainings, folds: in_folds(trainings, STATED, _stated(trainings.data), folds),
}


if __name__ == "__main__":
    main()
