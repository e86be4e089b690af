from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.states import DisabledReason
from shared.webhooks.breaker import Breaker, Failure, Health

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
BREAKER = Breaker(
    failures=5,
    first_pause=timedelta(seconds=30),
    longest_pause=timedelta(minutes=15),
    given_up_after=timedelta(days=5),
)
BROKEN = Failure(status=500)
PROBE = Failure(status=500, probe=True)


def after(health: Health, *failures: Failure, now: datetime = NOW) -> Health:
    for failure in failures:
        health = BREAKER.after_failure(health, failure, now)
    return health


def test_it_opens_at_the_fifth_failure_in_a_row() -> None:
    four = after(Health(), *[BROKEN] * 4)
    assert (four.consecutive_failures, four.open_until) == (4, None)
    five = after(four, BROKEN)
    assert (five.consecutive_failures, five.open_until) == (5, NOW + timedelta(seconds=30))


def test_attempts_that_were_under_way_when_it_opened_say_nothing_new() -> None:
    opened = after(Health(), *[BROKEN] * 5)
    assert after(opened, *[BROKEN] * 3, now=NOW + timedelta(seconds=10)) == opened


def test_the_pause_doubles_with_each_failed_probe_up_to_the_longest() -> None:
    health, now, pauses = after(Health(), *[BROKEN] * 5), NOW, []
    for _ in range(7):
        assert health.open_until is not None
        now = health.open_until
        health = after(health, PROBE, now=now)
        assert health.open_until is not None
        pauses.append((health.open_until - now).total_seconds())
    assert pauses == [60, 120, 240, 480, 900, 900, 900]


def test_thousands_of_failed_probes_are_no_problem() -> None:
    health = Health(consecutive_failures=100_000)
    assert after(health, PROBE).open_until == NOW + timedelta(minutes=15)


def test_a_success_forgets_all_failures() -> None:
    health = after(Health(), *[BROKEN] * 7)
    assert health.after_success(NOW) == Health(last_success_at=NOW)


def test_the_first_failure_of_a_row_is_remembered() -> None:
    health = after(Health(last_success_at=NOW), BROKEN)
    later = after(health, BROKEN, now=NOW + timedelta(hours=1))
    assert (later.failing_since, later.last_success_at) == (NOW, NOW)


@pytest.mark.parametrize("status", [429, 503])
def test_an_overloaded_receiver_is_left_alone_as_long_as_it_asks_within_bounds(status: int) -> None:
    asked = after(Health(), Failure(status=status, retry_after=120))
    assert (asked.consecutive_failures, asked.open_until) == (1, NOW + timedelta(seconds=120))
    much = after(Health(), Failure(status=status, retry_after=86_400))
    assert much.open_until == NOW + timedelta(minutes=15)


def test_other_failures_pause_their_own_delivery_alone() -> None:
    assert after(Health(), Failure(status=500, retry_after=120)).open_until is None


def test_a_longer_pause_is_never_made_shorter() -> None:
    asked = after(Health(consecutive_failures=4), Failure(status=429, retry_after=600), BROKEN)
    assert asked.open_until == NOW + timedelta(seconds=600)


def test_gone_is_final_at_once() -> None:
    assert BREAKER.verdict(after(Health(), Failure(status=410)), Failure(status=410), NOW) is DisabledReason.GONE


def test_five_days_of_nothing_but_failures_are_enough() -> None:
    health = after(Health(), BROKEN)
    short = NOW + timedelta(days=5) - timedelta(seconds=1)
    assert BREAKER.verdict(after(health, BROKEN, now=short), BROKEN, short) is None
    enough = NOW + timedelta(days=5)
    assert BREAKER.verdict(after(health, BROKEN, now=enough), BROKEN, enough) is DisabledReason.FAILING
    again = after(health.after_success(NOW), BROKEN, now=enough)
    assert BREAKER.verdict(again, BROKEN, enough) is None
