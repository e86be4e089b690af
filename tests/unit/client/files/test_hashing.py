"""Checksums in order."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from phytobatch.files.hashing import LOOKAHEAD, in_order, sha256_of
from tests.patience import PATIENCE_SECONDS


def test_the_checksum_is_that_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"leaf" * 300_000)

    assert sha256_of(path) == hashlib.sha256(b"leaf" * 300_000).hexdigest()


def test_results_come_in_the_order_of_the_items_though_the_first_is_the_last_to_end() -> None:
    second_ran = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert second_ran.wait(PATIENCE_SECONDS)
        second_ran.set()
        return item * 10

    assert list(in_order(work, range(5))) == [0, 10, 20, 30, 40]


def test_not_more_than_the_lookahead_is_begun_before_results_are_taken() -> None:
    begun: list[int] = []
    results = in_order(begun.append, range(10 * LOOKAHEAD))

    next(results)

    assert len(begun) <= LOOKAHEAD
    results.close()  # type: ignore[attr-defined]  # it is a generator


def test_an_error_comes_where_its_result_would_have_come() -> None:
    results = in_order(lambda item: 1 // item, [1, 0])

    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
