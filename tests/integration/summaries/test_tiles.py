"""Summaries of jobs with tiles: shares count tiles, intervals photographs, and what is undecided stands beside them."""

import uuid
from typing import Any

import pytest

from shared.contracts.manifest import ReviewReason
from shared.db.models import CorrectionEntry
from shared.db.session import Database
from tests.integration.api.conftest import Hands, rust, truncated
from tests.integration.conftest import Api
from tests.integration.tiled_jobs import COARSE, HEALTHY, MILDEW, ROAD, RUST, Answer, answer_by_tiles

ANSWERS = {
    1: Answer([HEALTHY] * 10, "healthy"),
    2: Answer([HEALTHY] * 4 + [RUST] * 6 + [ROAD] * 2, "rust"),
    3: Answer([HEALTHY] * 3 + [ROAD, COARSE], None, ReviewReason.TOO_FEW_TILES),
    4: Answer([COARSE] * 7, None, ReviewReason.TOO_COARSE),
    5: Answer([HEALTHY] * 18 + [MILDEW] * 2 + [COARSE] * 3, "healthy"),
}


@pytest.fixture
def hands(database: Database) -> Hands:
    return Hands(database)


@pytest.fixture
def job_id(api: Api, hands: Hands, database: Database) -> str:
    """Six photographs: two healthy, one with rust, two undecided, one broken."""
    made = api.new_job(name="bench")
    images = [
        {"name": f"{n}.jpg", "size": 4, "metadata": {"bay": n % 2}, "latitude": 48.0, "longitude": 7.0 + n // 4}
        for n in range(1, 7)
    ]
    assert api.post(f"/v1/jobs/{made}/images", {"images": images}).status == 200
    api.commit(made)
    hands.run(made, lambda seq: truncated(seq) if seq == 6 else rust(seq))
    answer_by_tiles(database, made, ANSWERS)
    return made


def overall(api: Api, job_id: str, query: str = "") -> dict[str, Any]:
    return dict(api.get(f"/v1/jobs/{job_id}/summary{query}").json()["overall"])


def labels(shares: dict[str, Any]) -> dict[str, tuple[int, int, float]]:
    return {one["label"]: (one["images"], one["tiles"], one["share"]) for one in shares["labels"]}


def correct(database: Database, job_id: str, seq: int, label: str, *, tile: int | None = None) -> None:
    with database.begin() as session:
        session.add(CorrectionEntry(job_id=uuid.UUID(job_id), seq=seq, tile=tile, label=label, corrected_by="Eva"))


def test_shares_count_the_tiles_of_photographs_whose_answer_stands(api: Api, job_id: str) -> None:
    seen = overall(api, job_id)
    assert labels(seen) == {"healthy": (2, 32, 0.8), "rust": (1, 6, 0.15), "powdery_mildew": (0, 2, 0.05)}
    assert [one["label"] for one in seen["labels"]] == ["healthy", "rust", "powdery_mildew"]
    assert (seen["images"], seen["counted"], seen["diseased"], seen["diseased_share"]) == (6, 3, 1, 0.2)
    assert seen["tiles"] == {
        "total": 57,
        "counted": 40,
        "photographs": 3,
        "diseased": 8,
        "review": {"not_a_leaf": 2},
        "skipped": {"too_coarse": 3},
        "beside": 12,
    }


def test_what_is_undecided_stands_beside_the_shares_with_its_reasons(api: Api, job_id: str) -> None:
    summary = api.get(f"/v1/jobs/{job_id}/summary").json()
    seen = summary["overall"]
    assert (seen["undecided"], seen["needs_review"]) == (2, 2)
    assert seen["review"] == {"too_few_tiles": 1, "too_coarse": 1}
    assert [one["seq"] for one in summary["uncertain"]] == [1, 2, 5]


def test_intervals_count_photographs_and_are_wider_than_their_tiles_pretend(api: Api, job_id: str) -> None:
    seen = overall(api, job_id)
    low, high = seen["diseased_interval"]
    assert low < 0.2 < high
    assert high - low > 0.6  # three photographs; 40 independent tiles would have 0.24
    assert all(one["interval"][0] <= one["share"] <= one["interval"][1] for one in seen["labels"])


def test_one_photograph_has_no_interval(api: Api, job_id: str) -> None:
    groups = api.get(f"/v1/jobs/{job_id}/summary?group_by=bay").json()["groups"]["bay"]
    even, odd = groups
    assert (even["tiles"]["photographs"], even["diseased_share"], even["diseased_interval"]) == (1, 0.6, None)
    assert {one["interval"] for one in even["labels"]} == {None}
    assert (odd["tiles"]["photographs"], odd["undecided"]) == (2, 1)
    assert odd["diseased_interval"] is not None


def test_groups_days_and_squares_add_up_to_the_whole(api: Api, job_id: str) -> None:
    summary = api.get(f"/v1/jobs/{job_id}/summary?group_by=bay").json()
    whole = summary["overall"]
    cells = [f["properties"] for f in api.get(f"/v1/jobs/{job_id}/grid?edge=50000").json()["features"]]
    assert len(cells) == 2
    for parts in (summary["groups"]["bay"], summary["days"], cells):
        for key in ("total", "counted", "photographs", "diseased", "beside"):
            assert sum(part["tiles"][key] for part in parts) == whole["tiles"][key], key
        assert sum(part["undecided"] for part in parts) == whole["undecided"]


def test_a_square_of_all_photographs_says_what_the_whole_job_says(api: Api, job_id: str) -> None:
    (cell,) = api.get(f"/v1/jobs/{job_id}/grid?edge=100000&origin=6.9,47.9").json()["features"]
    properties = {key: value for key, value in cell["properties"].items() if key not in {"column", "row"}}
    assert properties == overall(api, job_id)


def test_a_corrected_photograph_counts_with_all_its_counted_tiles(api: Api, job_id: str, database: Database) -> None:
    correct(database, job_id, 2, "healthy")
    correct(database, job_id, 3, "rust")
    correct(database, job_id, 6, "rust")
    seen = overall(api, job_id)
    assert labels(seen) == {
        "healthy": (3, 38, round(38 / 43, 6)),
        "rust": (2, 3, round(3 / 43, 6)),
        "powdery_mildew": (0, 2, round(2 / 43, 6)),
    }
    assert (seen["tiles"]["beside"], seen["undecided"], seen["corrected"]) == (7, 1, 3)
    (cell,) = api.get(f"/v1/jobs/{job_id}/grid?edge=100000&origin=6.9,47.9").json()["features"]
    assert cell["properties"]["tiles"] == seen["tiles"]


def test_a_corrected_tile_counts_with_its_label_whatever_its_answer_was(
    api: Api, job_id: str, database: Database
) -> None:
    for tile in (0, 9, 10):  # healthy, rust, a road
        correct(database, job_id, 2, "powdery_mildew", tile=tile)
    seen = overall(api, job_id)
    counts = {label: tiles for label, (_, tiles, _) in labels(seen).items()}
    assert counts == {"healthy": 31, "rust": 5, "powdery_mildew": 5}
    assert (seen["tiles"]["counted"], seen["tiles"]["review"], seen["tiles"]["total"]) == (41, {"not_a_leaf": 1}, 57)
    correct(database, job_id, 2, "healthy")
    seen = overall(api, job_id)
    assert {label: tiles for label, (_, tiles, _) in labels(seen).items()} == {"healthy": 36, "powdery_mildew": 5}
    (cell,) = api.get(f"/v1/jobs/{job_id}/grid?edge=100000&origin=6.9,47.9").json()["features"]
    assert cell["properties"]["tiles"] == seen["tiles"]


def test_what_a_person_calls_no_leaf_is_in_no_share(api: Api, job_id: str, database: Database) -> None:
    before = overall(api, job_id)
    correct(database, job_id, 2, "not_a_leaf", tile=0)
    tiles = overall(api, job_id)["tiles"]
    assert (tiles["counted"], tiles["total"]) == (before["tiles"]["counted"] - 1, before["tiles"]["total"])
    assert tiles["review"]["not_a_leaf"] == before["tiles"]["review"].get("not_a_leaf", 0) + 1
    for seq in (2, 3):  # one with a corrected tile, one without
        correct(database, job_id, seq, "not_a_leaf")
    seen = overall(api, job_id)
    assert "not_a_leaf" not in labels(seen)
    assert seen["tiles"]["beside"] > before["tiles"]["beside"]
    assert seen["tiles"]["total"] == before["tiles"]["total"]


def test_a_corrected_tile_decides_nothing_of_its_photograph(api: Api, job_id: str, database: Database) -> None:
    correct(database, job_id, 3, "rust", tile=3)
    seen = overall(api, job_id)
    assert (seen["undecided"], seen["tiles"]["beside"], seen["tiles"]["total"]) == (2, 12, 57)


def test_other_labels_may_be_the_healthy_ones(api: Api, job_id: str) -> None:
    seen = overall(api, job_id, "?healthy=healthy&healthy=rust")
    assert (seen["tiles"]["diseased"], seen["diseased_share"], seen["diseased"]) == (2, 0.05, 0)


def test_a_job_of_nothing_but_undecided_photographs_has_no_share(
    api: Api, committed: str, hands: Hands, database: Database
) -> None:
    hands.run(committed)
    answer_by_tiles(database, committed, dict.fromkeys(range(1, 6), ANSWERS[4]))
    seen = overall(api, committed)
    assert (seen["counted"], seen["undecided"], seen["labels"], seen["diseased_share"]) == (0, 5, [], None)
    assert (seen["tiles"]["beside"], seen["tiles"]["photographs"]) == (35, 0)


@pytest.fixture
def committed(api: Api) -> str:
    made = api.new_job()
    api.add(made, *(f"{number}.jpg" for number in range(1, 6)))
    api.commit(made)
    return made
