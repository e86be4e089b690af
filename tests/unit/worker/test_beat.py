"""What beat publishes, and what Redis does not take, is counted."""

import pytest
from celery import Celery
from celery.beat import SchedulingError

from shared.metrics.definitions import BEAT_REQUESTS
from worker.beat import FAILED, PUBLISHED, Beat

NOWHERE = "redis://127.0.0.1:1/0"


def counted() -> dict[str, float]:
    return {
        sample.labels["outcome"]: sample.value
        for family in BEAT_REQUESTS.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    }


@pytest.mark.parametrize(("broker", "outcome"), [("memory://", PUBLISHED), (NOWHERE, FAILED)])
def test_each_request_of_beat_is_counted_by_what_came_of_it(broker: str, outcome: str) -> None:
    app = Celery("test", broker=broker, set_as_current=False)
    app.conf.update(
        task_publish_retry=False,
        beat_schedule={"sweep": {"task": "sweep", "schedule": 10.0}},
        broker_transport_options={"socket_connect_timeout": 1, "max_retries": 0},
    )
    beat = Beat(app=app, lazy=True)
    beat.setup_schedule()
    before = counted()
    (entry,) = (entry for name, entry in beat.schedule.items() if name == "sweep")
    if outcome == FAILED:
        with pytest.raises(SchedulingError):
            beat.apply_async(entry, advance=False)
    else:
        beat.apply_async(entry, advance=False)
    grown = {name: value - before.get(name, 0) for name, value in counted().items()}
    assert {name: by for name, by in grown.items() if by} == {outcome: 1}
