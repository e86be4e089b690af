import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.patience import PATIENCE_SECONDS
from worker.inference.budget import ByteBudget, Holder, Reservation


def granted(holder: Holder, size: int) -> Reservation:
    reservation = holder.reserve(size)
    assert reservation is not None
    return reservation


def in_line(budget: ByteBudget, count: int) -> None:
    """Until so many stand in line."""
    pause = threading.Event()
    while len(budget._line) < count:
        pause.wait(0.001)


class Asking:
    """Asks for bytes in a thread of its own, and waits in line for them."""

    def __init__(self, callers: ThreadPoolExecutor, budget: ByteBudget, size: int) -> None:
        self.holder = budget.holder()
        before = len(budget._line)
        self.answer: Future[Reservation | None] = callers.submit(self.holder.reserve, size, seconds=PATIENCE_SECONDS)
        in_line(budget, before + 1)

    def granted(self) -> Reservation:
        reservation = self.answer.result(PATIENCE_SECONDS)
        assert reservation is not None
        return reservation


def test_bytes_are_counted_and_given_back_once() -> None:
    budget = ByteBudget(100)
    holder = budget.holder()
    first, second = granted(holder, 60), granted(holder, 40)
    assert budget.in_use == 100
    first.release()
    first.release()
    assert budget.in_use == 40
    second.release()
    assert (budget.in_use, holder.in_use) == (0, 0)


def test_one_that_does_not_wait_takes_what_is_free_or_nothing() -> None:
    budget = ByteBudget(100)
    holder = budget.holder()
    granted(holder, 60)
    assert holder.reserve(50) is None
    assert holder.reserve(40) is not None
    assert not budget._line


def test_one_that_waits_gets_what_is_given_back() -> None:
    budget = ByteBudget(100)
    first = granted(budget.holder(), 60)
    with ThreadPoolExecutor() as callers:
        asking = Asking(callers, budget, 50)
        assert not asking.answer.done()
        first.release()
        asking.granted()
    assert budget.in_use == 50


def test_more_than_the_whole_budget_goes_alone() -> None:
    budget = ByteBudget(100)
    small = granted(budget.holder(), 1)
    with ThreadPoolExecutor() as callers:
        asking = Asking(callers, budget, 10**9)
        assert not asking.answer.done()
        small.release()
        large = asking.granted()
    assert budget.in_use == 100
    large.release()
    assert budget.in_use == 0


def test_small_ones_do_not_overtake_a_large_one_for_ever() -> None:
    budget = ByteBudget(100)
    first = granted(budget.holder(), 50)
    with ThreadPoolExecutor() as callers:
        large = Asking(callers, budget, 100)
        assert budget.holder().reserve(10) is None  # It would fit, and stands behind the large one.
        first.release()
        large.granted().release()


def test_who_asks_again_after_a_timeout_has_kept_its_place() -> None:
    budget = ByteBudget(100)
    first, patient = granted(budget.holder(), 100), budget.holder()
    assert patient.reserve(80, seconds=0.001) is None
    with ThreadPoolExecutor() as callers:
        behind = Asking(callers, budget, 80)
        first.release()
        reservation = granted(patient, 80)
        assert not behind.answer.done()
        reservation.release()
        behind.granted()


def test_who_leaves_makes_room_in_line_for_the_next() -> None:
    budget = ByteBudget(100)
    first, leaving = granted(budget.holder(), 90), budget.holder()
    assert leaving.reserve(100, seconds=0.001) is None
    with ThreadPoolExecutor() as callers:
        behind = Asking(callers, budget, 10)
        leaving.leave()
        behind.granted()
    assert budget.in_use == 100
    first.release()
    assert budget.in_use == 10


def test_one_holder_may_have_all_and_two_have_half_each() -> None:
    budget = ByteBudget(100)
    greedy = budget.holder()
    held = [granted(greedy, 10) for _ in range(10)]
    modest = budget.holder()
    for one in held[:3]:
        one.release()
    assert greedy.reserve(10) is None  # It fits, but the other one's half is not free yet.
    assert modest.reserve(10) is not None
    for one in held:
        one.release()
    assert [greedy.reserve(10) is None for _ in range(6)] == [False] * 5 + [True]
    modest.leave()
    assert greedy.reserve(10) is not None


def test_settling_changes_the_count_without_waiting() -> None:
    budget = ByteBudget(100)
    reservation = granted(budget.holder(), 10)
    reservation.settle(250)
    assert budget.in_use == 250
    reservation.release()
    assert budget.in_use == 0


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 byte"):
        ByteBudget(0)
