"""The table of states says what the design says."""

from shared.contracts.states import TERMINAL_EVENT, TERMINAL_STATES, EventType, JobState
from shared.jobs.lifecycle import TRANSITIONS


def test_every_state_but_the_first_can_be_reached() -> None:
    assert set(TRANSITIONS) == set(JobState) - {JobState.DRAFT}


def test_only_a_retry_leaves_a_terminal_state() -> None:
    left = {to: sources & TERMINAL_STATES for to, sources in TRANSITIONS.items() if sources & TERMINAL_STATES}
    assert left == {
        JobState.QUEUED: {JobState.COMPLETED_WITH_ERRORS, JobState.FAILED},
        JobState.VALIDATING: {JobState.FAILED},
    }


def test_every_terminal_state_has_one_event_of_its_own() -> None:
    assert set(TERMINAL_EVENT) == TERMINAL_STATES
    assert len(set(TERMINAL_EVENT.values())) == len(TERMINAL_STATES)
    assert {event.value for event in TERMINAL_EVENT.values()} == {f"job.{state.value}" for state in TERMINAL_STATES}
    assert EventType.JOB_STARTED not in TERMINAL_EVENT.values()


def test_a_job_can_be_canceled_from_every_state_that_is_not_over() -> None:
    can_end = {JobState.CANCELED, JobState.CANCELING}
    for state in set(JobState) - TERMINAL_STATES:
        assert any(state in TRANSITIONS[end] for end in can_end), state
