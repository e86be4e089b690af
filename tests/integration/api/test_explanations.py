"""Why: what a job asks for and gets, and the explanation of one tile, which is made while the client waits."""

import uuid
from dataclasses import replace
from typing import Any

import pytest
import urllib3
from sqlalchemy import text

from phytobatch import Phytobatch, WaitTimeout
from shared.classifiers import registry
from shared.contracts.explanations import pack
from shared.contracts.manifest import ManifestTiling
from shared.contracts.outputs import ModelOutputs
from shared.contracts.states import ImageErrorCode
from shared.contracts.tiles import TileSkip
from shared.db.session import Database
from shared.jobs.explanations import Explained
from shared.jobs.results import NewResult
from shared.settings import Settings
from shared.tiles.tile_map import Tile
from tests.integration.api.conftest import TILES, Hands, rust, tiled
from tests.integration.conftest import MANIFEST, Api, MakeKey, MakeSettings, assert_problem
from tests.patience import wait_for

MAPPED = {"name": "leaf-map", "version": "1"}
EDGE = {"edge": 256, "overlap": 0.0}
CELLS = [[0, 64], [128, 255]]
PACKED = pack(2, bytes([0, 64, 128, 255]))
SKIPPED = [Tile(skipped=TileSkip.NO_DATA), *TILES[1:]]


def why_rust(seq: int) -> NewResult:
    """The answer "rust", with what speaks for it."""
    return replace(rust(seq), explanation=PACKED)


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    """Nobody waits long for an answer."""
    return make_settings(predict_wait_seconds=1, poll_after_seconds=1)


@pytest.fixture(scope="module")
def database(database: Database) -> Database:
    """With a classifier that has a map; the default has none."""
    with database.begin() as session:
        mapped = {
            "name": MAPPED["name"],
            "sha256": "cd" * 32,
            "tiling": ManifestTiling(edge=256),
            "schema_version": 2,
            "outputs": ModelOutputs(map="map", map_size=(2, 2)),
        }
        registry.register(session, MANIFEST.model_copy(update=mapped))
    return database


@pytest.fixture(autouse=True)
def _mapped(database: Database) -> None:
    """In every test of this module."""


def answered(api: Api, hands: Hands, tiles: Any = TILES, classifier: object = MAPPED) -> str:  # noqa: ANN401  # as `tiled`
    """A job of one photograph in tiles that is over."""
    job_id = api.new_job(tiling=EDGE, classifier=classifier)
    api.add(job_id, "a.jpg")
    api.commit(job_id)
    hands.run(job_id, lambda seq: tiled(seq, tiles))
    return job_id


def ask(api: Api, job_id: str, tile: int = 0) -> urllib3.BaseHTTPResponse:
    return api.get(f"/v1/jobs/{job_id}/images/1/tiles/{tile}/explanation")


def test_results_say_why_where_the_job_asks(api: Api, hands: Hands) -> None:
    job_id = api.new_job(explain=True, classifier=MAPPED)
    api.add(job_id, "1.jpg", "2.jpg")
    job = api.commit(job_id)
    assert (job["explain"], job["warnings"]) == (True, [])
    hands.run(job_id, why_rust)
    results = api.get(f"/v1/jobs/{job_id}/results").json()["results"]
    assert [one["explanation"] for one in results] == [CELLS, CELLS]


def test_a_classifier_without_a_map_is_a_warning(api: Api, hands: Hands) -> None:
    fields = {"files": ("a.jpg", b"a photograph"), "explain": "true"}
    job = api.post("/v1/jobs/upload", fields=fields).json()
    (warning,) = job["warnings"]
    assert (job["explain"], warning["code"]) == (True, "no_explanation")
    assert "leaf-test 1 gives no map" in warning["detail"]
    hands.run(job["id"], rust)
    (result,) = api.get(f"/v1/jobs/{job['id']}/results").json()["results"]
    assert (result["label"], result["explanation"]) == ("rust", None)


def test_one_photograph_is_explained_at_once(api: Api, hands: Hands) -> None:
    fields = {"file": ("a.jpg", b"a photograph")}
    with hands.at_work(why_rust):
        found = api.post("/predict?explain=true&classifier=leaf-map", fields=fields).json()
    assert (found["predicted_class"], found["explanation"]) == ("rust", CELLS)
    assert api.get(found["links"]["job"]).json()["explain"] is True


def test_exports_of_programs_have_it_and_tables_of_people_do_not(api: Api, hands: Hands) -> None:
    job_id = api.new_job(explain=True, classifier=MAPPED)
    api.add(job_id, "1.jpg")
    api.commit(job_id)
    hands.run(job_id, why_rust)
    row = api.get(f"/v1/jobs/{job_id}/export?format=ndjson").json()
    assert row["explanation"] == CELLS
    assert b"explanation" not in api.get(f"/v1/jobs/{job_id}/export?format=csv").data


def test_a_tile_is_explained_while_its_client_waits(api: Api, hands: Hands) -> None:
    job_id = answered(api, hands)
    with hands.at_work(why_rust):
        wait_for(lambda: ask(api, job_id, 2).status == 200)  # The first time, unless this machine is busy.
    found = ask(api, job_id, 2)
    box = {"x": 444, "y": 0, "width": 256, "height": 256}
    assert (found.status, found.json()) == (200, {"seq": 1, "tile": 2, "label": "rust", **box, "explanation": CELLS})


def test_a_wait_that_is_over_is_told_and_the_same_request_gets_it_then(api: Api, hands: Hands) -> None:
    job_id = answered(api, hands)
    found = ask(api, job_id)
    path = f"/v1/jobs/{job_id}/images/1/tiles/0/explanation"
    assert (found.status, found.json()["explanation"]) == (202, None)
    assert (found.headers["Retry-After"], found.headers["Location"]) == ("1", path)
    slept: list[float] = []

    def work(seconds: float) -> None:
        slept.append(seconds)
        hands.step(job_id)

    with Phytobatch(api.base, str(api.key)) as phytobatch:
        with pytest.raises(WaitTimeout, match="not explained yet"):
            phytobatch.explain_tile(job_id, 1, 0, timeout=0)
        seen = phytobatch.explain_tile(job_id, 1, 0, sleep=work)
    assert (seen.label, seen.explanation, slept) == ("rust", CELLS, [1])
    job = api.get(f"/v1/jobs/{job_id}").json()
    assert (job["state"], job["counts"]["succeeded"]) == ("completed", 1)


def test_what_cannot_be_explained_is_said_in_words(
    api: Api, hands: Hands, database: Database, make_key: MakeKey
) -> None:
    job_id = answered(api, hands)
    problem = assert_problem(ask(api, job_id, 6), 422, "invalid-request")
    assert "image 1 has 6 tiles" in problem["detail"]
    assert_problem(ask(api.with_key(make_key()), job_id), 404, "not-found")
    problem = assert_problem(ask(api, answered(api, hands, SKIPPED)), 404, "no-explanation")
    assert "was not classified (no_data)" in problem["detail"]
    without = answered(api, hands, classifier={"name": "leaf-test"})
    problem = assert_problem(ask(api, without), 404, "no-explanation")
    assert "leaf-test 1 gives no map" in problem["detail"]
    whole = api.new_job()
    api.add(whole, "a.jpg")
    api.commit(whole)
    assert_problem(ask(api, whole), 404, "no-tiles")
    hands.run(whole, rust)
    assert_problem(ask(api, whole), 404, "no-tiles")
    with database.begin() as session:
        values = {"id": uuid.UUID(job_id)}
        session.execute(text("UPDATE jobs SET originals_removed_at = now() WHERE id = :id"), values)
    assert_problem(ask(api, job_id), 409, "originals-removed")


def test_a_photograph_that_cannot_be_read_any_more_is_named(api: Api, hands: Hands) -> None:
    job_id = answered(api, hands)
    gone = Explained(error_code=ImageErrorCode.OBJECT_MISSING, error_detail="it is gone")
    assert ask(api, job_id).status == 202
    hands.finish(hands.claim_of(job_id), rust, explained=gone)
    problem = assert_problem(ask(api, job_id), 422, "image-not-readable")
    assert (problem["error_code"], problem["detail"]) == ("object_missing", "it is gone")
