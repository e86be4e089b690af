"""The crop of a photograph on its way to a client: results, prediction, exports, and what a classifier has learned."""

import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace

import pytest
from arro3.io import read_parquet

from shared.classifiers import registry
from shared.contracts.manifest import Crop
from shared.contracts.outputs import ModelOutputs
from shared.db.session import Database
from shared.jobs.results import NewResult
from tests.integration.api.conftest import Hands, rust
from tests.integration.conftest import MANIFEST, Api

NAMED = "leaf-crops"
OUTPUTS = ModelOutputs(map="map", map_size=(7, 7), embedding="embedding", crop="crop")
CROPS = (Crop(id="apple", names={"en": "apple", "es": "manzano"}, terms="CC0"), Crop(id="bean", terms="MIT"))
EMBEDDING = bytes(range(192, 256))


@pytest.fixture(scope="module")
def database(database: Database) -> Database:
    """With a classifier that names crops; the default does not."""
    with database.begin() as session:
        named = {"name": NAMED, "sha256": "cd" * 32, "schema_version": 2, "outputs": OUTPUTS, "crops": CROPS}
        registry.register(session, MANIFEST.model_copy(update=named))
    return database


@pytest.fixture(autouse=True)
def _named(database: Database) -> None:
    """In every test of this module."""


def read(seq: int) -> NewResult:
    """A bean; the second photograph shows no crop that is known."""
    return replace(rust(seq), crop="bean" if seq == 1 else None, embedding=EMBEDDING)


@pytest.fixture
def job_id(api: Api, hands: Hands) -> str:
    job_id = api.new_job(classifier={"name": NAMED})
    api.add(job_id, "1.jpg", "2.jpg")
    api.commit(job_id)
    hands.run(job_id, read)
    return job_id


def test_results_have_the_crop(api: Api, job_id: str) -> None:
    results = api.get(f"/v1/jobs/{job_id}/results").json()["results"]
    assert [one["crop"] for one in results] == ["bean", None]
    assert all("embedding" not in one for one in results)


def test_exports_have_crop_and_embedding(api: Api, job_id: str) -> None:
    def export(name: str) -> bytes:
        answer = api.get(f"/v1/jobs/{job_id}/export?format={name}")
        assert answer.status == 200, answer.data
        return bytes(answer.data)

    lines = [json.loads(line) for line in export("ndjson").splitlines()]
    assert [(line["crop"], b64decode(line["embedding"])) for line in lines] == [("bean", EMBEDDING), (None, EMBEDDING)]
    table = read_parquet(export("parquet")).read_all()
    assert table["crop"].to_pylist() == ["bean", None]
    assert table["embedding"].to_pylist() == [EMBEDDING, EMBEDDING]
    header = export("csv").decode("utf-8-sig").splitlines()[0].split(",")
    assert "crop" in header
    assert "embedding" not in header


def test_a_job_of_another_classifier_has_no_such_columns(api: Api, hands: Hands) -> None:
    job_id = api.new_job(classifier={"name": MANIFEST.name})
    api.add(job_id, "1.jpg")
    api.commit(job_id)
    hands.run(job_id, rust)
    (line,) = api.get(f"/v1/jobs/{job_id}/export?format=ndjson").data.splitlines()
    assert not json.loads(line).keys() & {"crop", "embedding"}
    (result,) = api.get(f"/v1/jobs/{job_id}/results").json()["results"]
    assert result["crop"] is None


@pytest.fixture
def worker(hands: Hands) -> Iterator[None]:
    """Somebody who reads whatever comes."""
    stopping = threading.Event()

    def work() -> None:
        while not stopping.wait(0.01):
            while (held := hands.claim()) is not None:
                hands.finish(held, read)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stopping.set()
    thread.join()


@pytest.mark.usefixtures("worker")
def test_a_prediction_has_the_crop(api: Api) -> None:
    answer = api.post(f"/predict?classifier={NAMED}", fields={"file": ("a.jpg", b"a photograph")})
    assert answer.status == 200, answer.data
    assert answer.json()["crop"] == "bean"


def test_a_classifier_says_its_outputs_and_crops_with_their_terms(api: Api) -> None:
    found = {one["name"]: one for one in api.get("/v1/classifiers").json()["classifiers"]}
    named, plain = found[NAMED], found[MANIFEST.name]
    assert named["outputs"] == {
        "probabilities": "probabilities",
        "review": None,
        "map": "map",
        "map_size": [7, 7],
        "embedding": "embedding",
        "crop": "crop",
    }
    assert named["crops"] == [
        {"id": "apple", "names": {"en": "apple", "es": "manzano"}, "eppo_code": None, "terms": "CC0"},
        {"id": "bean", "names": {}, "eppo_code": None, "terms": "MIT"},
    ]
    assert (plain["outputs"], plain["crops"]) == (None, [])
