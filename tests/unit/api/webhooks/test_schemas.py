from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from api.webhooks.schemas import ChangeEndpoint, CreateEndpoint, Redeliver
from shared.contracts.states import DEFAULT_EVENTS, SUBSCRIBABLE_EVENTS, EventType

URL = "https://farm.example.org/hooks"


def test_an_endpoint_that_names_no_events_gets_all_but_progress() -> None:
    assert CreateEndpoint(url=URL).events == list(DEFAULT_EVENTS)
    assert EventType.JOB_PROGRESS not in CreateEndpoint(url=URL).events


@pytest.mark.parametrize("event", SUBSCRIBABLE_EVENTS)
def test_every_event_but_the_test_can_be_asked_for(event: EventType) -> None:
    assert CreateEndpoint.model_validate({"url": URL, "events": [event]}).events == [event]
    with pytest.raises(ValidationError, match=r"webhook\.test cannot be asked for"):
        CreateEndpoint.model_validate({"url": URL, "events": [event, "webhook.test"]})


def test_a_change_tells_what_was_sent_and_nothing_else() -> None:
    assert ChangeEndpoint.model_validate({}).changes() == {}
    assert ChangeEndpoint.model_validate({"description": None}).changes() == {"description": None}
    both = ChangeEndpoint.model_validate({"url": URL, "events": ["job.failed"]})
    assert both.changes() == {"url": URL, "events": [EventType.JOB_FAILED]}


@pytest.mark.parametrize("field", ["url", "events"])
def test_what_an_endpoint_must_have_cannot_be_taken_away(field: str) -> None:
    with pytest.raises(ValidationError, match="must not be null"):
        ChangeEndpoint.model_validate({field: None})
    (kind,) = {ChangeEndpoint.model_json_schema()["properties"][field].get("type")}
    assert kind in {"string", "array"}


@pytest.mark.parametrize("since", [0, 1780300862, 1.5, True, None, "2026-06-01T08:00:00", "2026-06-01", "1780300862"])
def test_a_moment_is_text_with_its_time_zone(since: object) -> None:
    with pytest.raises(ValidationError):
        Redeliver.model_validate({"since": since})


def test_a_moment_in_any_time_zone_is_one_moment() -> None:
    taken = Redeliver.model_validate({"since": "2026-06-01T10:00:00+02:00", "all": True})
    assert taken.since == datetime(2026, 6, 1, 8, tzinfo=UTC)
    assert taken.everything
