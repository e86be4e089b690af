"""``/v1/jobs/{id}/events``: everything that happens is told once, to everybody who listens."""

import itertools
import uuid
from collections.abc import Iterator

import pytest

from shared.contracts.states import Scope
from shared.settings import Settings
from tests.integration.api.conftest import Hands, rust, truncated
from tests.integration.api.event_stream import Told, following, types
from tests.integration.conftest import Api, MakeKey, MakeSettings, Serve, assert_problem


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(public_url="https://phytobatch.example.org/")


@pytest.fixture(scope="module")
def impatient(settings: Settings, serve_api: Serve) -> Iterator[Api]:
    """The same database, with streams that beat fast and end soon."""
    with serve_api(settings.model_copy(update={"stream_heartbeat_seconds": 0.1, "stream_seconds": 1.0})) as api:
        yield api


def test_a_stream_begins_with_the_job_as_it_stands_and_ends_when_it_is_over(
    api: Api, committed: str, hands: Hands
) -> None:
    with following(api, committed) as stream:
        assert stream.status == 200
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.headers["Cache-Control"] == "no-store"
        assert stream.block() == {"retry": "2000"}
        first = stream.next()
        assert first is not None
        assert first.type == "job.progress"
        assert first.data["state"] == "validating"
        assert first.data["progress"]["percent"] == 0.0
        assert first.data["links"]["job"] == f"https://phytobatch.example.org/v1/jobs/{committed}"
        hands.run(committed)
        rest = stream.rest()
    assert types(rest) == ["job.validated", "job.started", "job.completed"]
    assert rest[-1].data["counts"]["succeeded"] == 5


def test_ids_only_go_up_and_progress_never_comes_before_an_event_that_is_older(
    api: Api, committed: str, hands: Hands
) -> None:
    with following(api, committed) as stream:
        hands.run(committed)
        told = stream.rest()
    ids = [one.id for one in told]
    assert ids == sorted(ids)
    for before, after in itertools.pairwise(told):
        # The same id twice: how far it was when that happened.
        assert before.id < after.id or after.type == "job.progress"


def test_whoever_goes_on_from_an_id_misses_nothing(api: Api, committed: str, hands: Hands) -> None:
    with following(api, committed) as stream:
        hands.step(committed)
        (seen,) = types(stream.until("job.validated"))
        assert seen == "job.validated"
    last = last_event(api, committed, 0, "job.validated")
    hands.run(committed, lambda seq: truncated(seq) if seq == 1 else rust(seq))
    with following(api, committed, last_event_id=last.id) as stream:
        assert types(stream.rest()) == ["job.started", "job.completed_with_errors"]


def last_event(api: Api, job_id: str, after: int, event_type: str) -> Told:
    with following(api, job_id, last_event_id=after) as stream:
        return stream.until(event_type)[-1]


def test_from_zero_the_whole_story_is_told(api: Api, committed: str, hands: Hands) -> None:
    hands.run(committed)
    with following(api, committed, last_event_id=0) as stream:
        assert [one.type for one in stream.rest()] == ["job.validated", "job.started", "job.completed"]


def test_of_a_job_that_is_over_a_new_client_hears_the_end_and_then_to_stay_away(
    api: Api, committed: str, hands: Hands
) -> None:
    hands.run(committed)
    with following(api, committed) as stream:
        (end,) = stream.rest()
    assert end.type == "job.completed"
    with following(api, committed, last_event_id=end.id) as stream:
        assert (stream.status, stream.block()) == (204, None)


@pytest.mark.parametrize("given", ["nonsense", "-1", "9" * 5000, str(2**62), "1.5", ""])
def test_an_id_that_the_job_never_gave_is_as_good_as_none(api: Api, committed: str, hands: Hands, given: str) -> None:
    hands.run(committed)
    with following(api, committed, last_event_id=given) as stream:
        assert [one.type for one in stream.rest()] == ["job.completed"]


def test_a_retried_job_has_a_second_end(api: Api, committed: str, hands: Hands) -> None:
    hands.run(committed, truncated)
    first = last_event(api, committed, 0, "job.failed")
    assert api.post(f"/v1/jobs/{committed}/retry").status == 202
    with following(api, committed, last_event_id=first.id) as stream:
        hands.run(committed)
        rest = stream.rest()
    assert types(rest) == ["job.retried", "job.started", "job.completed"]
    assert rest[-1].data["retries"] == 1


def test_many_streams_of_one_job_hear_the_same(api: Api, committed: str, hands: Hands) -> None:
    with following(api, committed) as one, following(api, committed) as two, following(api, committed) as three:
        hands.run(committed)
        ends = [stream.rest()[-1].body for stream in (one, two, three)]
    assert ends[0]["type"] == "job.completed"
    assert ends[0] == ends[1] == ends[2]


def test_who_joins_late_hears_everything_once_though_others_listen_already(
    api: Api, committed: str, hands: Hands
) -> None:
    with following(api, committed) as early:
        for event_type in ("job.validated", "job.started"):
            hands.step(committed)
            early.until(event_type)
        with following(api, committed, last_event_id=0) as late:
            assert types(late.until("job.started")) == ["job.validated", "job.started"]
            hands.run(committed)
            assert types(late.rest()) == types(early.rest()) == ["job.completed"]
        with following(api, committed, last_event_id=0) as last:
            assert types(last.rest()) == ["job.validated", "job.started", "job.completed"]


def test_a_place_in_the_queue_is_told_while_it_changes(api: Api) -> None:
    first, second = (api.new_job(), api.new_job())
    for job_id in (first, second):
        api.add(job_id, "1.jpg")
        api.commit(job_id)
    with following(api, second) as stream:
        at_first = stream.next()
        assert at_first is not None
        assert at_first.data["progress"]["queue_position"] == 2
        api.post(f"/v1/jobs/{first}/cancel")
        moved = stream.next()
        assert moved is not None
        # Not by an event of its own: the second job has not changed.
        assert (moved.type, moved.data["progress"]["queue_position"]) == ("job.progress", 1)
        assert moved.id == at_first.id


def test_without_news_there_is_a_comment_and_then_an_end(impatient: Api, api: Api, drafted: str) -> None:
    with following(impatient.with_key(api.key), drafted) as stream:
        blocks = list(iter(stream.block, None))
    assert [block.get("event") for block in blocks[:2]] == [None, "job.progress"]
    assert len(blocks) > 3
    assert all(set(block) == {""} for block in blocks[2:])


def test_a_deleted_job_ends_its_stream(api: Api, drafted: str) -> None:
    with following(api, drafted) as stream:
        stream.until("job.progress")
        assert api.request("DELETE", f"/v1/jobs/{drafted}").status == 202
        told = stream.rest()
    assert types(told) in ([], ["job.canceled"])
    assert_problem(api.get(f"/v1/jobs/{drafted}/events"), 404, "not-found")


def test_only_its_tenant_may_listen_and_only_with_the_scope(api: Api, committed: str, make_key: MakeKey) -> None:
    path = f"/v1/jobs/{committed}/events"
    assert_problem(api.with_key(make_key()).get(path), 404, "not-found")
    assert_problem(api.with_key(None).get(path), 401, "unauthenticated")
    assert_problem(api.with_key(make_key(None, Scope.SUBMIT)).get(path), 403, "forbidden")
    assert_problem(api.get(f"/v1/jobs/{uuid.uuid4()}/events"), 404, "not-found")
