import threading

import pytest

from worker.inference.budget import ByteBudget, Reservation

NEVER = threading.Event()


class Waiter:
    """Asks for bytes in a thread of its own."""

    def __init__(self, budget: ByteBudget, size: int, abandoned: threading.Event = NEVER) -> None:
        self.granted = threading.Event()
        self.reservation: Reservation | None = None
        self._thread = threading.Thread(target=self._reserve, args=(budget, size, abandoned), daemon=True)
        self._thread.start()
        budget_waits(budget, self)

    def _reserve(self, budget: ByteBudget, size: int, abandoned: threading.Event) -> None:
        self.reservation = budget.reserve(size, abandoned)
        self.granted.set()

    def join(self) -> None:
        self._thread.join(10)
        assert not self._thread.is_alive()


def budget_waits(budget: ByteBudget, waiter: Waiter) -> None:
    """Until the thread stands in the line, or is through."""
    pause = threading.Event()
    while not waiter.granted.is_set() and not budget._waiting:
        pause.wait(0.001)


def granted(budget: ByteBudget, size: int) -> Reservation:
    reservation = budget.reserve(size, NEVER)
    assert reservation is not None
    return reservation


def test_bytes_are_counted_and_given_back_once() -> None:
    budget = ByteBudget(100)
    first, second = granted(budget, 60), granted(budget, 40)
    assert budget.in_use == 100
    first.release()
    first.release()
    assert budget.in_use == 40
    second.release()
    assert budget.in_use == 0


def test_what_does_not_fit_waits() -> None:
    budget = ByteBudget(100)
    first = granted(budget, 60)
    waiter = Waiter(budget, 50)
    assert not waiter.granted.is_set()
    first.release()
    waiter.join()
    assert budget.in_use == 50


def test_more_than_the_whole_budget_goes_alone() -> None:
    budget = ByteBudget(100)
    small = granted(budget, 1)
    waiter = Waiter(budget, 10**9)
    assert not waiter.granted.is_set()
    small.release()
    waiter.join()
    assert budget.in_use == 100
    assert waiter.reservation is not None
    waiter.reservation.release()
    assert budget.in_use == 0


def test_small_ones_do_not_overtake_a_large_one_for_ever() -> None:
    budget = ByteBudget(100)
    first = granted(budget, 50)
    large = Waiter(budget, 100)
    small = threading.Thread(target=budget.reserve, args=(10, NEVER), daemon=True)
    small.start()
    small.join(0.05)
    assert small.is_alive()  # It would fit, and stands behind the large one.
    first.release()
    large.join()
    assert large.reservation is not None
    large.reservation.release()
    small.join(10)
    assert budget.in_use == 10


def test_who_is_abandoned_leaves_the_line_to_the_next() -> None:
    budget = ByteBudget(100)
    held = granted(budget, 90)
    abandoned = threading.Event()
    large = Waiter(budget, 100, abandoned)
    small = threading.Thread(target=budget.reserve, args=(10, NEVER), daemon=True)
    small.start()
    abandoned.set()
    budget.wake()
    large.join()
    small.join(10)
    assert large.reservation is None
    assert budget.in_use == 100
    held.release()
    assert budget.in_use == 10


def test_settling_changes_the_count_without_waiting() -> None:
    budget = ByteBudget(100)
    reservation = granted(budget, 10)
    reservation.settle(250)
    assert budget.in_use == 250
    reservation.release()
    assert budget.in_use == 0


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 byte"):
        ByteBudget(0)
