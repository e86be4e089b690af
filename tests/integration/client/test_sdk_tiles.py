"""Photographs of many plants, through the SDK."""

from pathlib import Path

import pytest

from phytobatch import ImageSpec, InvalidRequest, NotFound, Phytobatch, Work
from phytobatch.tiles.answer import ImageTiles
from shared.settings import Settings
from tests.integration.api.conftest import TILES, Classify, Hands, rust, tiled, undecided
from tests.integration.client.conftest import Beside
from tests.integration.conftest import MakeSettings
from tests.patience import wait_for

TILING = {"edge": 256, "overlap": 0.25}


@pytest.fixture(scope="module")
def settings(make_settings: MakeSettings) -> Settings:
    """The server answers /predict with a job at once."""
    return make_settings(predict_wait_seconds=0)


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    path = tmp_path / "bench.jpg"
    path.write_bytes(b"a photograph")
    return path


def answer(hands: Hands, classify: Classify) -> None:
    """Answer the next photograph that somebody waits for."""
    held = wait_for(hands.claim)
    assert held is not None
    hands.finish(held, classify)


def test_a_job_is_followed_and_read_with_its_tiles(sdk: Phytobatch, hands: Hands) -> None:
    job = sdk.create_job(tiling=TILING, on_coarse="answer", ground_resolution_mm=0.5)
    assert (job.tiling, job.on_coarse, job.ground_resolution_mm) == (TILING, "answer", 0.5)
    sdk.add_images(job.id, [ImageSpec("1.jpg", 4, height_above_ground=2.5), ImageSpec("2.jpg", 4)])
    committed = sdk.commit(job.id)
    assert committed.progress is not None
    assert committed.progress.work == Work(total=None, done=0)
    hands.run(job.id, lambda seq: tiled(seq) if seq == 1 else undecided(seq))
    ended = sdk.job(job.id)
    assert ended.progress is not None
    assert ended.progress.work is not None
    assert (ended.progress.work.total, ended.progress.work.done) == (12, 12)
    answered, open_ = sorted(sdk.results(job.id), key=lambda one: one.seq)
    assert answered.tiles is not None
    assert (answered.tiles.total, answered.tiles.counted, answered.tiles.share("rust")) == (len(TILES), 4, 0.5)
    assert (open_.status, open_.label, open_.review_reason) == ("succeeded", None, "no_leaf")
    found = sdk.tiles(job.id, 1)
    assert (found.name, found.labels[0], str(found.classifier)) == (
        "1.jpg", ["rust", "healthy", "rust"], "leaf-test@1",
    )  # fmt: skip


def test_a_job_that_decides_nothing_has_its_warning(sdk: Phytobatch, hands: Hands) -> None:
    job = sdk.create_job(tiling=TILING)
    sdk.add_images(job.id, [ImageSpec("1.jpg", 4)])
    sdk.commit(job.id)
    hands.run(job.id, undecided)
    assert [one["code"] for one in sdk.job(job.id).warnings] == ["nothing_decided"]


def test_an_image_that_was_answered_whole_has_no_tiles(sdk: Phytobatch, hands: Hands) -> None:
    job = sdk.create_job()
    sdk.add_images(job.id, [ImageSpec("1.jpg", 4)])
    sdk.commit(job.id)
    hands.run(job.id, rust)
    with pytest.raises(NotFound) as refused:
        sdk.tiles(job.id, 1)
    assert refused.value.problem.code == "no-tiles"
    assert next(sdk.results(job.id)).tiles is None


def test_a_prediction_that_became_a_job_has_its_tiles(
    sdk: Phytobatch, hands: Hands, beside: Beside, photograph: Path
) -> None:
    beside(lambda: answer(hands, tiled))
    found = sdk.predict(photograph, tiling="256/0.25")
    assert (found.predicted_class, found.probabilities) == ("rust", {})
    assert found.tiles is not None
    assert found.tiles.counted == 4
    assert found.tiles_map is not None
    assert ImageTiles.from_json(found.tiles_map) == sdk.tiles(found.job_id, 1)


def test_a_prediction_that_became_a_job_may_be_undecided(
    sdk: Phytobatch, hands: Hands, beside: Beside, photograph: Path
) -> None:
    beside(lambda: answer(hands, undecided))
    found = sdk.predict(photograph, tiling="256")
    assert (found.predicted_class, found.confidence) == (None, None)
    assert (found.needs_review, found.review_reason) == (True, "no_leaf")


def test_a_classifier_that_has_learned_no_tiles_is_no_auto(sdk: Phytobatch, photograph: Path) -> None:
    for call in (
        lambda: sdk.predict(photograph, tiling="auto"),
        lambda: sdk.create_job_from_files([photograph], tiling="auto"),
    ):
        with pytest.raises(InvalidRequest) as refused:
            call()
        assert refused.value.problem.code == "classifier-without-tiling"
