from worker.leasing.slots import Slots


def test_no_more_are_taken_than_there_are() -> None:
    slots = Slots(2)
    assert [slots.take(), slots.take(), slots.take()] == [True, True, False]
    assert slots.taken == 2
    slots.give_back()
    assert slots.taken == 1
    assert slots.take()
