"""The road to a classifier of one's own: a flight that nobody reads, corrected tiles, a training, a second flight."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.tiles.grid import lay_grid
from tests.acceptance.system import LONG_LEASE, System
from tests.patience import PATIENCE_SECONDS
from tests.scenes.canopy import STATES, TileTruth, truth_of_tile, write_flight
from worker.inference.manifest import read_manifest
from worker.training.cut_outs import photograph_of

SIZE = (480, 320)  # pixels of 31 mm
EDGE = 32  # pixels: a metre
PHOTOGRAPHS = 4
TO_SORT = 400

Truths = Mapping[str, NDArray[np.uint8]]


def fly(folder: Path, seed: int) -> Truths:
    return {
        path.name: scene.truth for path, scene in write_flight(folder, seed=seed, photographs=PHOTOGRAPHS, size=SIZE)
    }


def truth_of(truth: NDArray[np.uint8], tile: int) -> TileTruth:
    left, top, right, bottom = lay_grid(*SIZE, EDGE).box(tile)
    return truth_of_tile(truth[top:bottom, left:right])


def sort_as_a_person_does(folder: Path, truths: Truths) -> int:
    """Move each picture into the folder of what it shows, and leave those that cannot be told; return how many."""
    moved = 0
    for path in sorted(folder.glob("*.png")):
        place, _, name = path.stem.partition("-canopy_")
        seen = truth_of(truths[f"canopy_{name}.jpg"], int(place.rpartition(".")[2]))
        if seen.is_clear:
            target = folder / STATES[seen.state] / path.name
            target.parent.mkdir(exist_ok=True)
            path.rename(target)
            moved += 1
    return moved


def judged(answers: Mapping[str, Any], truth: NDArray[np.uint8]) -> Iterator[bool]:
    """Yield whether each counted tile is right that a person could tell."""
    labels = [label for row in answers["labels"] for label in row]
    reasons = [reason for row in answers["review"] for reason in row]
    for tile, (label, reason) in enumerate(zip(labels, reasons, strict=True)):
        seen = truth_of(truth, tile)
        if reason is None and seen.is_clear:
            yield label == STATES[seen.state]


def learn(system: System, data: Path, out: Path) -> None:
    command = ["-m", "tests.acceptance.small_training", str(out.parent)]
    child = system.start(
        "training", *command, "--data", str(data), "--out", str(out), "--name", "canopy", "--version", "1"
    )
    assert child.wait(PATIENCE_SECONDS) == 0, child.failure("the training failed")


def test_a_classifier_of_ones_own_tiles_reads_the_next_flight(
    command: Any,  # noqa: ANN401  # the fixture's own type
    stack: System,
    tmp_path: Path,
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    truths, others = fly(first, 1), fly(second, 2)

    unread = command.json("submit", str(first), "--tiles", str(EDGE), "--watch")
    assert unread["summary"]["overall"]["undecided"] == PHOTOGRAPHS
    job = unread["job"]["id"]
    sample, training, classifier = tmp_path / "to-sort", tmp_path / "training", tmp_path / "canopy"
    brought = command.json(
        "corrections", "sample", job, "--out", str(sample), "--number", str(TO_SORT), "--photos", str(first)
    )
    assert brought["new"] == TO_SORT == len({path.name for path in sample.glob("*.png")})
    corrected = sort_as_a_person_does(sample, truths)
    done = command.json("corrections", "import", job, str(sample))
    assert done == {"corrections": corrected, "changed": corrected}
    kept = command.json("corrections", "export", job, "--out", str(training))
    assert sum(kept["labels"].values()) == corrected
    assert len({photograph_of(path) for path in training.glob("*/*.png")}) == PHOTOGRAPHS

    learn(stack, training, classifier)
    tiling = read_manifest(classifier).tiling
    assert tiling is not None
    assert tiling.ground_resolution_mm is not None
    assert (tiling.edge, round(tiling.edge_mm or 0), round(tiling.ground_resolution_mm[0], 1)) == (EDGE, 1000, 31.2)
    stack.admin("publish-classifier", str(classifier))
    stack.start_worker(
        PHYTOBATCH_CLASSIFIERS="canopy@1", PHYTOBATCH_CLASSIFIER_CACHE=str(tmp_path / "cache"), **LONG_LEASE
    )

    read = command.json("submit", str(second), "--tiles", "auto", "--classifier", "canopy@1", "--watch")
    assert read["summary"]["overall"]["undecided"] == 0
    answered = command.json_lines("tiles", read["job"]["id"])
    assert {one["map"]["edge"] for one in answered} == {EDGE}
    right = [is_right for one in answered for is_right in judged(one["map"], others[one["name"]])]
    assert len(right) > PHOTOGRAPHS * 20
    assert np.mean(right) > 0.8

    coarse = command.json(
        "submit",
        str(second),
        "--new",
        "--tiles",
        "auto",
        "--classifier",
        "canopy@1",
        "--ground-resolution",
        "400",
        "--watch",
    )
    assert coarse["summary"]["overall"]["undecided"] == PHOTOGRAPHS
    assert coarse["job"]["warnings"][0]["code"] == "too_coarse"
