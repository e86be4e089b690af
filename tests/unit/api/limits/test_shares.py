"""What one key and one tenant may hold of what all share."""

import asyncio
import uuid
from contextlib import AsyncExitStack

import pytest

from api.limits.shares import BODIES, WAITING, Bodies, Holder, Pool, Shares, Turns
from shared.errors import NoRoom, TooManyAtATime, TooManyWaiting

FARM, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
DRONE, OFFICE, STRANGER = Holder(FARM, "drone"), Holder(FARM, "office"), Holder(OTHER, "stranger")
SHARES = Shares(key=0.25, tenant=0.5)
A_MOMENT = 0.05


def test_a_key_has_its_share_and_others_go_on() -> None:
    pool = Pool(12, SHARES, WAITING)
    places = [pool.take(DRONE) for _ in range(3)]
    with pytest.raises(TooManyAtATime, match="3 may be of one key") as refused:
        pool.take(DRONE)
    assert (refused.value.setting, refused.value.code) == ("PHYTOBATCH_KEY_SHARE", "too-many-waiting")
    pool.take(STRANGER)
    places[0].give_back()
    places[0].give_back()
    pool.take(DRONE)
    with pytest.raises(TooManyAtATime):
        pool.take(DRONE)


def test_the_keys_of_a_tenant_share_what_is_its() -> None:
    pool = Pool(12, SHARES, WAITING)
    for _ in range(3):
        pool.take(DRONE)
        pool.take(OFFICE)
    with pytest.raises(TooManyAtATime, match="6 may be of one tenant") as refused:
        pool.take(Holder(FARM, "third"))
    assert refused.value.setting == "PHYTOBATCH_TENANT_SHARE"
    pool.take(STRANGER)


def test_the_whole_is_an_outage_and_nobodys_share() -> None:
    pool = Pool(2, SHARES, WAITING)
    pool.take(DRONE)
    pool.take(STRANGER)
    for holder in (DRONE, Holder(uuid.UUID(int=3), "third")):
        with pytest.raises(TooManyWaiting):
            pool.take(holder)


def test_who_holds_nothing_gets_the_first_piece_whatever_its_size() -> None:
    pool = Pool(100, SHARES, BODIES)
    with pool.take(DRONE, 90):
        with pytest.raises(TooManyAtATime) as refused:
            pool.take(DRONE, 1)
        assert refused.value.code == "too-many-at-a-time"
        with pytest.raises(NoRoom):
            pool.take(STRANGER, 11)
        pool.take(STRANGER, 10).give_back()
    pool.take(STRANGER, 1000).give_back()
    assert (pool.held, len(pool._held)) == (0, 0)


def test_a_place_grows_and_shrinks_within_the_share() -> None:
    pool = Pool(100, SHARES, BODIES)
    first, second = pool.take(DRONE, 1), pool.take(DRONE, 20)
    with pytest.raises(TooManyAtATime):
        first.hold(6)
    first.hold(5)
    second.hold(2)
    first.hold(23)
    second.give_back()
    first.hold(90)  # As if it were the first of its key.
    first.give_back()
    assert (pool.held, len(pool._held)) == (0, 0)


def test_a_large_body_stops_no_other_request_of_its_key() -> None:
    """A slow line takes an hour for an upload; meanwhile its jobs are looked at, and others are made."""
    bodies = Bodies(100, SHARES, small=2)
    bodies.take(DRONE, 70)
    for _ in range(3):
        bodies.take(DRONE, 2)
        bodies.take(DRONE, 0)
    with pytest.raises(TooManyAtATime):
        bodies.take(DRONE, 2)
    bodies.take(DRONE, 0)
    with pytest.raises(TooManyAtATime):
        bodies.take(DRONE, 3)


def test_nobody_is_refused_a_turn_but_waits_behind_its_own() -> None:
    async def test() -> None:
        turns = Turns(4, SHARES)
        async with AsyncExitStack() as held:
            await held.enter_async_context(turns.one(DRONE))
            second = asyncio.create_task(turns.run(DRONE, lambda: "second"))
            assert await turns.run(OFFICE, lambda: "other key") == "other key"
            assert await turns.run(STRANGER, lambda: "other tenant") == "other tenant"
            await asyncio.sleep(A_MOMENT)
            assert not second.done()
        assert await second == "second"
        assert not turns._lines

    asyncio.run(test())


def test_the_keys_of_a_tenant_share_its_turns() -> None:
    async def test() -> None:
        turns = Turns(4, SHARES)
        async with turns.one(DRONE), turns.one(OFFICE):
            third = asyncio.create_task(turns.run(Holder(FARM, "third"), lambda: "third"))
            assert await turns.run(STRANGER, lambda: "other tenant") == "other tenant"
            await asyncio.sleep(A_MOMENT)
            assert not third.done()
        assert await third == "third"

    asyncio.run(test())


def test_whoever_gives_up_its_turn_leaves_nothing_behind() -> None:
    async def test() -> None:
        turns = Turns(4, SHARES)
        async with turns.one(DRONE):
            waiting = asyncio.create_task(turns.run(DRONE, lambda: None))
            await asyncio.sleep(A_MOMENT)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        assert await turns.run(DRONE, lambda: "again") == "again"
        assert not turns._lines

    asyncio.run(test())
