"""What a whole job says, over HTTP and on a real database."""

import uuid
from typing import Any

import pytest
from sqlalchemy import select, text

from shared.contracts.manifest import ReviewReason
from shared.contracts.states import ImageStatus
from shared.db.models import Correction
from shared.db.session import Database
from shared.jobs.results import NewResult
from shared.settings import Settings
from shared.summaries.rows import answered
from shared.summaries.tile_shares import totals
from tests.integration.api.conftest import Hands, truncated
from tests.integration.conftest import Api, MakeKey, MakeSettings, Serve, assert_problem

SOUTH, WEST = 47.99, 7.84
# About 11 and 7.5 metres.
STEP = 0.0001
ANSWERS = {
    1: ("healthy", 0.99, None),
    2: ("rust", 0.95, None),
    3: ("rust", 0.41, ReviewReason.LOW_CONFIDENCE),
    4: ("powdery_mildew", 0.97, ReviewReason.NOT_A_LEAF),
    6: ("healthy", 0.8, None),
}


def classify(seq: int) -> NewResult:
    if seq not in ANSWERS:
        return truncated(seq)
    label, confidence, reason = ANSWERS[seq]
    return NewResult(
        seq=seq,
        status=ImageStatus.SUCCEEDED,
        label=label,
        confidence=confidence,
        probabilities=(0.2, 0.2, 0.6),
        needs_review=reason is not None,
        review_reason=reason,
    )


def image(seq: int) -> dict[str, Any]:
    placed = {"latitude": SOUTH + STEP * (seq // 3), "longitude": WEST + STEP * (seq % 3)} if seq != 6 else {}
    return {"name": f"{seq}.jpg", "size": 4, "metadata": {"row": seq % 2, "bay": "north"} if seq != 5 else {}, **placed}


@pytest.fixture
def hands(database: Database) -> Hands:
    return Hands(database)


@pytest.fixture
def job_id(api: Api, hands: Hands) -> str:
    """Six images: two healthy, one rust, two that ask for a person, one broken; the last has no position."""
    made = api.new_job(name="field")
    assert api.post(f"/v1/jobs/{made}/images", {"images": [image(seq) for seq in range(1, 7)]}).status == 200
    api.commit(made)
    hands.run(made, classify)
    return made


def correct(database: Database, job_id: str, seq: int, label: str) -> None:
    with database.begin() as session:
        session.add(Correction(job_id=uuid.UUID(job_id), seq=seq, label=label))


def test_shares_are_of_the_answers_that_stand(api: Api, job_id: str) -> None:
    summary = api.get(f"/v1/jobs/{job_id}/summary").json()
    assert summary["overall"] == {
        "images": 6,
        "counted": 3,
        "labels": [
            {"label": "healthy", "images": 2, "share": 0.666667, "interval": [0.207660, 0.938508], "tiles": None},
            {"label": "rust", "images": 1, "share": 0.333333, "interval": [0.061492, 0.792340], "tiles": None},
        ],
        "diseased": 1,
        "diseased_share": 0.333333,
        "diseased_interval": [0.061492, 0.792340],
        "needs_review": 2,
        "undecided": 0,
        "review": {"low_confidence": 1, "not_a_leaf": 1},
        "not_classified": 1,
        "failures": {"truncated": 1},
        "corrected": 0,
        "tiles": None,
    }
    assert summary["healthy"] == ["healthy"]
    assert summary["counts"]["total"] == 6


def test_the_least_certain_come_first(api: Api, job_id: str) -> None:
    uncertain = api.get(f"/v1/jobs/{job_id}/summary").json()["uncertain"]
    assert [one["name"] for one in uncertain] == ["3.jpg", "6.jpg", "2.jpg", "4.jpg", "1.jpg"]
    assert (uncertain[0]["label"], uncertain[0]["confidence"]) == ("rust", 0.41)


def test_a_correction_counts_before_the_prediction(api: Api, job_id: str, database: Database) -> None:
    correct(database, job_id, 3, "healthy")
    correct(database, job_id, 5, "downy_mildew")
    summary = api.get(f"/v1/jobs/{job_id}/summary").json()
    overall = summary["overall"]
    assert {one["label"]: one["images"] for one in overall["labels"]} == {"healthy": 3, "rust": 1, "downy_mildew": 1}
    assert (overall["needs_review"], overall["not_classified"], overall["corrected"]) == (1, 0, 2)
    assert overall["diseased"] == 2
    assert "3.jpg" not in [one["name"] for one in summary["uncertain"]]


def test_what_a_person_calls_no_leaf_is_neither_healthy_nor_diseased(api: Api, job_id: str, database: Database) -> None:
    correct(database, job_id, 2, "not_a_leaf")
    summary = api.get(f"/v1/jobs/{job_id}/summary").json()
    overall = summary["overall"]
    assert {one["label"]: one["images"] for one in overall["labels"]} == {"healthy": 2}
    assert (overall["counted"], overall["diseased"], overall["needs_review"], overall["corrected"]) == (2, 0, 3, 1)
    assert "2.jpg" not in [one["name"] for one in summary["uncertain"]]


def test_groups_of_metadata(api: Api, job_id: str) -> None:
    summary = api.get(f"/v1/jobs/{job_id}/summary?group_by=row&group_by=bay").json()
    rows = {group["value"]: group["images"] for group in summary["groups"]["row"]}
    assert rows == {"0": 3, "1": 2, None: 1}
    assert [group["value"] for group in summary["groups"]["bay"]] == ["north", None]


def test_groups_of_metadata_are_one_composed_and_decomposed(api: Api, hands: Hands) -> None:
    """Cards of a Mac and tables of a spreadsheet write the same word in two ways."""
    made = api.new_job()
    metadata = ({"a\u00f1o": "oto\u00f1o"}, {"an\u0303o": "oton\u0303o"}, {"a\u00f1o": "invierno"})
    images = [{"name": f"{number}.jpg", "size": 4, "metadata": one} for number, one in enumerate(metadata)]
    assert api.post(f"/v1/jobs/{made}/images", {"images": images}).status == 200
    api.commit(made)
    hands.run(made, classify)
    for key in ("a%C3%B1o", "an%CC%83o"):
        (groups,) = api.get(f"/v1/jobs/{made}/summary?group_by={key}").json()["groups"].values()
        assert [(group["value"], group["images"]) for group in groups] == [("invierno", 1), ("oto\u00f1o", 2)]


def test_days_are_those_of_the_time_zone(api: Api, job_id: str, database: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE images SET captured_at = '2026-05-14T23:30:00Z' WHERE job_id = %s AND seq <= 2", (job_id,)
        )
    days = api.get(f"/v1/jobs/{job_id}/summary?time_zone=Europe/Madrid").json()["days"]
    assert [(day["day"], day["images"]) for day in days] == [("2026-05-15", 2), (None, 4)]
    assert api.get(f"/v1/jobs/{job_id}/summary").json()["days"][0]["day"] == "2026-05-14"


def test_positions_are_counted_and_missing_ones_have_a_reason(api: Api, job_id: str) -> None:
    positions = api.get(f"/v1/jobs/{job_id}/summary").json()["positions"]
    assert positions["known"] == 5
    assert positions["sources"] == {"client": 5}
    assert sum(positions["missing"].values()) == 1


def test_a_grid_is_made_of_squares_on_the_ground(api: Api, job_id: str) -> None:
    answer = api.get(f"/v1/jobs/{job_id}/grid?edge=5")
    assert answer.headers["Content-Type"].startswith("application/geo+json")
    grid = answer.json()
    assert (grid["type"], grid["edge"], grid["without_position"]) == ("FeatureCollection", 5.0, 1)
    cells = {(f["properties"]["column"], f["properties"]["row"]): f["properties"] for f in grid["features"]}
    assert sum(cell["images"] for cell in cells.values()) == 5
    assert len(cells) == 5
    whole = api.get(f"/v1/jobs/{job_id}/grid?edge=1000").json()["features"]
    assert len(whole) == 1
    assert (whole[0]["properties"]["diseased"], whole[0]["properties"]["counted"]) == (1, 2)


def test_the_same_origin_makes_grids_comparable(api: Api, job_id: str) -> None:
    grid = api.get(f"/v1/jobs/{job_id}/grid?edge=1000&origin=7.81,47.9").json()
    assert grid["origin"] == [7.81, 47.9]
    assert [(f["properties"]["column"], f["properties"]["row"]) for f in grid["features"]] == [(2, 10)]


def test_a_job_without_positions_has_an_empty_grid(api: Api, hands: Hands) -> None:
    made = api.new_job()
    api.add(made, "1.jpg")
    api.commit(made)
    hands.run(made)
    assert api.get(f"/v1/jobs/{made}/grid?edge=5").json()["features"] == []


def test_other_labels_may_be_the_healthy_ones(api: Api, job_id: str) -> None:
    overall = api.get(f"/v1/jobs/{job_id}/summary?healthy=healthy&healthy=rust").json()["overall"]
    assert overall["diseased"] == 0


def test_another_tenant_sees_nothing(api: Api, job_id: str, make_key: MakeKey) -> None:
    stranger = api.with_key(make_key())
    assert_problem(stranger.get(f"/v1/jobs/{job_id}/summary"), 404, "not-found")
    assert_problem(stranger.get(f"/v1/jobs/{job_id}/grid?edge=5"), 404, "not-found")


@pytest.mark.parametrize(
    "query",
    [
        "summary?time_zone=Mars/Olympus",
        "summary?time_zone=../../etc/passwd",
        "grid?edge=5&origin=47.99",
        "grid?edge=5&origin=7.84,91",
        "grid?edge=5&origin=nan,0",
        "grid?edge=0",
        "grid?edge=nan",
        "grid",
    ],
)
def test_nonsense_is_refused(api: Api, job_id: str, query: str) -> None:
    assert api.get(f"/v1/jobs/{job_id}/{query}").status == 422


def test_limits_name_their_setting(
    serve_api: Serve, make_settings: MakeSettings, settings: Settings, job_id: str, api: Api
) -> None:
    url = settings.database_url.get_secret_value()
    with serve_api(make_settings(database_url=url, max_summary_groups=1, max_grid_cells=1)) as strict:
        here = strict.with_key(api.key)
        groups = assert_problem(here.get(f"/v1/jobs/{job_id}/summary?group_by=row"), 422, "limit-exceeded")
        cells = assert_problem(here.get(f"/v1/jobs/{job_id}/grid?edge=5"), 422, "limit-exceeded")
    assert groups["setting"] == "PHYTOBATCH_MAX_SUMMARY_GROUPS"
    assert cells["setting"] == "PHYTOBATCH_MAX_GRID_CELLS"


FILL = """
    WITH job AS (SELECT id, tenant_id FROM jobs WHERE id = %(job)s),
    made AS (INSERT INTO images (job_id, seq, name, size, object_key)
             SELECT job.id, n, n || '.jpg', 4, n::text FROM job, generate_series(1, %(images)s) AS n
             RETURNING job_id, seq)
    INSERT INTO results (job_id, seq, position, status, label, confidence, needs_review)
    SELECT job_id, seq, seq, 'succeeded', 'healthy', 0.9, false FROM made
"""


def test_a_large_job_that_is_new_to_the_statistics_is_not_joined_by_nested_loops(database: Database, api: Api) -> None:
    for images in (50, 3000):  # What the statistics know is the small one.
        made = api.new_job()
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(FILL, {"job": made, "images": images})
            if images == 50:  # as above
                connection.exec_driver_sql("ANALYZE images")
                connection.exec_driver_sql("ANALYZE results")
    with database.begin() as session:
        rows = answered(session, uuid.UUID(made))
        for query in (
            select(rows.c.label),
            totals(rows, rows.c.metadata.op("->>")("row"), ("healthy", "rust"), ["healthy"]),
        ):
            statement = query.compile(session.connection(), compile_kwargs={"literal_binds": True})
            plan = "\n".join(session.scalars(text(f"EXPLAIN {str(statement).replace(':', chr(92) + ':')}")))
            assert "Nested Loop" not in plan, plan
    assert api.get(f"/v1/jobs/{made}/summary").json()["overall"]["counted"] == 3000
