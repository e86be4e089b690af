"""``submit --explain``, ``predict --explain``, ``explain`` and the report, over the real API and object store."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from phytobatch import ClassifierRef, ImageSpec, Phytobatch
from shared.classifiers import registry
from shared.contracts.manifest import ManifestTiling
from shared.contracts.outputs import ModelOutputs
from shared.db.session import Database
from shared.jobs.results import NewResult
from tests.integration.api.conftest import EXPLAINED, Hands, rust, tiled
from tests.integration.client.conftest import Shell
from tests.integration.conftest import MANIFEST

MAPPED = ClassifierRef("leaf-map", "1")
CELLS = [[0, 64], [128, 255]]
SIZE = (700, 500)


@pytest.fixture(scope="module")
def database(database: Database) -> Database:
    """With a classifier that has a map."""
    with database.begin() as session:
        mapped = {
            "name": MAPPED.name,
            "sha256": "cd" * 32,
            "tiling": ManifestTiling(edge=256),
            "schema_version": 2,
            "outputs": ModelOutputs(map="map", map_size=(2, 2)),
        }
        registry.register(session, MANIFEST.model_copy(update=mapped))
    return database


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photos" / "leaf.jpg"
    path.parent.mkdir()
    Image.new("RGB", SIZE, (40, 120, 40)).save(path)
    return path


def why_rust(seq: int) -> NewResult:
    return replace(rust(seq), explanation=EXPLAINED.explanation)


def has_blue(path: Path) -> bool:
    """True if something is drawn on the green photograph, above its legend."""
    with Image.open(path) as drawn:
        _, _, blue = drawn.crop((0, 0, drawn.width, drawn.width * SIZE[1] // SIZE[0])).split()
        return int(blue.getextrema()[1]) > 200  # type: ignore[arg-type]  # of one channel


def test_a_folder_is_sent_with_the_wish_and_drawn(
    shell: Shell, sdk: Phytobatch, hands: Hands, photo: Path, tmp_path: Path
) -> None:
    state = ("--state-dir", str(tmp_path / "state"))
    with hands.at_work(why_rust):
        shell.run("submit", str(photo.parent), "--explain", "--classifier", "leaf-map", "--watch", *state)
    job_id = next(sdk.jobs()).id
    one = shell.json("explain", job_id, "--out", str(tmp_path / "why"), "--photos", str(photo.parent))
    assert (one["label"], one["explanation"], one["fault"]) == ("rust", CELLS, None)
    assert has_blue(Path(one["picture"]))
    page = tmp_path / "page.html"
    shell.run("report", job_id, "--out", str(page))
    assert "Blue to violet is what speaks for the label" in page.read_text()


def test_one_photograph_says_where_in_letters(shell: Shell, hands: Hands, photo: Path) -> None:
    with hands.at_work(why_rust):
        said = shell.run("predict", str(photo), "--explain", "--classifier", "leaf-map").stdout
    assert "  .. --\n  ++ ##\n" in said


def test_a_photograph_in_tiles_is_explained_when_it_is_named(
    shell: Shell, sdk: Phytobatch, hands: Hands, photo: Path, tmp_path: Path
) -> None:
    job = sdk.create_job(classifier=MAPPED, tiling={"edge": 256})
    (target,) = sdk.add_images(job.id, [ImageSpec.of_file(photo)])
    sdk.upload(target, photo)
    sdk.commit(job.id)
    hands.run(job.id, tiled)
    assert "name a photograph" in shell.run("explain", job.id, code=2).stderr
    with hands.at_work(why_rust):
        surest = shell.json("explain", job.id, "leaf.jpg", "--out", str(tmp_path / "why"))
        chosen = shell.json("explain", job.id, "1", "--tile", "5")
    assert [one["tile"] for one in surest["tiles"]] == [0, 2], "of rust, the surest first"
    assert has_blue(Path(surest["picture"]))
    assert [(one["label"], one["explanation"]) for one in chosen["tiles"]] == [("healthy", CELLS)]


def test_what_has_no_explanation_says_why(shell: Shell, sdk: Phytobatch, hands: Hands) -> None:
    for explain, sentence in ((False, "send it again with --explain"), (True, "leaf-test 1 gives no map")):
        job = sdk.create_job(explain=explain, classifier=ClassifierRef("leaf-test"))
        sdk.add_images(job.id, [ImageSpec(name="1.jpg", size=10)])
        sdk.commit(job.id)
        hands.run(job.id, rust)
        assert sentence in shell.run("explain", job.id, code=2).stderr
        assert sentence in shell.run("explain", job.id, "1", code=2).stderr
