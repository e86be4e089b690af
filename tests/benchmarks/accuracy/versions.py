"""The versions that are compared: what each says of the pictures that it has not learned, and of what is no leaf."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.accuracy.data import Data
from tests.benchmarks.accuracy.groups import Indices
from tests.benchmarks.accuracy.judged import Judged
from tests.benchmarks.accuracy.leaf_one import judge_leaf_one, not_learned
from tests.benchmarks.accuracy.measures import Measures, share
from tests.benchmarks.accuracy.sources import OLD
from tests.benchmarks.accuracy.trainings import Trainings

NO_LEAF = ("ground", "junk", "blurred")


@dataclass(frozen=True)
class Version:
    """Answers on ``index``, the pictures that it was asked about and has not learned; and the shares of ``NO_LEAF``."""

    name: str
    index: Indices
    measures: Measures
    sent: Mapping[str, float]
    new_ids: Sequence[int]

    @property
    def old(self) -> Measures:
        """On the crops of leaf 1."""
        return self.measures[~np.isin(self.measures.crop, self.new_ids)]

    @property
    def new(self) -> Measures:
        """On the other crops."""
        return self.measures[np.isin(self.measures.crop, self.new_ids)]


def leaf_one(trainings: Trainings) -> Version:
    """Leaf 1 as it is served, on what it has not learned."""
    judged = judge_leaf_one(trainings.data, trainings.work)
    return _version(
        "leaf 1", trainings.data, [(judged, np.arange(len(trainings.data.labels)))], not_learned(trainings.data)
    )


def in_folds(trainings: Trainings, name: str, usable: NDArray[np.bool_], folds: Sequence[int]) -> Version | None:
    """The recipe on what is usable, in these folds; ``None`` while nothing is kept of them."""
    parts = trainings.parts()
    found = [(trainings.fold(number, usable, name), np.flatnonzero(parts == number)) for number in folds]
    judged = [(one, index) for one, index in found if one is not None]
    return _version(name, trainings.data, judged, np.ones(len(parts), bool)) if judged else None


def _version(name: str, data: Data, judged: Sequence[tuple[Judged, Indices]], allowed: NDArray[np.bool_]) -> Version:
    index = np.concatenate([part for _, part in judged])
    answers = type(judged[0][0].answers("leaves")).joined([one.answers("leaves") for one, _ in judged])
    measures = Measures(answers, data.labels[index], data.crop[index])
    sent = {
        kind: share(
            np.concatenate([one.answers(kind).asks for one, _ in judged if kind in one.rows] or [np.empty(0, bool)])
        )
        for kind in NO_LEAF
    }
    new_ids = [number for number, crop in enumerate(data.sets.crop_ids) if crop not in OLD]
    return Version(name, index[allowed[index]], measures[allowed[index]], sent, new_ids)
