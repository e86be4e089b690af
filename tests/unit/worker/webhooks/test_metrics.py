import pytest

from shared.contracts.states import AttemptError
from shared.metrics.definitions import WEBHOOK_ATTEMPTS
from worker.webhooks.message import Attempt
from worker.webhooks.metrics import DELIVERER_ZEROS, result_of


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
    assert {result for (result,) in DELIVERER_ZEROS[WEBHOOK_ATTEMPTS]} == {"delivered", "4xx", "5xx", *AttemptError}
