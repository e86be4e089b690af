"""Inputs are the chart's and the code's where they say so, and a wrong one is refused with a sentence."""

from dataclasses import fields
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # it publishes no types

from api.main import POOL_SIZE
from shared.settings import Settings
from tests.benchmarks.capacity.__main__ import main
from tests.benchmarks.capacity.errors import InputRefused
from tests.benchmarks.capacity.inputs import GPU, SOURCES_OF_GPU, Inputs, WorkerClass
from tests.benchmarks.capacity.read import read_inputs
from worker.leasing.slots import count_slots
from worker.process import LIFELINE_CONNECTIONS, SPARE_CONNECTIONS
from worker.webhooks.process import CONNECTIONS

ROOT = Path(__file__).parents[3]


def test_the_scaling_is_that_of_the_chart() -> None:
    values = yaml.safe_load((ROOT / "deploy" / "chart" / "values.yaml").read_text(encoding="utf-8"))
    keda, scaling = values["keda"], Inputs().scaling
    assert (scaling.polling_seconds, scaling.cooldown_seconds) == (keda["pollingSeconds"], keda["cooldownSeconds"])
    for kind, pool in ((WorkerClass(), keda["worker"]), (GPU, keda["workerGpu"])):
        assert (kind.min_replicas, kind.chunks_per_replica) == (pool["minReplicas"], pool["chunksPerReplica"])
    assert WorkerClass().activation_chunks == keda["worker"]["activationChunks"]
    assert Inputs().connections.api_replicas == values["api"]["replicas"]


def test_the_connections_are_those_of_the_code() -> None:
    connections = Inputs().connections
    assert connections.worker == 2 * count_slots(Settings.model_construct()) + SPARE_CONNECTIONS + LIFELINE_CONNECTIONS
    assert connections.api == POOL_SIZE + 1
    assert connections.deliverers == 2 * CONNECTIONS


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        (
            "installation.md",
            "At most {api} connections of each API process, {worker} of a worker, {one} of a deliverer",
        ),
        ("maintenance.md", "{worker} connections to PostgreSQL each"),
        ("maintenance.md", "{api} connections each"),
        (
            "es/installation.md",
            "{api} conexiones por proceso de API, {worker} por proceso de trabajo, {one} por proceso de entrega",
        ),
        ("es/maintenance.md", "{worker} conexiones a PostgreSQL cada uno"),
        ("es/maintenance.md", "{api} conexiones cada uno"),
    ],
)
def test_the_manuals_name_the_connections_of_the_code(page: str, sentence: str) -> None:
    connections = Inputs().connections
    said = sentence.format(api=connections.api, worker=connections.worker, one=CONNECTIONS)
    assert said in (ROOT / "docs" / page).read_text(encoding="utf-8")


def test_every_input_says_where_it_comes_from() -> None:
    for section in fields(Inputs()):
        for one in fields(getattr(Inputs(), section.name)) if section.name != "workers" else fields(WorkerClass()):
            assert one.name == "name" or one.metadata["source"], one.name
    assert set(SOURCES_OF_GPU) == {one.name for one in fields(WorkerClass())} - {"name"}


def test_a_file_and_flags_change_inputs(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[load]\ntenants = 7\nheavy_tenants = 2\n[[workers]]\nname = "mine"\nimages_per_second = 12\n')
    inputs = read_inputs(file, ["load.heavy_tenants=3", "target.wait_seconds=60.5"])
    assert (inputs.load.tenants, inputs.load.heavy_tenants, inputs.target.wait_seconds) == (7, 3, 60.5)
    assert [(kind.name, kind.images_per_second) for kind in inputs.workers] == [("mine", 12)]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("load.tenant=3", "did you mean 'tenants'"),
        ("lode.tenants=3", "no section called 'lode'; did you mean 'load'"),
        ("load.tenants", "write section.name=value"),
        ("load.tenants=many", "is no number"),
        ("load.tenants=2.5", "is a whole number"),
        ("load.tenants=0", "must be above 0"),
        ("load.tenants=2", "heavy_tenants must not be above"),
        ("load.arrive_from=17", "must be before"),
        ("prices.put_per_1000=-1", "must be 0 or more"),
        ("target.share=1", "must be below 1"),
        ("workers.images_per_second=3", r"write \[\[workers\]\] above each kind"),
    ],
)
def test_a_wrong_input_is_refused(setting: str, sentence: str) -> None:
    with pytest.raises(InputRefused, match=sentence):
        read_inputs(None, [setting])


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.toml").write_text("[load\n")
    assert main([str(tmp_path / "bad.toml")]) == 1
    assert "bad.toml cannot be read" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--images", "none"])


def test_the_command_prints_its_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--inputs"]) == 0
    printed = capsys.readouterr().out
    assert "| prices.get_per_1000 | 0.0004 | $ |" in printed
    assert "| workers: gpu-h100.images_per_second |" in printed
    assert "| yours |" not in printed
    assert main(["--inputs", "--set", "load.tenants=60"]) == 0
    assert "| load.tenants | 60 | tenants | yours |" in capsys.readouterr().out
