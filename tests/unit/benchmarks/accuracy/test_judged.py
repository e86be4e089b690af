from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.accuracy.judged import Answers, Judged
from tests.benchmarks.accuracy.measures import Measures

REASONS = ("other_symptom", "not_a_leaf")


def judged(rows: list[list[float]], crops: list[list[float]]) -> Judged:
    numbers = {"leaves": np.array(rows)}
    named = {"leaves": np.array(crops).reshape(len(rows), -1)}
    return Judged(numbers, named, np.array([0.5, 0.1]), REASONS, 0.6, "key")


def test_a_row_is_read_as_the_service_reads_it() -> None:
    answers = judged(
        [
            [0.9, 0.05, 0.05, 0.1, 0.01],  # sure
            [0.5, 0.3, 0.2, 0.1, 0.01],  # below the threshold
            [0.0, 0.9, 0.1, 0.6, 0.3],  # both reasons, the second further above its limit
            [0.0, 0.1, 0.9, 0.6, 0.01],
        ],
        [[0.2, 0.8], [0.9, 0.1], [0.5, 0.5], [0.0, 1.0]],
    ).answers("leaves")
    assert answers.answer.tolist() == [0, 0, 1, 2]
    assert answers.reason.tolist() == ["", "low_confidence", "not_a_leaf", "other_symptom"]
    assert answers.crop.tolist() == [1, 0, 0, 1]


def test_what_was_kept_is_read_again_under_its_key(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "judged.npz"
    judged([[0.9, 0.05, 0.05, 0.1, 0.01]], []).keep(file)
    found = Judged.kept(file, "key")
    assert found is not None
    assert found.answers("leaves").crop.tolist() == [-1]
    assert found.reasons == REASONS
    assert Judged.kept(file, "another schedule") is None
    assert Judged.kept(tmp_path / "nothing.npz", "key") is None


def measures() -> Measures:
    answers = Answers(
        np.array([0, 0, 1, 2, 2, 1]),
        np.array([0.9, 0.9, 0.9, 0.9, 0.9, 0.9]),
        np.array(["", "blurred", "", "", "other_symptom", ""]),
        np.array([0, 0, 0, 1, 1, 0]),
    )
    return Measures(answers, np.array([0, 0, 0, 2, 3, 3]), np.array([0, 0, 0, 0, 1, 1]))


def test_shares_are_of_what_their_names_say() -> None:
    found = measures()
    assert (found.count, found.right, found.asks) == (4, 0.75, 0.25)
    assert found.right_sent == pytest.approx(1 / 3)
    assert (found.wrong_sent, found.other_sent) == (0.0, 0.5)
    assert found.standing == 3
    assert found.right_of_standing == pytest.approx(2 / 3)
    assert found.crop_right == pytest.approx(4 / 6)
    assert found.reasons() == "blurred 1.00"


def test_f1_is_of_the_classes_alone() -> None:
    found = measures()
    assert found.f1(0) == pytest.approx(2 * 2 / (2 + 3))
    assert found.f1(2) == 1.0
    assert np.isnan(found.f1(1))


def test_nothing_has_no_share() -> None:
    nothing = measures()[np.zeros(6, bool)]
    assert all(np.isnan(value) for value in (nothing.right, nothing.error, nothing.other_sent, nothing.crop_right))
    assert nothing.reasons() == "none"
