"""The kinds of slots of a worker, and what each offers to take."""

import pytest

from shared.contracts.states import ChunkKind, Priority
from shared.jobs.chunks import EXPORT_POOLS
from shared.settings import Settings
from worker.leasing.slots import SLOT_KINDS, Slots, bulk_offers, count_slots, express_offers

POOLS = ["classify:a", "classify:b"]


def test_no_more_are_taken_than_there_are() -> None:
    slots = Slots(2)
    assert [slots.take(), slots.take(), slots.take()] == [True, True, False]
    assert slots.taken == 2
    slots.give_back()
    assert slots.taken == 1
    assert slots.take()


@pytest.mark.parametrize("worker_slots", [1, 7])
def test_a_worker_has_the_slots_of_the_setting_and_one_of_each_further_kind(worker_slots: int) -> None:
    assert count_slots(Settings.model_construct(worker_slots=worker_slots)) == worker_slots + len(SLOT_KINDS) - 1


def test_every_kind_of_chunk_is_taken_by_some_slot() -> None:
    taken = {(offer.pool, offer.priority) for kind in SLOT_KINDS for offer in kind.offers(POOLS)}
    kinds = (ChunkKind.VALIDATE, ChunkKind.INSPECT, ChunkKind.PURGE)
    always = {(kind, priority) for kind in kinds for priority in Priority}
    images = {(pool, priority) for pool in (*POOLS, "tiles:a", "tiles:b") for priority in Priority}
    isolated = {(f"isolated:{tiles}{name}", Priority.BULK) for name in "ab" for tiles in ("", "tiles:")}
    explained = {(f"explain:{name}", Priority.INTERACTIVE) for name in "ab"}
    assert taken >= always | images | isolated | explained | {(pool, Priority.BULK) for pool in EXPORT_POOLS.values()}


def test_exports_have_a_slot_to_themselves() -> None:
    with_exports = [kind for kind in SLOT_KINDS if any(one.pool in EXPORT_POOLS.values() for one in kind.offers(POOLS))]
    assert [{one.pool for one in kind.offers(POOLS)} for kind in with_exports] == [set(EXPORT_POOLS.values())]


def test_an_express_slot_takes_no_bulk_images() -> None:
    express = {(o.pool, o.priority) for o in express_offers(POOLS)}
    assert (POOLS[0], Priority.INTERACTIVE) in express
    assert not {(pool, Priority.BULK) for pool in (*POOLS, "tiles:a", "tiles:b", ChunkKind.PURGE)} & express


def test_a_bulk_slot_takes_everything_what_people_wait_for_first() -> None:
    pools = [(o.pool, o.priority) for o in bulk_offers(POOLS)]
    assert len(set(pools)) == len(pools) == 16
    urgent = [i for i, (_, priority) in enumerate(pools) if priority is Priority.INTERACTIVE]
    assert urgent[:-1] == [0, 1, 2, 3, 4, 5, 6, 7], "all but removals"
    assert pools.index((POOLS[1], Priority.INTERACTIVE)) < pools.index((POOLS[0], Priority.BULK))
