"""How far a job is, as clients see it: the numbers add up at every step."""

import uuid
from datetime import UTC, datetime

from shared.db.models import Job
from shared.db.session import Database
from shared.jobs import pauses
from shared.jobs.pauses import Subject
from tests.integration.api.conftest import Hands, truncated
from tests.integration.conftest import Api


def test_the_numbers_add_up_at_every_step(api: Api, committed: str, hands: Hands) -> None:
    percents = []
    while True:
        job = api.get(f"/v1/jobs/{committed}").json()
        counts, progress = job["counts"], job["progress"]
        ended = counts["succeeded"] + counts["failed"] + counts["rejected"] + counts["canceled"]
        assert counts["total"] == 5 == counts["pending"] + ended
        assert progress["percent"] == round(100 * ended / 5, 1)
        percents.append(progress["percent"])
        if job["finished_at"]:
            break
        hands.step(committed, truncated)
    assert percents == [0.0, 0.0, 40.0, 80.0, 100.0]


def test_speed_and_estimated_end_are_there_while_it_runs(api: Api, committed: str, hands: Hands) -> None:
    hands.step(committed)
    before = api.get(f"/v1/jobs/{committed}").json()["progress"]
    assert (before["images_per_second"], before["estimated_end"]) == (None, None)
    hands.step(committed)
    running = api.get(f"/v1/jobs/{committed}").json()["progress"]
    assert running["images_per_second"] > 0
    assert datetime.fromisoformat(running["estimated_end"]).tzinfo == UTC
    assert running["queue_position"] is None
    hands.run(committed)
    over = api.get(f"/v1/jobs/{committed}").json()["progress"]
    assert over["images_per_second"] > 0
    assert (over["percent"], over["estimated_end"], over["queue_position"]) == (100.0, None, None)


def test_a_place_in_the_queue_counts_from_one_and_changes_the_tag(api: Api) -> None:
    jobs = [api.new_job() for _ in range(3)]
    for job_id in jobs:
        api.add(job_id, "1.jpg")
        assert api.get(f"/v1/jobs/{job_id}").json()["progress"]["queue_position"] is None
        api.commit(job_id)

    def places() -> list[int]:
        return [api.get(f"/v1/jobs/{job_id}").json()["progress"]["queue_position"] for job_id in jobs]

    assert places() == [1, 2, 3]
    tag = api.get(f"/v1/jobs/{jobs[2]}").headers["ETag"]
    api.post(f"/v1/jobs/{jobs[0]}/cancel")
    assert places() == [None, 1, 2]
    moved = api.get(f"/v1/jobs/{jobs[2]}", headers={"If-None-Match": tag})
    assert moved.status == 200
    assert moved.headers["ETag"] != tag


def test_a_silence_changes_no_tag(api: Api, committed: str, hands: Hands) -> None:
    hands.step(committed)
    hands.step(committed)
    tags = {api.get(f"/v1/jobs/{committed}").headers["ETag"] for _ in range(3)}
    assert len(tags) == 1


def test_lists_and_answers_of_post_say_nothing_of_it(api: Api, drafted: str) -> None:
    assert api.commit(drafted)["progress"] is None
    (listed,) = api.get("/v1/jobs").json()["jobs"]
    assert listed["progress"] is None
    assert listed["links"]["retry"] == f"/v1/jobs/{drafted}/retry"
    assert listed["links"]["events"] == f"/v1/jobs/{drafted}/events"


def test_a_paused_job_says_so_and_whoever_waits_for_it_is_told(
    api: Api, committed: str, hands: Hands, database: Database
) -> None:
    before = api.get(f"/v1/jobs/{committed}")
    assert before.json()["progress"]["paused"] is False
    with database.begin() as session:
        subject = Subject(tenant_id=session.get_one(Job, uuid.UUID(committed)).tenant_id)
        pauses.pause(session, subject, actor="mia@host")
    paused = api.get(f"/v1/jobs/{committed}?wait=60", headers={"If-None-Match": before.headers["ETag"]})
    assert (paused.status, paused.json()["state"], paused.json()["progress"]["paused"]) == (200, "validating", True)
    assert paused.headers["ETag"] != before.headers["ETag"]
    with database.begin() as session:
        pauses.resume(session, subject)
    hands.step(committed)
    hands.step(committed)
    assert api.get(f"/v1/jobs/{committed}").json()["progress"]["estimated_end"] is not None
    with database.begin() as session:
        pauses.pause(session, subject, actor="mia@host")
    assert api.get(f"/v1/jobs/{committed}").json()["progress"]["estimated_end"] is None, "nobody knows"
    with database.begin() as session:
        pauses.resume(session, subject)
    hands.run(committed)
    assert api.get(f"/v1/jobs/{committed}").json()["progress"]["paused"] is False
