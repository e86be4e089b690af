"""Room for decoded photographs."""

from worker.inference.budget import ByteBudget, Reservation
from worker.inference.tiles.room import DecodedRoom, RunRoom

NOW = 0.01


class Started:
    """Photographs that were started, by name, with what they have reserved."""

    def __init__(self) -> None:
        self.reservations: dict[str, Reservation | None] = {}

    def photo(self, name: str) -> "Photo":
        return Photo(self, name)

    @property
    def names(self) -> list[str]:
        return list(self.reservations)

    def release(self, name: str) -> None:
        reservation = self.reservations[name]
        assert reservation is not None
        reservation.release()


class Photo:
    def __init__(self, started: Started, name: str) -> None:
        self.started, self.name = started, name

    def __call__(self, reservation: Reservation | None) -> None:
        self.started.reservations[self.name] = reservation


def test_photographs_start_in_their_order_as_room_comes() -> None:
    budget, started = ByteBudget(100), Started()
    room = RunRoom(budget)
    for name, size in (("a", 60), ("large", 70), ("small", 10)):
        room.enter(size, started.photo(name))
    assert started.names == ["a"], "the small one does not pass the large one"
    assert not room.must_wait
    started.release("a")
    room.start_waiting()
    assert started.names == ["a", "large", "small"]
    assert budget.in_use == 80


def test_a_photograph_larger_than_all_the_room_is_alone_in_it() -> None:
    budget, started = ByteBudget(100), Started()
    room = RunRoom(budget)
    room.enter(1, started.photo("a"))
    room.enter(500, started.photo("huge"))
    room.enter(1, started.photo("b"))
    started.release("a")
    room.start_waiting()
    assert started.names == ["a", "huge"]
    assert budget.in_use == 100
    started.release("huge")
    room.start_waiting()
    assert started.names == ["a", "huge", "b"]


def test_a_run_that_has_nothing_waits_in_line_and_keeps_its_place() -> None:
    budget, started = ByteBudget(100), Started()
    first, second, third = RunRoom(budget), RunRoom(budget), RunRoom(budget)
    first.enter(100, started.photo("first"))
    second.enter(90, started.photo("second"))
    assert second.must_wait
    assert not second.wait(NOW)
    third.enter(10, started.photo("third"))
    started.release("first")
    third.start_waiting()
    assert started.names == ["first"], "the third run came later"
    assert second.wait(NOW)
    third.start_waiting()
    assert started.names == ["first", "second", "third"]


def test_a_run_that_goes_on_with_something_else_leaves_the_line() -> None:
    budget, started = ByteBudget(100), Started()
    first, second, third = RunRoom(budget), RunRoom(budget), RunRoom(budget)
    first.enter(100, started.photo("first"))
    second.enter(90, started.photo("second"))
    assert not second.wait(NOW)
    second.start_waiting()
    third.enter(10, started.photo("third"))
    started.release("first")
    third.start_waiting()
    assert started.names == ["first", "third"]


def test_a_closed_room_starts_nothing_and_says_so() -> None:
    budget, started = ByteBudget(100), Started()
    room = RunRoom(budget)
    room.enter(100, started.photo("a"))
    room.enter(100, started.photo("b"))
    room.close()
    room.enter(100, started.photo("c"))
    assert (started.reservations["b"], started.reservations["c"]) == (None, None)
    started.release("a")
    assert budget.in_use == 0


def test_runs_without_tiles_take_no_part() -> None:
    budget, started = ByteBudget(100), Started()
    RunRoom(budget)
    room = RunRoom(budget)
    room.enter(50, started.photo("a"))
    room.enter(50, started.photo("b"))
    assert started.names == ["a", "b"]


def test_urgent_runs_have_room_of_their_own() -> None:
    room = DecodedRoom.of(800)
    assert (room.bulk.limit, room.urgent.limit, room.limit, room.in_use) == (700, 100, 800, 0)
