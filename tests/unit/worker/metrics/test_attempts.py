import pytest

from shared.contracts.states import AttemptError
from shared.metrics.definitions import WEBHOOK_ATTEMPTS
from worker.metrics.attempts import result_of
from worker.metrics.zeros import deliverer_begins_at_zero
from worker.webhooks.message import Attempt


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        (Attempt(milliseconds=1, status=204), "delivered"),
        (Attempt(milliseconds=1, status=404), "4xx"),
        (Attempt(milliseconds=1, status=503), "5xx"),
        (Attempt(milliseconds=1, status=302, error=AttemptError.REDIRECTED), "redirected"),
        (Attempt(milliseconds=1, error=AttemptError.TIMEOUT), "timeout"),
    ],
)
def test_an_attempt_is_one_word(attempt: Attempt, expected: str) -> None:
    assert result_of(attempt) == expected


def test_every_word_is_there_before_its_first_attempt() -> None:
    deliverer_begins_at_zero()
    there = {s.labels["result"] for family in WEBHOOK_ATTEMPTS.collect() for s in family.samples}
    assert {"delivered", "4xx", "5xx", *AttemptError} <= there
