"""What people say of tiles: beside the answer of the tile, apart from that of the image."""

import uuid
from typing import Any

import pytest
from sqlalchemy import update

from shared.db.models import ImageHead, Job
from shared.db.session import Database
from shared.jobs.results import NewResult
from tests.integration.api.conftest import Hands, rust
from tests.integration.conftest import Api, assert_problem
from tests.integration.corrections.maps import in_tiles


def all_but_the_fifth(seq: int) -> NewResult:
    return rust(seq) if seq == 5 else in_tiles(seq)


@pytest.fixture
def done(hands: Hands, committed: str) -> str:
    hands.run(committed, all_but_the_fifth)
    return committed


def correct(api: Api, job_id: str, seq: int, tile: int, **body: Any) -> Any:  # noqa: ANN401  # an answer
    return api.request("PUT", f"/v1/jobs/{job_id}/images/{seq}/tiles/{tile}/correction", json=body)


def send(api: Api, job_id: str, table: str) -> Any:  # noqa: ANN401  # an answer
    path = f"/v1/jobs/{job_id}/corrections"
    return api.request("POST", path, body=table.encode(), headers={"Content-Type": "text/csv"})


def listed(api: Api, job_id: str) -> list[tuple[int, int | None, str]]:
    page = api.get(f"/v1/jobs/{job_id}/corrections").json()
    return [(one["seq"], one["tile"], one["label"]) for one in page["corrections"]]


def test_a_tile_is_corrected_beside_its_own_answer(api: Api, done: str) -> None:
    answer = correct(api, done, 1, 5, label="powdery_mildew", note="lower leaf")
    assert answer.status == 200, answer.data
    made = answer.json()
    assert (made["seq"], made["tile"], made["label"], made["corrected_by"]) == (1, 5, "powdery_mildew", "test")
    assert (made["predicted"], round(made["confidence"], 3)) == ("healthy", 0.9)
    assert made["box"] == {"left": 300, "top": 100, "right": 500, "bottom": 300}
    assert api.get(f"/v1/jobs/{done}/results").json()["results"][0]["correction"] is None


def test_image_and_tiles_are_listed_in_their_order_and_page_by_page(api: Api, done: str) -> None:
    for tile in (3, 0):
        correct(api, done, 2, tile, label="healthy")
    for seq in (3, 2):
        api.request("PUT", f"/v1/jobs/{done}/images/{seq}/correction", json={"label": "rust"})
    correct(api, done, 1, 2, label="rust")
    everything = [(1, 2, "rust"), (2, None, "rust"), (2, 0, "healthy"), (2, 3, "healthy"), (3, None, "rust")]
    assert listed(api, done) == everything
    seen, after = [], "-1"
    while True:
        page = api.get(f"/v1/jobs/{done}/corrections?limit=1&after={after}").json()
        seen += [(one["seq"], one["tile"], one["label"]) for one in page["corrections"]]
        after = page["after"]
        if not page["has_more"]:
            break
    assert seen == everything


def test_taking_back_a_tile_leaves_the_others(api: Api, done: str) -> None:
    for tile in (0, 1):
        correct(api, done, 1, tile, label="healthy", corrected_by="Ana")
    correct(api, done, 1, 0, label="rust", corrected_by="Ben")
    api.request("DELETE", f"/v1/jobs/{done}/images/1/tiles/0/correction?corrected_by=Ben")
    assert listed(api, done) == [(1, 0, "healthy"), (1, 1, "healthy")]
    assert api.request("DELETE", f"/v1/jobs/{done}/images/1/tiles/0/correction").status == 204
    assert api.request("DELETE", f"/v1/jobs/{done}/images/1/correction").status == 204
    assert listed(api, done) == [(1, 1, "healthy")]


def test_an_image_without_a_map_and_a_tile_outside_of_one_are_refused(api: Api, done: str) -> None:
    draft = api.new_job()
    api.add(draft, "1.jpg")
    for job_id, seq in ((done, 5), (draft, 1)):
        assert_problem(correct(api, job_id, seq, 0, label="rust"), 404, "no-tiles")
        path = f"/v1/jobs/{job_id}/images/{seq}/tiles/0/correction"
        assert_problem(api.request("DELETE", path), 404, "no-tiles")
    assert_problem(correct(api, done, 99, 0, label="rust"), 404, "not-found")
    problem = assert_problem(correct(api, done, 1, 6, label="rust"), 422, "invalid-request")
    assert problem["detail"] == "image 1 has the tiles 0 to 5, and no tile 6"
    assert listed(api, done) == []


def test_a_table_has_a_column_for_tiles(api: Api, done: str) -> None:
    answer = send(api, done, "name,tile,label\n1.jpg,4,rust\n1.jpg,,healthy\n1.jpg,0,healthy\n")
    assert answer.json() == {"corrections": 3, "changed": 3}
    assert listed(api, done) == [(1, None, "healthy"), (1, 0, "healthy"), (1, 4, "rust")]
    problem = assert_problem(
        send(api, done, "seq,tile,label\n1,6,rust\n5,0,rust\n2,-1,rust\n9,0,rust\n2,1,rust\n2,1,healthy\n"),
        422,
        "rows-invalid",
    )
    assert [(error["field"], error["message"]) for error in problem["errors"]] == [
        ("line 4", "'-1' is no number of a tile"),
    ]
    problem = assert_problem(
        send(api, done, "seq,tile,label\n1,6,rust\n5,0,rust\n9,0,rust\n2,1,rust\n2,1,healthy\n"), 422, "rows-invalid"
    )
    assert [(error["field"], error["message"]) for error in problem["errors"]] == [
        ("line 2", "image 1 has the tiles 0 to 5, and no tile 6"),
        ("line 3", "image 5 has no tiles: it was answered as a whole, or has no answer yet"),
        ("line 4", "the job has no image 9"),
        ("line 6", "line 5 says something else of the same tile"),
    ]


def test_a_tile_says_how_large_its_pixels_are_on_the_ground(api: Api, done: str, database: Database) -> None:
    for seq in (1, 2):
        assert correct(api, done, seq, 0, label="rust").json()["ground_resolution_mm"] is None
    api.request("PUT", f"/v1/jobs/{done}/images/1/correction", json={"label": "rust"})
    with database.begin() as session:
        session.add(ImageHead(job_id=uuid.UUID(done), seq=1, ground_resolution_mm=3.4142))

    def said() -> list[float | None]:
        page = api.get(f"/v1/jobs/{done}/corrections").json()
        return [one["ground_resolution_mm"] for one in page["corrections"]]

    assert said() == [None, 3.4142, None]
    with database.begin() as session:
        session.execute(update(Job).where(Job.id == uuid.UUID(done)).values(ground_resolution_mm=5.0))
    assert said() == [None, 5.0, 5.0]
