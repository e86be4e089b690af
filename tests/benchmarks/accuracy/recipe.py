"""The recipe of training behind one door: what this benchmark needs of ``worker.training.learn``, and nothing else."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.manifest import HEALTHY
from tests.benchmarks.accuracy.data import CLASSES
from tests.benchmarks.accuracy.groups import Indices
from worker.training.backbone import open_backbone
from worker.training.fit import STATE_FILE, Advance
from worker.training.grounds import read_grounds
from worker.training.learn import Learned, learn
from worker.training.plan import PREPROCESSING, Schedule
from worker.training.serving import feature_model
from worker.training.shows import Made
from worker.training.store import Examples

Model = Any  # Keras publishes no types.

# Of heads on frozen features: there is little to learn, and nothing to forget.
HEAD_EPOCHS = 2
HEAD_LEARNING_RATE = 2e-3


@dataclass(frozen=True, slots=True)
class Task:
    """One training: which pictures it learns, which it chooses limits by, its ground, and its folder."""

    examples: Examples
    train: Indices
    held_out: Indices
    grounds: Path
    folder: Path
    schedule: Schedule

    @property
    def key(self) -> str:
        """A text that differs for another schedule and other pictures; not for another recipe."""
        names = [[str(self.examples.files[index].path) for index in part] for part in (self.train, self.held_out)]
        grounds = sorted(path.name for path in self.grounds.iterdir())
        return hashlib.sha256(json.dumps([asdict(self.schedule), names, grounds]).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Said:
    """What a network says: ``rows`` (n, classes + review outputs); ``crops`` (n, crops), or (n, 0)."""

    rows: NDArray[np.float64]
    crops: NDArray[np.float64]


@dataclass(frozen=True)
class Trained:
    """A trained network."""

    learned: Learned

    @property
    def limits(self) -> list[float]:
        """The limit of each review output."""
        return [output.limit for output in self.learned.review]

    @property
    def reasons(self) -> list[str]:
        """The reason of each review output."""
        return [str(output.reason) for output in self.learned.review]

    @property
    def threshold(self) -> float:
        """The confidence below which a person is asked."""
        return self.learned.threshold

    def say(self, examples: Examples, chosen: Indices) -> Said:
        """Answer the pictures at these indices, as the serving model does."""
        activations = self.learned.activate(examples, chosen, PREPROCESSING)
        nothing = np.empty((len(chosen), 0))
        return Said(self.learned.outputs(activations), nothing if activations.crops is None else activations.crops)


def train(task: Task, backbone: Path, advance: Advance | None = None) -> Trained:
    """Train the whole recipe; a finished training is read from its folder."""
    return _learned(task, open_backbone(backbone), advance)


def train_heads(task: Task, finished: Path, advance: Advance | None = None) -> Trained:
    """Train new heads on the features, left as they are, of the network that was trained in the folder ``finished``."""
    import keras

    features = feature_model(keras.saving.load_model(finished / STATE_FILE, safe_mode=True))
    frozen = replace(
        task.schedule,
        epochs=min(HEAD_EPOCHS, task.schedule.epochs),
        learning_rate=HEAD_LEARNING_RATE,
        trainable_from=features.layers[-1].name,  # the pooling, which has no weights
    )
    return _learned(replace(task, schedule=frozen), features, advance)


def _learned(task: Task, backbone: Model, advance: Advance | None) -> Trained:
    return Trained(
        learn(
            backbone,
            task.examples,
            task.train,
            task.held_out,
            len(CLASSES),
            PREPROCESSING,
            task.schedule,
            folder=task.folder,
            made=Made(CLASSES.index(HEALTHY), read_grounds([task.grounds], seed=task.schedule.seed)),
            advance=advance,
        )
    )


def clear() -> None:
    """Forget the networks of Keras, which otherwise stay in memory."""
    import keras

    keras.utils.clear_session()


def pictures(found: Sequence[NDArray[np.uint8]]) -> tuple[Examples, Indices]:
    """Make examples of pictures that are in no file, and the indices of all of them."""
    pixels = np.stack(found)[:, None]
    return Examples(pixels, np.zeros(len(pixels), np.int64), ()), np.arange(len(pixels))
