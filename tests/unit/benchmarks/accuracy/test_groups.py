import numpy as np

from tests.benchmarks.accuracy.groups import Groups, joined


def test_pairs_join_into_groups() -> None:
    assert joined(6, [(4, 2), (0, 4), (3, 5)]).tolist() == [0, 1, 0, 3, 0, 3]


def test_groups_are_counted_by_crop() -> None:
    groups = Groups.of(5, [(0, 1)], [(1, 2)])
    rows = groups.table(["bean", "bean", "bean", "pea", "pea"]).splitlines()
    assert rows[2:] == ["| bean | 3 | 1 | 1 | 3 | 1 | 1 |", "| pea | 2 | 2 | 0 | 1 | 0 | 0 |"]
    assert np.array_equal(groups.numbers, [0, 0, 0, 3, 4])
