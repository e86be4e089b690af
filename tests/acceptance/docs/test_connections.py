"""The worked examples for farmOS and John Deere, from a job on the real service to a stand-in of theirs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.local.ports import free_port
from deploy.local.synthetic import render
from phytobatch import ImageSpec
from tests.acceptance.docs.conftest import ROOT
from tests.acceptance.docs.running import serving
from tests.acceptance.docs.standins import FarmOS, JohnDeere
from tests.acceptance.system import System
from tests.patience import PATIENCE_SECONDS, wait_for

EXAMPLES = ROOT / "docs" / "examples"
RECEIVER = str(EXAMPLES / "webhook_receiver.py")
KINDS = ("healthy", "rust", "rust", "healthy", "rust", "rust")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photographs")
    files = [folder / f"DJI_{number:04d}.JPG" for number in range(len(KINDS))]
    for number, (kind, file) in enumerate(zip(KINDS, files, strict=True)):
        render(kind, (1600, 1200), seed=number).save(file, "JPEG", quality=90)
    return files


def submit(system: System, files: list[Path]) -> str:
    """A job of photographs that have a position, all but the last one."""
    with system.client() as api:
        job = api.create_job(name="North <field>")
        specs = [
            ImageSpec.of_file(file) if file is files[-1] else _placed(file, number) for number, file in enumerate(files)
        ]
        for target, file in zip(api.add_images(job.id, specs), files, strict=True):
            api.upload(target, file)
        return api.commit(job.id).id


def _placed(file: Path, number: int) -> ImageSpec:
    plain = ImageSpec.of_file(file)
    return ImageSpec(plain.name, plain.size, plain.sha256, latitude=47.99 + number / 1e4, longitude=7.84)


def run(name: str, job_id: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(EXAMPLES / name), job_id]
    return subprocess.run(
        command, env=environment, check=False, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )


def answers(system: System, job_id: str) -> list[tuple[str | None, bool | None]]:
    return [(result.label, result.needs_review) for result in system.results(job_id)]


def observation(farm: FarmOS, job_id: str) -> dict[str, Any] | None:
    logs = farm.records["log/observation"].values()
    return next((log for log in logs if json.loads(log["attributes"]["data"])["phytobatch_job"] == job_id), None)


def test_a_job_that_ends_is_written_into_farmos_by_the_receiver_of_its_webhook(
    documented: System, farmos: FarmOS, photographs: list[Path], reader: dict[str, str], tmp_path: Path
) -> None:
    port = free_port()
    with documented.client() as api:
        secret = api.webhooks.create(f"http://127.0.0.1:{port}/hooks", events=["job.completed"]).secret
    assert secret is not None
    command = [sys.executable, RECEIVER, str(port), sys.executable, str(EXAMPLES / "farmos.py")]
    log_file = tmp_path / "receiver.log"
    with serving(command, port, log_file, {**reader, "WEBHOOK_SECRET": secret, "FARMOS_LOCATION": "north"}):
        job_id = submit(documented, photographs)
        log = wait_for(lambda: observation(farmos, job_id), lambda seen: seen is not None)
    assert log is not None
    assert log["attributes"]["name"] == "Plant health: North <field>"
    assert log["relationships"]["location"]["data"] == [{"type": "asset--land", "id": "north"}]
    sure_rust = answers(documented, job_id).count(("rust", False))
    assert sure_rust > 0
    assert numbers(farmos, log)["photographs: rust"] == str(sure_rust)
    assert sum(int(number) for number in numbers(farmos, log).values()) == len(photographs)


def numbers(farm: FarmOS, log: dict[str, Any]) -> dict[str, str]:
    quantities = [farm.records["quantity/standard"][one["id"]] for one in log["relationships"]["quantity"]["data"]]
    return {one["attributes"]["label"]: one["attributes"]["value"]["decimal"] for one in quantities}


def test_farmos_has_one_observation_however_often_a_job_is_written(
    documented: System, farmos: FarmOS, photographs: list[Path], reader: dict[str, str]
) -> None:
    job_id = submit(documented, photographs[:2])
    early = run("farmos.py", job_id, reader)
    if early.returncode:  # it had not ended yet
        assert "wait for its end" in early.stderr
    documented.wait_for_end(job_id)
    first = run("farmos.py", job_id, reader)
    assert first.returncode == 0, first.stderr
    before = {kind: len(records) for kind, records in farmos.records.items()}
    again = run("farmos.py", job_id, reader)
    assert again.returncode == 0, again.stderr
    assert {kind: len(records) for kind, records in farmos.records.items()} == before


def test_a_wrong_secret_of_farmos_is_said(documented: System, photographs: list[Path], reader: dict[str, str]) -> None:
    job_id = submit(documented, photographs[:1])
    documented.wait_for_end(job_id)
    done = run("farmos.py", job_id, {**reader, "FARMOS_CLIENT_SECRET": "wrong"})
    assert done.returncode == 1
    assert "farmOS answered 401" in done.stderr


def test_diseased_plants_get_a_flag_each_and_only_once(
    documented: System, john_deere: JohnDeere, photographs: list[Path], reader: dict[str, str]
) -> None:
    job_id = submit(documented, photographs)
    documented.wait_for_end(job_id)
    diseased = sum(
        label != "healthy" and not doubtful for label, doubtful in answers(documented, job_id)[: len(photographs) - 1]
    )
    assert diseased > 0
    first, again = run("john_deere.py", job_id, reader), run("john_deere.py", job_id, reader)
    assert first.stdout == f"John Deere: {diseased} flags added for job {job_id}, 0 were there\n", first.stderr
    assert again.stdout == f"John Deere: 0 flags added for job {job_id}, {diseased} were there\n", again.stderr
    flags = [flag for flag in john_deere.flags if job_id in flag["notes"]]
    assert len(flags) == diseased
    assert all(flag["geometry"]["coordinates"][0] == 7.84 for flag in flags)
    assert "rust, " in flags[0]["notes"]
