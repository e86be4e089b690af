"""Exports of jobs with tiles: sums beside each image, and a row for each tile."""

import io
import json
import uuid
from collections import Counter
from typing import Any

import pytest
from arro3.io import read_parquet
from sqlalchemy import text

from shared.contracts.exports import ExportContent
from shared.contracts.manifest import ReviewReason
from shared.db.models import CorrectionEntry, Job
from shared.db.session import Database
from shared.errors import Conflict
from shared.exports.sheet import plan_tiles
from shared.exports.tile_rows import read_tile_pages
from shared.jobs import exports
from shared.jobs.chunks import EXPORT_POOLS
from shared.jobs.results import ResultFilter
from shared.settings import Settings
from tests.integration.api.conftest import Hands, rust, truncated
from tests.integration.conftest import LABELS, Api, MakeSettings, Serve, assert_problem
from tests.integration.exports.conftest import ExportSlot
from tests.integration.tiled_jobs import COARSE, HEALTHY, ROAD, RUST, Answer, answer_by_tiles

ANSWERS = {
    1: Answer([HEALTHY] * 3, "healthy"),
    2: Answer([HEALTHY, RUST, ROAD, COARSE], "rust"),
    3: Answer([COARSE] * 2, None, ReviewReason.TOO_COARSE),
    5: Answer([RUST], "rust"),
}
TILES = 10


@pytest.fixture(autouse=True)
def _nothing_waits(database: Database) -> None:
    """A claim takes whatever waits, so each test begins without."""
    with database.begin() as session:
        session.execute(text("DELETE FROM exports"))


@pytest.fixture
def bench(hands: Hands, committed: str, database: Database) -> str:
    """Five photographs, of which the fourth failed, with ten tiles; a person corrected one of these."""
    hands.run(committed, lambda seq: truncated(seq) if seq == 4 else rust(seq))
    answer_by_tiles(database, committed, ANSWERS)
    with database.begin() as session:
        session.add(CorrectionEntry(job_id=uuid.UUID(committed), seq=2, tile=2, label="rust", corrected_by="Eva"))
    return committed


def lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def test_results_have_the_sums_of_tiles(api: Api, bench: str) -> None:
    rows = lines(api.get(f"/v1/jobs/{bench}/export?format=ndjson").data)
    names = ("label", "tiles", "tiles_counted", *(f"tiles_{label}" for label in LABELS))
    assert [[row[name] for name in names] for row in rows] == [
        ["healthy", 3, 3, 3, 0, 0],
        ["rust", 4, 2, 1, 0, 1],
        [None, 2, 0, 0, 0, 0],
        [None, None, None, None, None, None],
        ["rust", 1, 1, 0, 0, 1],
    ]


def test_a_job_without_tiles_has_the_table_of_before(api: Api, hands: Hands, committed: str) -> None:
    hands.run(committed)
    (row, *_) = lines(api.get(f"/v1/jobs/{committed}/export?format=ndjson").data)
    assert not [name for name in row if name.startswith("tiles")]
    problem = assert_problem(
        api.get(f"/v1/jobs/{committed}/export?content=tiles&format=ndjson"), 422, "invalid-request"
    )
    assert "has no tiles" in problem["detail"]
    body = {"format": "ndjson", "content": "tiles"}
    assert_problem(api.post(f"/v1/jobs/{committed}/exports", body), 422, "invalid-request")


def test_each_tile_is_a_row_in_the_order_of_the_images(api: Api, bench: str) -> None:
    answer = api.get(f"/v1/jobs/{bench}/export?content=tiles")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert (answer.headers["X-Phytobatch-Rows"], answer.headers["X-Phytobatch-Pending"]) == (str(TILES), "0")
    assert f"{bench[-8:]}.tiles.ndjson" in answer.headers["Content-Disposition"]
    rows = lines(answer.data)
    assert [(row["seq"], row["tile"]) for row in rows] == [
        *((1, tile) for tile in range(3)),
        *((2, tile) for tile in range(4)),
        *((3, tile) for tile in range(2)),
        (5, 0),
    ]
    assert rows[5] == {
        "seq": 2,
        "name": "2.jpg",
        "tile": 2,
        "left": 200,
        "top": 0,
        "right": 300,
        "bottom": 100,
        "label": "rust",
        "confidence": 0.500008,
        "review_reason": "not_a_leaf",
        "skipped": None,
        "corrected_label": "rust",
    }
    assert (rows[6]["left"], rows[6]["right"], rows[6]["label"], rows[6]["skipped"]) == (250, 350, None, "too_coarse")


def test_a_parquet_file_has_the_same_rows(api: Api, bench: str) -> None:
    rows = lines(api.get(f"/v1/jobs/{bench}/export?content=tiles&format=ndjson").data)
    table = read_parquet(io.BytesIO(api.get(f"/v1/jobs/{bench}/export?content=tiles&format=parquet").data)).read_all()
    assert {name: table[name].to_pylist() for name in rows[0]} == {
        name: [row[name] for row in rows] for name in rows[0]
    }


def test_filters_choose_photographs(api: Api, bench: str) -> None:
    rows = lines(api.get(f"/v1/jobs/{bench}/export?content=tiles&label=rust").data)
    assert Counter(row["seq"] for row in rows) == {2: 4, 5: 1}
    assert api.get(f"/v1/jobs/{bench}/export?content=tiles&status=failed").data == b""


@pytest.mark.parametrize("name", ["csv", "geojson", "shapefile", "kml", "geoparquet"])
def test_other_formats_are_refused_in_words(api: Api, bench: str, name: str) -> None:
    for answer in (
        api.get(f"/v1/jobs/{bench}/export?content=tiles&format={name}"),
        api.post(f"/v1/jobs/{bench}/exports", {"format": name, "content": "tiles"}),
    ):
        problem = assert_problem(answer, 422, "invalid-request")
        assert f"written as ndjson or parquet, not as {name}" in problem["detail"]


def test_the_header_accept_chooses_among_those_that_hold_tiles(api: Api, bench: str) -> None:
    path = f"/v1/jobs/{bench}/export?content=tiles"
    parquet = api.get(path, headers={"Accept": "application/vnd.apache.parquet"})
    assert parquet.headers["Content-Type"] == "application/vnd.apache.parquet"
    assert_problem(api.get(path, headers={"Accept": "text/csv"}), 406, "not-acceptable")


def test_the_limit_of_direct_exports_counts_tiles(
    api: Api, bench: str, serve_api: Serve, make_settings: MakeSettings, settings: Settings
) -> None:
    url = settings.database_url.get_secret_value()
    with serve_api(make_settings(database_url=url, max_direct_export_rows=TILES - 1)) as strict:
        here = strict.with_key(api.key)
        assert here.get(f"/v1/jobs/{bench}/export").status == 200
        problem = assert_problem(here.get(f"/v1/jobs/{bench}/export?content=tiles"), 422, "limit-exceeded")
    assert f"{TILES} tiles" in problem["detail"]


def test_a_worker_makes_them_in_the_background(api: Api, bench: str, exporter: ExportSlot, database: Database) -> None:
    body = {"format": "ndjson", "content": "tiles", "filters": {"label": "rust"}}
    made = api.post(f"/v1/jobs/{bench}/exports", body).json()
    assert made["content"] == "tiles"
    with database.begin() as session:
        pool = session.scalar(text("SELECT pool FROM chunks WHERE export_id = :id"), {"id": made["id"]})
    assert pool == EXPORT_POOLS[ExportContent.TILES]
    assert exporter.work_once()
    seen = api.get(f"/v1/exports/{made['id']}").json()
    assert (seen["state"], seen["rows"], seen["error"]) == ("completed", 5, None)
    assert seen["download"]["file_name"].endswith(".tiles.ndjson")
    assert [(row["seq"], row["tile"]) for row in lines(api.pool.request("GET", seen["download"]["url"]).data)] == [
        (2, 0),
        (2, 1),
        (2, 2),
        (2, 3),
        (5, 0),
    ]


def test_the_content_is_part_of_a_repeated_request(api: Api, bench: str) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    path = f"/v1/jobs/{bench}/exports"
    first = api.post(path, {"format": "ndjson"}, headers=key).json()
    again = api.post(path, {"format": "ndjson", "content": "results"}, headers=key).json()
    assert (first["content"], again["id"]) == ("results", first["id"])
    assert api.post(path, {"format": "ndjson", "content": "tiles"}, headers=key).status == 422


def test_an_export_that_starts_over_waits_in_the_same_pool(api: Api, bench: str, database: Database) -> None:
    made = api.post(f"/v1/jobs/{bench}/exports", {"format": "parquet", "content": "tiles"}).json()
    with database.begin() as session:
        session.execute(text("DELETE FROM chunks WHERE export_id = :id"), {"id": made["id"]})
        assert exports.adopt(session, uuid.UUID(made["id"]))
        pools = session.scalars(text("SELECT pool FROM chunks WHERE export_id = :id"), {"id": made["id"]}).all()
        assert pools == [EXPORT_POOLS[ExportContent.TILES]]
        session.execute(text("DELETE FROM chunks WHERE export_id = :id"), {"id": made["id"]})
        session.execute(text("UPDATE exports SET state = 'failed' WHERE id = :id"), {"id": made["id"]})
        exports.start_over(session, uuid.UUID(made["id"]))
        pools = session.scalars(text("SELECT pool FROM chunks WHERE export_id = :id"), {"id": made["id"]}).all()
        assert pools == [EXPORT_POOLS[ExportContent.TILES]]


def test_pages_are_bounded_by_photographs_and_by_rows(bench: str, database: Database) -> None:
    def pages(*, images: int, rows: int, expected: int = TILES) -> list[int]:
        read = read_tile_pages(
            database,
            uuid.UUID(bench),
            labels=LABELS,
            upto=100,
            rows=expected,
            only=ResultFilter(),
            page_images=images,
            page_rows=rows,
        )
        return [len(page) for page in read]

    assert pages(images=1, rows=3) == pages(images=200, rows=3) == [3, 3, 3, 1]
    assert pages(images=2, rows=100) == [TILES]
    with pytest.raises(Conflict, match="retried or deleted"):
        pages(images=2, rows=100, expected=TILES + 1)


def test_an_export_has_the_tiles_that_were_there_when_it_began(bench: str, database: Database) -> None:
    with database.begin() as session:
        sheet = plan_tiles(session, session.get_one(Job, uuid.UUID(bench)), ResultFilter())
    with database.begin() as session:
        session.execute(text("DELETE FROM tile_maps WHERE job_id = :id AND seq = 5"), {"id": bench})
    with pytest.raises(Conflict):
        list(sheet.pages(database))
