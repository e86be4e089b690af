"""The words that the client knows of the contract."""

from phytobatch.commands.options import DELIVERY_STATES, EVENTS, IMAGE_STATUSES, JOB_STATES
from phytobatch.resources import TERMINAL_STATES
from shared.contracts import states


def test_states_are_those_of_the_contract() -> None:
    assert {state.value for state in states.TERMINAL_STATES} == TERMINAL_STATES
    assert set(JOB_STATES) == {state.value for state in states.JobState}
    assert set(IMAGE_STATUSES) == {status.value for status in states.ImageStatus} - {"pending"}


def test_events_and_states_of_deliveries_are_those_of_the_contract() -> None:
    assert EVENTS == states.SUBSCRIBABLE_EVENTS
    assert set(DELIVERY_STATES) == set(states.DeliveryState)
